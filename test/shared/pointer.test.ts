import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkPointer, pointerTokens, readPointer } from '../../shared/pointer';
import { pointerToken } from '../../shared/schema';

/** RFC 6901 section 5. */
const DOCUMENT = {
  foo: ['bar', 'baz'],
  '': 0,
  'a/b': 1,
  'c%d': 2,
  'e^f': 3,
  'g|h': 4,
  'i\\j': 5,
  'k"l': 6,
  ' ': 7,
  'm~n': 8,
};

describe('readPointer', () => {
  test.each([
    ['', DOCUMENT],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
  ])('reads the example %j of the RFC', (pointer, value) => {
    expect(readPointer(DOCUMENT, pointer)).toEqual(value);
  });

  test.each([
    '/foo/2',
    '/foo/-',
    '/foo/01',
    '/foo/+1',
    '/foo/1e0',
    '/foo/ 1',
    '/foo/length',
    '/none',
    '/a~1b/x',
  ])('finds nothing at %j', (pointer) => {
    expect(readPointer(DOCUMENT, pointer)).toBeUndefined();
  });

  test.each(['/constructor', '/__proto__', '/toString', '/foo/map', '/foo/0/length'])(
    'finds nothing that is inherited: %j',
    (pointer) => {
      expect(readPointer(DOCUMENT, pointer)).toBeUndefined();
    },
  );

  test('finds own members whatever their name', () => {
    expect(readPointer(JSON.parse('{"__proto__":{"a":1}}'), '/__proto__/a')).toBe(1);
    expect(readPointer({ constructor: null }, '/constructor')).toBeNull();
  });

  test('unescapes ~01 to ~1, not to /', () => {
    expect(readPointer({ '~1': 'right', '/': 'wrong' }, '/~01')).toBe('right');
  });

  test('finds any value of any document by the way to it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 5 }),
        fc.jsonValue(),
        (names, value) => {
          const document = names.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
          const pointer = names.map((name) => `/${pointerToken(name)}`).join('');
          expect(pointerTokens(pointer)).toEqual(names);
          expect(readPointer(document, pointer)).toBe(names.length === 0 ? document : value);
        },
      ),
    );
  });
});

describe('checkPointer', () => {
  test.each(['', '/', '/a', '/a//b', '/~0~1', '/é'])('takes %j', (text) => {
    expect(checkPointer(text)).toBeUndefined();
  });

  test.each([
    ['a', 'begins with /'],
    ['#/a', 'begins with /'],
    ['$.a', 'begins with /'],
    ['/~', '~ is written ~0'],
    ['/a~2', '~ is written ~0'],
  ])('explains what is wrong with %j', (text, message) => {
    expect(checkPointer(text)).toContain(message);
    expect(() => readPointer({}, text)).toThrow(TypeError);
  });

  test('answers at once for a long text', () => {
    const start = performance.now();
    expect(checkPointer(`${'/a'.repeat(100_000)}~`)).toBeDefined();
    expect(performance.now() - start).toBeLessThan(500);
  });
});
