/** Patterns whose time nobody from outside may stretch. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkPattern, compilePattern } from '../../../../shared/shard/key/pattern';

const LONG = /could take too long/;

describe('taken are', () => {
  test.each([
    '^/([^/]+)',
    '^/([^/]+)/([^/]+)/([^/]+)$',
    '^/api/v\\d+/tenants/([\\w-]+)(?:/|$)',
    '^/(?:users|orders)/(\\d+)',
    '^/(?!health/)([^/]+)',
    '^/a/(.+)$',
    '^(.*)$',
    '^.*/docs/([^/]+)',
    '/tenants/([^/]+)/',
    '^/(?<tenant>[a-z0-9]{1,32})/',
    '^/(?:[a-z]{3}-[0-9]{4})/(x)',
    '^/([^/?]+)',
    '^/(\\x41|\\u0042)',
    '^/([\\]/])',
    '^/é(.)',
    '^/a{,3}(b)',
    '^/(a+?)/',
    '^/(?:ab)+/(c)',
    '(a)\\b',
  ])('%s', (pattern) => {
    expect(checkPattern(pattern)).toBeUndefined();
  });
});

describe('refused are', () => {
  test.each([
    // What repeats within what repeats.
    ['^(a+)+$', LONG],
    ['^((a*)b?)*$', LONG],
    ['^(?:a|b)*(c)', LONG],
    ['^(?:a|a)*(c)', LONG],
    ['^(a?){30}$', LONG],
    ['^(?:a{1,9}){1,9}(b)$', LONG],
    ['^(?:(?=a+)a)+(b)', LONG],
    // Several places that could go on otherwise.
    ['^.*(.*)x$', LONG],
    ['^[a-z]*[a-z0-9]*(x)', LONG],
    ['^[a-z]*[0-9]*[a-z]*[0-9]*(x)', LONG],
    ['^(a?a?a?a?a?aaaaa)$', LONG],
    ['^(a|a)(a|a)(b)$', LONG],
    ['^(?:a|ab)(?:c|bcd)(?:d*)(?:d|x)(y)', LONG],
    ['.*/(.*)', LONG],
    ['(?:^a|b.*).*(c)', LONG],
    ['^(?=.*a)(?=.*b)(.*)$', LONG],
    ['^.*(?=[a-z]*0)(x)', LONG],
    // What no tree says anything of.
    ['^(a)\\1', /must not refer/],
    ['^(?<n>a)\\k<n>', /must not refer/],
    ['(?<=a)(b)', /must not look behind/],
    ['(?<!a)(b)', /must not look behind/],
    ['^(a{1000})', /must not count beyond 256/],
    // What is no pattern.
    ['^(', /is no regular expression/],
    ['^/[z-a](b)', /is no regular expression/],
    ['^/a', /must have a group/],
    ['^/(?:a)', /must have a group/],
    [`^(${'a'.repeat(600)})`, /more than 512 bytes/],
    [`^(${'é'.repeat(300)})`, /more than 512 bytes/],
  ])('%s', (pattern, mistake) => {
    expect(checkPattern(pattern)).toMatch(mistake);
    expect(() => compilePattern(pattern)).toThrow();
  });
});

/** CPU time in µs that no path within the bounds may take; what was refused would take years. */
const TOO_LONG = 500_000;

const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '/', '[^/]', 'c');
const quantifier = fc.constantFrom('', '', '', '*', '+', '?', '*?', '{2}', '{1,3}', '{2,}');
const piece: fc.Arbitrary<string> = fc.letrec<{ piece: string; sequence: string }>((tie) => ({
  piece: fc.oneof(
    { weight: 4, arbitrary: fc.tuple(atom, quantifier).map(([one, many]) => one + many) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom('(', '(?:'), tie('sequence'), quantifier)
        .map(([open, inner, many]) => `${open}${inner})${many}`),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(tie('sequence'), tie('sequence'))
        .map(([one, other]) => `(${one}|${other})`),
    },
  ),
  sequence: fc.array(tie('piece'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('')),
})).piece;

test('no pattern that is taken keeps the runtime busy, whatever the path', () => {
  const patterns = fc.tuple(fc.boolean(), fc.array(piece, { minLength: 1, maxLength: 5 }));
  let taken = 0;
  fc.assert(
    fc.property(patterns, fc.constantFrom('a', 'ab', 'a/', 'b', 'aab'), ([start, parts], unit) => {
      const pattern = `${start ? '^' : ''}${parts.join('')}($)`;
      if (checkPattern(pattern) !== undefined) return;
      taken += 1;
      const match = compilePattern(pattern);
      const began = process.cpuUsage();
      for (const length of [2048, 8192]) match(`${unit.repeat(length / unit.length)}!`);
      const { user, system } = process.cpuUsage(began);
      expect(user + system).toBeLessThan(TOO_LONG);
    }),
    { numRuns: 3000 },
  );
  expect(taken).toBeGreaterThan(300);
});
