/** Pipeline files that nobody has meant: mistakes with their places, never an error. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { catalogue } from '../../functions';
import { loadPipeline } from '../../shared/pipeline/load';
import { JSON_SNIPPETS, mutated } from './mutated';
import { leakIn } from './properties';
import { announceSeed, PATIENCE, parameters, TIMEOUT } from './settings';

const FOLDER = path.resolve(__dirname, '../../pipelines');
const read = (name: string): string => readFileSync(path.join(FOLDER, name), 'utf8');
const SIGNUP = read('signup.yaml');
const SCHEMA = read('signup.schema.json');

const ENVIRONMENT = {
  CRM_WEBHOOK_URL: 'https://crm.example.com',
  WEBHOOK_SECRET: `whsec_${'A'.repeat(32)}`,
};

const SNIPPETS = [
  '\n',
  '\n  ',
  '  ',
  '\t',
  ':',
  ': ',
  '- ',
  '? ',
  '&a ',
  '*a',
  '<<: ',
  '!!',
  '!!js/function ',
  '!tag ',
  '|',
  '>',
  '|-\n',
  "'",
  '"',
  '#',
  '%YAML 1.1\n---\n',
  '---\n',
  '...\n',
  '{',
  '}',
  '[',
  ']',
  ',',
  '~',
  'null',
  'true',
  'yes',
  '0x10',
  '.nan',
  '1e999',
  '__proto__',
  'constructor',
  'name: x\n',
  'after: [welcome]',
  'when: /',
  'when: a',
  'timeout: 10',
  'timeout: 99999d',
  'retry: {}',
  'input: ../secret.json',
  'webhook: A',
  'function: signup',
  'function: []',
  'steps:\n',
  '[&x [*x]]',
  '\u0000',
  '\u2028',
  '\ufeff',
  'é',
  '\ud83d\ude00',
  '{a: '.repeat(60),
  'x'.repeat(300_000),
];

/** Lines of what YAML is made of, at random depth. */
const yamlish = fc
  .array(
    fc.tuple(
      fc.nat({ max: 6 }),
      fc.array(fc.oneof(fc.constantFrom(...SNIPPETS), fc.string({ maxLength: 8 })), {
        maxLength: 5,
      }),
    ),
    { maxLength: 12 },
  )
  .map((lines) => lines.map(([depth, parts]) => ' '.repeat(depth) + parts.join('')).join('\n'));

/** The lines of the real file, some away, some twice, in another order. */
const shuffled = fc
  .array(fc.constantFrom(...SIGNUP.split('\n')), { maxLength: 20 })
  .map((lines) => lines.join('\n'));

const texts = fc.oneof(
  { weight: 5, arbitrary: mutated([SIGNUP], SNIPPETS, 5).map((bytes) => bytes.toString()) },
  { weight: 2, arbitrary: shuffled },
  {
    weight: 2,
    arbitrary: yamlish.map((text) => `${SIGNUP.slice(0, SIGNUP.indexOf('steps:'))}steps:\n${text}`),
  },
  { weight: 2, arbitrary: yamlish },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
);

const schemas = fc.oneof(
  { weight: 6, arbitrary: fc.constant(SCHEMA) },
  { weight: 3, arbitrary: mutated([SCHEMA], JSON_SNIPPETS, 3).map((bytes) => bytes.toString()) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.constantFrom(undefined, '', '{"$ref":"#"}', '{"pattern":"(a+)+$"}') },
);

beforeAll(announceSeed);

test(
  'a file is a pipeline or has mistakes, each with its place, and never takes long',
  () => {
    let [good, bad] = [0, 0];
    fc.assert(
      fc.property(texts, schemas, (text, schema) => {
        const began = performance.now();
        const { pipeline, mistakes } = loadPipeline({
          file: 'pipelines/signup.yaml',
          text,
          resolve: () => schema,
          functions: Object.keys(catalogue),
          environment: ENVIRONMENT,
        });
        expect(performance.now() - began).toBeLessThan(PATIENCE);
        const errors = mistakes.filter(({ severity }) => severity === 'error');
        expect(pipeline === undefined).toBe(errors.length > 0);
        const last = Math.max(text.split(/\r\n?|\n/).length, schema?.split('\n').length ?? 0);
        for (const { file, line, column, code, message } of mistakes) {
          expect(file).toMatch(/^pipelines\/[\w./-]+$/);
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(last);
          expect(column).toBeGreaterThanOrEqual(1);
          expect(code).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
          // One line, and nothing that a terminal or an editor would act on.
          expect(message).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+$/u);
          expect(leakIn(message)).toBeUndefined();
        }
        if (pipeline) good++;
        else bad++;
      }),
      parameters(3),
    );
    expect(good).toBeGreaterThan(0);
    expect(bad).toBeGreaterThan(0);
  },
  TIMEOUT,
);
