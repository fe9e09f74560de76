/** Pipelines by hand and at random, inputs that their pointers find something in, and what receivers do. */

import path from 'node:path';
import fc from 'fast-check';
import { keepOf } from '../../../../shared/pipeline/keep';
import { loadFiles } from '../../../../shared/pipeline/load-directory';
import type { Pipeline, Step } from '../../../../shared/pipeline/pipeline';

export const RETRY = { attempts: 5, backoff: 500, maxBackoff: 30_000, jitter: 0.5 };

/** A call of the function of its own name, after nothing. */
export const step = (name: string, fields: Partial<Step> = {}): Step => ({
  name,
  target: { function: name },
  after: [],
  required: true,
  expose: [],
  keep: [],
  timeout: 10_000,
  retry: RETRY,
  ...fields,
});

export const pipeline = (steps: readonly Step[], fields: Partial<Pipeline> = {}): Pipeline => {
  const keep = keepOf(steps);
  return {
    name: 'order',
    summary: 'What happens when someone orders.',
    callers: 'backend',
    input: { type: 'object' },
    deadline: 86_400_000,
    retention: 2_592_000_000,
    steps: steps.map((one) => ({ ...one, keep: keep(one.name) })),
    hash: '0123456789abcdef'.repeat(4),
    ...fields,
  };
};

/** That of pipelines/signup.yaml. */
export const signup = (): Pipeline => {
  const file = path.resolve(__dirname, '../../../../pipelines/signup.yaml');
  const { pipelines, mistakes } = loadFiles([file]);
  if (!pipelines[0]) throw new Error(JSON.stringify(mistakes));
  return pipelines[0];
};

/** Pointers that find much, little and nothing in the inputs below, and tokens that a language could trip over. */
export const POINTERS = [
  '/a',
  '/b',
  '/list',
  '/list/0',
  '/list/01',
  '/list/1/a',
  '/list/length',
  '/0',
  '/a/b',
  '/constructor',
  '/a~1b',
  '/m~0n',
  '/"quoted" \\(name)',
  `/\${name}`,
  '/',
  '/b/0/0',
];

export const VALUES: readonly unknown[] = [
  null,
  false,
  true,
  0,
  1,
  -1.5,
  '',
  'pro',
  '0',
  '{%x%}',
  `\${x}`,
  [],
  {},
  [[]],
  [0],
  [[1], 2],
  { '0': 'nought' },
  { b: null },
  { b: [] },
  [{ a: 1 }, { a: 2 }],
  { a: { b: 'deep' } },
];

const leaf = fc.constantFrom(...VALUES);

/** Members that the pointers above name. */
export const NAMES = [
  'a',
  'b',
  'list',
  '0',
  'constructor',
  'a/b',
  'm~n',
  '"quoted" \\(name)',
  `\${name}`,
  '',
];

export const input: fc.Arbitrary<Record<string, unknown>> = fc.dictionary(
  fc.constantFrom(...NAMES),
  leaf,
  { noNullPrototype: true },
);

/** What a step answers: never asked for anything that it does not have a place for. */
export const ANSWER = { id: 7, none: null, list: ['x', ['y']], a: { '0': true }, empty: '' };
const ANSWER_POINTERS = [
  '/id',
  '/none',
  '/list',
  '/list/1/0',
  '/a/0',
  '/empty',
  '/nothing',
  '/list/x',
];

export const SCALARS = ['pro', '', '0', 0, 1, -1.5, true, false, null, `\${x}`, '{%x%}'];

const when: fc.Arbitrary<Step['when']> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  fc.constantFrom(...POINTERS),
  fc.record({
    pointer: fc.constantFrom(...POINTERS),
    equals: fc.constantFrom(...SCALARS),
  }),
);

export interface Kinds {
  readonly targets: readonly ('function' | 'webhook' | 'event')[];
}

export const anyPipeline = ({ targets }: Kinds, maxSteps = 6): fc.Arbitrary<Pipeline> =>
  fc
    .array(
      fc.record({
        kind: fc.constantFrom(...targets),
        after: fc.array(fc.nat(20), { maxLength: 3 }),
        when,
        required: fc.boolean(),
        delay: fc.constantFrom(undefined, undefined, 1, 1500, 60_000),
        timeout: fc.constantFrom(1_000, 10_000, 60_000),
        retry: fc.record({
          attempts: fc.integer({ min: 1, max: 4 }),
          backoff: fc.constantFrom(1, 500, 1_000),
          maxBackoff: fc.constantFrom(1_000, 1_500, 30_000),
          jitter: fc.constantFrom(0, 0.5),
        }),
        map: fc.option(
          fc.dictionary(
            fc.constantFrom('to', 'a b', '"', `\${y}`),
            fc.tuple(fc.nat(20), fc.nat(20)),
            { minKeys: 1, maxKeys: 3, noNullPrototype: true },
          ),
          { nil: undefined },
        ),
      }),
      { minLength: 1, maxLength: maxSteps },
    )
    .map((drafts) => {
      const name = (index: number) => `step-${index}`;
      const steps = drafts.map(({ kind, after, when, delay, map, ...rest }, index): Step => {
        const earlier = index === 0 ? [] : [...new Set(after.map((n) => name(n % index)))];
        const sources = [
          ...POINTERS,
          ...earlier.flatMap((of) => ANSWER_POINTERS.map((p) => `${of}#${p}`)),
        ];
        return step(name(index), {
          ...rest,
          target:
            kind === 'function'
              ? { function: `f-${index}` }
              : kind === 'webhook'
                ? { webhook: `URL_${index}`, secret: 'WEBHOOK_SECRET' }
                : { event: `order.done-${index}` },
          after: earlier,
          ...(when !== undefined && { when }),
          ...(delay !== undefined && { delay }),
          ...(map !== undefined && {
            input: Object.fromEntries(
              Object.entries(map).map(([member, [a, b]]) => [
                member,
                sources[(a * 21 + b) % sources.length] as string,
              ]),
            ),
          }),
        });
      });
      return pipeline(steps);
    });

/** What the receiver of one attempt does: a status, or none; and after how many ms. */
export interface Reaction {
  readonly status: number | 'none';
  readonly ms: number;
}

const reaction = fc.record({
  status: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom<number | 'none'>(200, 204) },
    {
      weight: 3,
      arbitrary: fc.constantFrom<number | 'none'>(408, 409, 425, 429, 500, 503, 599, 'none'),
    },
    { weight: 1, arbitrary: fc.constantFrom<number | 'none'>(301, 400, 404, 410, 422) },
  ),
  ms: fc.constantFrom(1, 5, 900, 70_000),
});

/** By step and attempt; the last one stays. */
export const script = fc.array(fc.array(reaction, { minLength: 1, maxLength: 4 }), {
  minLength: 8,
  maxLength: 8,
});
