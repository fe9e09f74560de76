import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../../shared/failure';
import { type JsonNode, MAX_DEPTH, parseJson, parseTree } from '../../shared/json';

const refusalOf = (text: string): Failure => {
  try {
    parseJson(text);
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
    throw thrown;
  }
  throw new Error('it was taken');
};

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('strict JSON', () => {
  test.each([
    ['an empty text', '', 1, 1, 'a value is expected where the text ends'],
    ['white space alone', ' \n ', 2, 2, 'a value is expected where the text ends'],
    ['an object without its end', '{"a":1', 1, 7, 'a comma or } is expected where the text ends'],
    ['a comma before ]', '[1,]', 1, 4, 'a value is expected'],
    ['two items without a comma', '[1 2]', 1, 4, 'a comma or ] is expected'],
    ['a comma before }', '{"a":1,}', 1, 8, 'a key in double quotes is expected'],
    ['single quotes', "{'a':1}", 1, 2, 'a key in double quotes is expected'],
    ['a key without a colon', '{"a" 1}', 1, 6, 'a colon is expected'],
    ['a second value', '{}\n{}', 2, 1, 'nothing may follow the value'],
    ['a leading zero', '01', 1, 2, 'nothing may follow the value'],
    ['a point without digits', '[1.]', 1, 3, 'a comma or ] is expected'],
    ['a minus alone', '-', 1, 1, 'a value is expected'],
    ['a plus', '+1', 1, 1, 'a value is expected'],
    ['NaN', 'NaN', 1, 1, 'a value is expected'],
    ['half a word', 'nul', 1, 1, 'a value is expected'],
    ['a word that goes on', 'truex', 1, 5, 'nothing may follow the value'],
    ['a string without its end', '"a', 1, 3, 'a string has no end where the text ends'],
    ['a line end in a string', '"a\nb"', 1, 3, 'a control character must be escaped'],
    ['NUL in a string', '"\u0000"', 1, 2, 'a control character must be escaped'],
    ['NUL between tokens', '{"a":\u00001}', 1, 6, 'a value is expected'],
    ['a space that is none in JSON', '[\u00a01]', 1, 2, 'a value is expected'],
    ['an unknown escape', '"\\x"', 1, 2, 'this escape is not known'],
    ['an escape of three digits', '"\\u12g4"', 1, 2, '\\u needs four hex digits'],
    ['an escape that is cut off', '"\\', 1, 2, 'this escape is not known'],
    ['a key that comes twice', '{"a":1,\n "a":2}', 2, 2, 'the key "a" comes twice'],
    ['a key that comes again in disguise', '{"a":1,"\\u0061":2}', 1, 8, 'the key "a" comes twice'],
    [
      'an empty key that comes twice, deep inside',
      '[{"b":{"":1,"":2}}]',
      1,
      13,
      'the key "" comes twice',
    ],
    ['the key __proto__', '{"__proto__":{"admin":true}}', 1, 2, 'the key "__proto__" is not taken'],
    [
      'the key __proto__ in disguise',
      '{"a":[{"\\u005f_proto__":1}]}',
      1,
      8,
      'the key "__proto__" is not taken',
    ],
    ['a high surrogate alone', '"\\ud800"', 1, 2, 'a surrogate stands alone'],
    ['a low surrogate alone', '"\\udc00"', 1, 2, 'a surrogate stands alone'],
    ['a high surrogate before a pair', '"\\ud800\\ud800\\udc00"', 1, 2, 'a surrogate stands alone'],
    ['a pair torn apart', '"\\ud800 \\udc00"', 1, 2, 'a surrogate stands alone'],
    ['a lone surrogate in a key', '{"\\udfff":1}', 1, 3, 'a surrogate stands alone'],
    ['a lone surrogate unescaped', '"\ud800"', 1, 2, 'a surrogate stands alone'],
    ['a number beyond a double', '[1e400]', 1, 2, 'this number is too large'],
    ['a negative one', '-1E+309', 1, 1, 'this number is too large'],
    ['one without an exponent', `[${'9'.repeat(400)}]`, 1, 2, 'this number is too large'],
    ['depth 33', nested(MAX_DEPTH + 1), 1, 33, 'nesting deeper than 32 is not taken'],
    ['depth 100,000', '{"a":'.repeat(100_000), 1, 161, 'nesting deeper than 32 is not taken'],
    ['a second byte order mark', '\ufeff\ufeff1', 1, 1, 'a value is expected'],
    ['a mistake behind a byte order mark', '\ufeff[x]', 1, 2, 'a value is expected'],
  ])('refuses %s', (_, text, line, column, what) => {
    const { code, message } = refusalOf(text);
    expect({ code, message }).toEqual({
      code: 'invalid_json',
      message: `Not valid JSON, line ${line}, column ${column}: ${what}.`,
    });
  });

  test.each([
    ['null', null],
    ['\ufeff{"a":1}', { a: 1 }],
    [' [ ] ', []],
    ['"\\ud83d\\ude00"', '😀'],
    ['"😀"', '😀'],
    ['"\\ud83d\ude00"', '😀'],
    ['{"\\"\\\\\\/\\b\\f\\n\\r\\t":""}', { '"\\/\b\f\n\r\t': '' }],
    ['[-0.5e-2, 1E3, 1e-400]', [-0.005, 1000, 0]],
    ['"__proto__"', '__proto__'],
  ])('takes %j', (text, value) => {
    expect(parseJson(text)).toEqual(value);
  });

  test('takes depth 32', () => {
    expect(parseJson(nested(MAX_DEPTH))).toEqual(JSON.parse(nested(MAX_DEPTH)));
  });

  test('reads constructor and prototype as own data and touches no prototype', () => {
    const value = parseJson('{"constructor":{"prototype":{"admin":true}},"toString":1}') as object;
    expect(Object.keys(value)).toEqual(['constructor', 'toString']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test('tells no more of a key than its beginning and nothing of a value', () => {
    const key = 'k'.repeat(5000);
    const { message } = refusalOf(`{"${key}":"secret","${key}":"secret"}`);
    expect(message.length).toBeLessThan(120);
    expect(message).not.toContain('secret');
  });

  test('reads back what JSON.stringify wrote, at any indentation', () => {
    fc.assert(
      fc.property(written, (text) => {
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('reads a damaged text as JSON.parse does or refuses it for a reason of its own', () => {
    fc.assert(
      fc.property(damaged, (text) => {
        const native = attempt(() => JSON.parse(text));
        const own = attempt(() => parseJson(text));
        if (own.thrown === undefined) expect(own).toEqual(native);
        else {
          expect(own.thrown).toMatchObject({ code: 'invalid_json' });
          if (native.thrown === undefined)
            expect(String(own.thrown)).toMatch(
              /comes twice|stands alone|too large|deeper than|__proto__/,
            );
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('nodes with their place', () => {
  test('give the text of each value, at every level', () => {
    fc.assert(
      fc.property(written, fc.constantFrom('', '\ufeff'), (text, mark) => {
        expectSpans(parseTree(mark + text), mark + text, JSON.parse(text));
      }),
    );
  });

  test('refuse what parseJson refuses', () => {
    expect(() => parseTree('{"a":1,"a":2}')).toThrow(Failure);
  });
});

const expectSpans = (node: JsonNode, text: string, value: unknown): void => {
  const own = text.slice(node.start, node.end);
  expect(own).toBe(own.trim());
  expect(JSON.parse(own)).toEqual(value);
  if (node.kind === 'array') {
    expect(node.items).toHaveLength((value as unknown[]).length);
    node.items.forEach((item, i) => {
      expectSpans(item, text, (value as unknown[])[i]);
    });
  } else if (node.kind === 'object') {
    expect([...node.members.keys()].sort()).toEqual(Object.keys(value as object).sort());
    for (const [key, member] of node.members)
      expectSpans(member, text, (value as Record<string, unknown>)[key]);
  }
};

const attempt = (act: () => unknown): { value?: unknown; thrown?: unknown } => {
  try {
    return { value: act() };
  } catch (thrown) {
    return { thrown };
  }
};

const written = fc
  .tuple(fc.jsonValue({ stringUnit: 'binary', maxDepth: 6 }), fc.constantFrom(0, 1, '\t', '\r\n'))
  .map(([value, space]) => JSON.stringify(value, null, space))
  .filter((text) => !text.includes('__proto__'));

/** Documents with one to three pieces cut out, doubled, or put in. */
const damaged = fc
  .tuple(
    written,
    fc.array(
      fc.record({
        at: fc.nat(),
        cut: fc.integer({ min: 0, max: 3 }),
        put: fc.constantFrom(
          ...['', '"', '{', '}', '[', ']', ',', ':', '0', '-', '.', 'e999', '1E5', '\\', '\\ud800'],
          ...['\\udc00', 'null', 'tru', '"":', '"":1,', '\u0000', '\n', '\u2028', '\ud800', ' '],
          '"__proto__":1,',
        ),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  )
  .map(([text, wounds]) =>
    wounds.reduce((whole, { at, cut, put }) => {
      const index = at % (whole.length + 1);
      return whole.slice(0, index) + put + whole.slice(index + cut);
    }, text),
  );
