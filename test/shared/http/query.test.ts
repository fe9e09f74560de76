/** Parameters of raw queries, beside a slow model of each way of reading them. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeForm,
  decodePercent,
  formParameter,
  queryOf,
  queryText,
  rawParameter,
} from '../../../shared/http/query';

describe('the query of a URL', () => {
  test.each([
    ['http://h/a', undefined],
    ['http://h/a?', ''],
    ['http://h/a?k=1', 'k=1'],
    ['http://h/a?k=1?2', 'k=1?2'],
    ['http://h/a?k=1#f?k=2', 'k=1'],
    ['http://h/a#f?k=2', undefined],
    ['/a?k=%20', 'k=%20'],
  ])('%s', (url, query) => {
    expect(queryOf(url)).toBe(query);
  });
});

/** What such queries are made of. */
const query = fc
  .array(fc.constantFrom('k', 'K', 'kk', '=', '&', '1', '+', '%', '%6b', '%20', 'é', ';', 'a'), {
    maxLength: 14,
  })
  .map((parts) => parts.join(''));

/** Its pairs, the slow way; a name without `=` has no value. */
const pairsOf = (text: string): [name: string, value: string | undefined][] =>
  text.split('&').map((part) => {
    const [name = '', ...rest] = part.split('=');
    return [name, rest.length === 0 ? undefined : rest.join('=')];
  });

describe('a raw parameter', () => {
  test('is the first of its name that has a value, in the case of its name', () => {
    fc.assert(
      fc.property(query, (text) => {
        const expected = pairsOf(text).find(
          ([name, value]) => name === 'k' && value !== undefined,
        )?.[1];
        expect(rawParameter(text, 'k')).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  test('is found in any case, where that is asked for', () => {
    fc.assert(
      fc.property(query, (text) => {
        const expected = pairsOf(text).find(
          ([name, value]) => name.toLowerCase() === 'k' && value !== undefined,
        )?.[1];
        expect(rawParameter(text, 'k', { anyCase: true })).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  test('may be without a value, where that counts', () => {
    fc.assert(
      fc.property(query, (text) => {
        const found = pairsOf(text).find(([name]) => name === 'k');
        const expected = found && (found[1] ?? '');
        expect(rawParameter(text, 'k', { bare: true })).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  test('is of one pair: a name does not reach over its end', () => {
    expect(rawParameter('a&b=1', 'a&b')).toBeUndefined();
  });

  test('is found by letters alone in any case: { is not [', () => {
    expect(rawParameter('{=1&[=2', '{', { anyCase: true })).toBe('1');
    expect(rawParameter('[=2', '{', { anyCase: true })).toBeUndefined();
  });
});

describe('a parameter of a form', () => {
  test('is what URLSearchParams finds, as long as all can be decoded', () => {
    const code = fc
      .array(fc.constantFrom('k', 'K', '=', '&', '1', '+', '%6b', '%3D', '%26', '%C3%A9', 'x'), {
        maxLength: 14,
      })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(code, fc.constantFrom('k', 'K', '', ' ', '=', 'é'), (text, name) => {
        // It takes pairs of nothing for none.
        const expected = new URLSearchParams(text).get(name) ?? undefined;
        expect(queryText(`http://h/?${text}`, name)).toBe(expected);
      }),
      { numRuns: 5000 },
    );
  });

  test('is raw where it cannot be decoded, and of no name that cannot', () => {
    expect(queryText('http://h/?k=%zz+1', 'k')).toBe('%zz+1');
    expect(queryText('http://h/?k=%ff', 'k')).toBe('%ff');
    expect(queryText('http://h/?%zz=1', '%zz')).toBeUndefined();
    expect(formParameter('k=%zz+1', 'k')).toBe('%zz+1');
  });
});

describe('decoding', () => {
  test('takes one character for one byte, as node:http gives them', () => {
    expect(decodePercent('\xc3\xa9%C3%A9')).toBe('éé');
    expect(decodePercent('\xc3%A9')).toBe('é');
    expect(decodePercent('\xe9')).toBeUndefined();
  });

  test('knows the plus of forms from that of paths', () => {
    expect([decodeForm('a+b%2B'), decodePercent('a+b%2B')]).toEqual(['a b+', 'a+b+']);
  });
});
