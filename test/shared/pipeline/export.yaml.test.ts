/** The YAML of exports, read back by parsers that are not ours. */
import { beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { type Plain, toYaml } from '../../../shared/pipeline/export/yaml';
import { PEERS_TIMEOUT, providePeers } from '../../support/peers';

let jsYaml: { load(text: string): unknown };

beforeAll(async () => {
  // What the SDK of Serverless Workflow reads its documents with.
  jsYaml = (await providePeers('export'))('js-yaml');
}, PEERS_TIMEOUT);

const TRICKY = [
  'true',
  'No',
  'null',
  '~',
  '1',
  '1.0.0',
  '1e3',
  '0x1f',
  '2026-01-01',
  '12:30',
  '- a',
  'a: b',
  'a #b',
  'a:',
  '#',
  '',
  ' a',
  'a ',
  "it's",
  '"',
  'a\nb',
  'a\tb',
  '{a}',
  '[a',
  '*a',
  '&a',
  '!a',
  '|',
  '>',
  '%',
  '@',
  '`',
  '?',
  '<<',
  '---',
  '...',
  '\u0085',
  '\u2028',
  '\ufeff',
  '\u0000',
  '\ud800',
  'é',
  '💡',
  'y',
  'on',
  '.inf',
  'e0',
  'E-5',
  '+1',
  '__proto__',
  '=',
  'a\u0007',
];

const value = fc.letrec<{ any: Plain }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Plain>(...TRICKY),
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? 0 : n)),
    fc.constantFrom<Plain>(null, true, false, 0, -1, 1e21),
    fc.array(tie('any'), { maxLength: 4 }),
    fc
      .dictionary(fc.oneof(fc.constantFrom(...TRICKY), fc.string()), tie('any'), {
        maxKeys: 4,
        noNullPrototype: true,
      })
      .filter((object) => !Object.hasOwn(object, '__proto__')),
  ),
})).any;

test('any plain value comes back as it was, from YAML 1.2 and from its older reading', () => {
  fc.assert(
    fc.property(value, (plain) => {
      const text = toYaml(plain);
      expect(parse(text, { version: '1.2' })).toEqual(plain);
      expect(parse(text, { version: '1.1' })).toEqual(plain);
      expect(jsYaml.load(text)).toEqual(plain);
    }),
    { numRuns: 1_000 },
  );
});

test('each of the texts that look like something else comes back', () => {
  for (const text of TRICKY) {
    expect(parse(toYaml(text), { version: '1.1' })).toBe(text);
    expect(parse(toYaml([text, { a: text }]))).toEqual([text, { a: text }]);
  }
});

test('nothing in it is invisible or acts on a terminal', () => {
  const text = toYaml(Object.fromEntries(TRICKY.map((name) => [name, name])));
  expect(text).not.toMatch(/[\p{Cs}\u2028\u2029\ufeff]|(?!\n)\p{Cc}/u);
});

test('it is written as people write it', () => {
  expect(toYaml({ a: { b: ['x', { c: 1, d: [] }], e: {} }, f: "it's" })).toBe(
    `a:\n  b:\n  - x\n  - c: 1\n    d: []\n  e: {}\nf: 'it''s'\n`,
  );
});
