/** From a file to a pipeline: what is filled in, and that nothing is left to fill in after that. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseDuration } from '../../../shared/duration';
import { BOUNDS } from '../../../shared/pipeline/bounds';
import { loadPipeline } from '../../../shared/pipeline/load';
import {
  type Call,
  EMITS,
  PIPELINE_DEFAULTS,
  type Pipeline,
  STEP_DEFAULTS,
  type Step,
} from '../../../shared/pipeline/pipeline';

const SCHEMA = { type: 'object' };

const load = (text: string) =>
  loadPipeline({ file: 'demo.yaml', text, resolve: () => JSON.stringify(SCHEMA) });

const HEAD = 'name: demo\nsummary: A demo.\ninput: demo.schema.json\n';

const stepsOf = (text: string) => {
  const { pipeline, mistakes } = load(HEAD + text);
  expect(mistakes).toEqual([]);
  return Object.fromEntries((pipeline as Pipeline).steps.map((step) => [step.name, step]));
};

describe('a file that says everything', () => {
  const { pipeline, mistakes } = load(`name: demo
summary: A demo.
callers: admin
input: demo.schema.json
on: { type: user.signed-up }
emits: { type: order.placed, input: { id: create#/id, email: /email }, timeout: 3s, retry: { attempts: 9 } }
deadline: 3d
retention: 7d
steps:
  create: { function: create-user, retry: { attempts: 5, backoff: 500ms, maxBackoff: 30s, jitter: 0.25 }, undo: { function: delete-user, input: { id: create#/id, at: create#/at } } }
  approve: { wait: { for: order.approved, timeout: 2d }, after: [create], expose: [/by] }
  remind: { webhook: REMIND_URL, after: [create], delay: 10m, rate: 5, when: { pointer: /plan, equals: pro }, required: false }
  bill: { webhook: BILL_URL, secret: BILL_SECRET, after: [approve], input: { user: create#/id, by: approve#/by, email: /email }, timeout: 2s, undo: { webhook: BILL_BACK_URL, timeout: 4s, retry: { jitter: 0 } } }
`);

  test('becomes a pipeline that says the same', () => {
    expect(mistakes).toEqual([]);
    const input = { user: 'create#/id', by: 'approve#/by', email: '/email' };
    const { retry } = STEP_DEFAULTS;
    expect(pipeline).toStrictEqual({
      name: 'demo',
      summary: 'A demo.',
      callers: 'admin',
      input: SCHEMA,
      on: 'user.signed-up',
      deadline: 259_200_000,
      retention: 604_800_000,
      steps: [
        {
          name: 'create',
          target: { function: 'create-user' },
          after: [],
          required: true,
          expose: [],
          keep: ['/at', '/id'],
          timeout: 10_000,
          retry: { attempts: 5, backoff: 500, maxBackoff: 30_000, jitter: 0.25 },
          undo: {
            target: { function: 'delete-user' },
            input: { id: 'create#/id', at: 'create#/at' },
            timeout: 10_000,
            retry,
          },
        },
        {
          name: 'approve',
          target: { wait: 'order.approved' },
          after: ['create'],
          required: true,
          expose: ['/by'],
          keep: ['/by'],
          timeout: 172_800_000,
          retry: { ...retry, attempts: 1 },
        },
        {
          name: 'remind',
          target: { webhook: 'REMIND_URL', secret: 'WEBHOOK_SECRET' },
          after: ['create'],
          when: { pointer: '/plan', equals: 'pro' },
          required: false,
          expose: [],
          keep: [],
          delay: 600_000,
          rate: 5,
          ...STEP_DEFAULTS,
        },
        {
          name: 'bill',
          target: { webhook: 'BILL_URL', secret: 'BILL_SECRET' },
          after: ['approve'],
          required: true,
          input,
          expose: [],
          keep: [],
          timeout: 2_000,
          retry,
          undo: {
            target: { webhook: 'BILL_BACK_URL', secret: 'WEBHOOK_SECRET' },
            input,
            timeout: 4_000,
            retry: { ...retry, jitter: 0 },
          },
        },
        {
          name: 'emits',
          target: { event: 'order.placed' },
          after: ['remind', 'bill'],
          required: true,
          input: { id: 'create#/id', email: '/email' },
          expose: [],
          keep: [],
          timeout: 3_000,
          retry: { ...retry, attempts: 9 },
        },
      ],
      hash: expect.stringMatching(/^[\da-f]{64}$/),
    });
  });

  test('has another hash for each part of it', () => {
    const hash = (text: string) => load(HEAD + text).pipeline?.hash;
    const steps = 'steps:\n  a: { function: x }\n  b: { wait: { for: y }, after: [a] }\n';
    const hashes = [
      steps,
      `on: { type: a }\n${steps}`,
      `emits: { type: a }\n${steps}`,
      `deadline: 1d\nretention: 7d\n${steps}`,
      `deadline: 2d\n${steps}`,
      steps.replace('x }', 'x, delay: 1s }'),
      steps.replace('x }', 'x, rate: 1 }'),
      steps.replace('x }', 'x, undo: { function: z } }'),
      steps.replace('x }', 'x, when: { pointer: /a, equals: 1 } }'),
      steps.replace('x }', 'x, when: { pointer: /a, equals: "1" } }'),
      steps.replace('for: y', 'for: z'),
      steps.replace('for: y', 'for: y, timeout: 1h'),
    ].map(hash);
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(hashes).not.toContain(undefined);
    expect(hash(`deadline: 24h\nretention: 30d\n${steps}`)).toBe(hashes[0]);
  });
});

describe('what a file leaves out', () => {
  test('is filled in: a wait lasts until the deadline', () => {
    expect(stepsOf('steps:\n  a: { wait: { for: y } }\n').a?.timeout).toBe(
      PIPELINE_DEFAULTS.deadline,
    );
    expect(stepsOf('deadline: 2h\nsteps:\n  a: { wait: { for: y } }\n').a?.timeout).toBe(7_200_000);
  });

  test('is filled in: an undo is sent what its step was sent', () => {
    const undo = (fields: string) =>
      stepsOf(`steps:\n  a: { function: x${fields}, undo: { function: y } }\n`).a?.undo;
    expect(undo(', input: { id: /id }')?.input).toEqual({ id: '/id' });
    expect(undo('')).toStrictEqual({ target: { function: 'y' }, ...STEP_DEFAULTS });
  });

  test('is filled in: a rate belongs to the target, whoever names it', () => {
    const steps = stepsOf(
      'steps:\n  a: { function: x }\n  b: { function: x, rate: 3 }\n  c: { function: y }\n  d: { webhook: Y, secret: S }\n  e: { webhook: X, rate: 2 }\n  f: { webhook: X, secret: S }\n',
    );
    expect(Object.values(steps).map(({ rate }) => rate)).toEqual([
      3,
      3,
      undefined,
      undefined,
      2,
      2,
    ]);
    expect(steps.c).not.toHaveProperty('rate');
  });

  test('is left out: the event at the end comes after all that nothing else waits for', () => {
    const emits = (steps: string) => stepsOf(`emits: { type: done }\nsteps:\n${steps}`).emits;
    const last = emits(
      '  a: { function: x }\n  b: { function: x, after: [a] }\n  c: { function: x }\n',
    );
    expect(last).toStrictEqual({
      name: 'emits',
      target: { event: 'done' },
      after: ['b', 'c'],
      required: true,
      expose: [],
      keep: [],
      ...STEP_DEFAULTS,
    });
    expect(emits('  a: { function: x, required: false }\n')?.after).toEqual(['a']);
    expect(stepsOf('steps:\n  a: { function: x }\n')).not.toHaveProperty('emits');
  });

  test('is not kept of an answer: only what others read, once, sorted', () => {
    const { a, b } = stepsOf(
      'emits: { type: done, input: { z: a#/z } }\nsteps:\n  a: { function: x }\n  b: { function: x, after: [a], input: { x: a#/x, y: a#/x, w: /w, v: a# } }\n  c: { function: x, after: [b], input: { x: a#/x }, undo: { function: y, input: { u: b#/u, c: c#/c } } }\n',
    );
    expect(a?.keep).toEqual(['', '/x', '/z']);
    expect(b?.keep).toEqual(['/u']);
  });
});

/** Documents with every field, left out at random; most are without mistakes. */
const documents = fc.integer({ min: 1, max: 6 }).chain((count) => {
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const duration = fc.constantFrom('1500ms', '2s', '1m', '0.5h');
  const retry = fc.record(
    {
      attempts: fc.integer({ min: 1, max: 20 }),
      backoff: fc.constantFrom('1ms', '2s'),
      maxBackoff: fc.constantFrom('1m', '1h'),
      jitter: fc.constantFrom(0, 0.1, 1),
    },
    { requiredKeys: [] },
  );
  const map = (readable: readonly string[]) =>
    fc.dictionary(
      fc.constantFrom('a', 'b', 'c'),
      fc.constantFrom('/email', '', ...readable.flatMap((name) => [`${name}#/id`, `${name}#`])),
      { minKeys: 1 },
    );
  const target = fc.oneof(
    fc.record({ function: fc.constantFrom('x', 'y') }),
    fc.record(
      { webhook: fc.constantFrom('A_URL', 'B_URL'), secret: fc.constant('A_SECRET') },
      { requiredKeys: ['webhook'] },
    ),
  );
  const call = (readable: readonly string[]) =>
    fc.record({
      timeout: maybe(fc.constantFrom('1ms', '9m')),
      retry: maybe(retry),
      input: maybe(map(readable)),
    });
  const step = (index: number) => {
    const earlier = Array.from({ length: index }, (_, i) => `s${i}`);
    const common = fc.record({
      after: maybe(fc.subarray(earlier)),
      when: maybe(
        fc.oneof(
          fc.constant('/plan'),
          fc.record({
            pointer: fc.constant('/plan'),
            equals: fc.constantFrom('pro', 7, null, false),
          }),
        ),
      ),
      required: maybe(fc.boolean()),
      expose: maybe(fc.constant(['/by'])),
      delay: maybe(duration),
    });
    const sent = fc.record({
      rate: maybe(fc.constant(4)),
      undo: maybe(
        fc
          .tuple(target, call([...earlier, `s${index}`]))
          .map(([to, with_]) => ({ ...to, ...with_ })),
      ),
    });
    return fc
      .oneof(
        { weight: 4, arbitrary: fc.tuple(common, target, call(earlier), sent) },
        {
          weight: 1,
          arbitrary: fc.tuple(
            common,
            fc.record({ wait: fc.record({ for: fc.constant('y'), timeout: maybe(duration) }) }),
          ),
        },
      )
      .map((parts) => [`s${index}`, Object.assign({}, ...parts)] as const);
  };
  const steps = Array.from({ length: count }, (_, index) => index);
  return fc
    .record({
      callers: maybe(fc.constantFrom('public', 'admin')),
      on: maybe(fc.constant({ type: 'started' })),
      emits: maybe(
        call(steps.map((index) => `s${index}`)).map((fields) => ({ type: 'done', ...fields })),
      ),
      deadline: maybe(fc.constantFrom('1h', '3d')),
      retention: maybe(fc.constantFrom('1m', '365d')),
      steps: fc.tuple(...steps.map(step)).map((entries) => Object.fromEntries(entries)),
    })
    .map((fields) => ({ name: 'demo', summary: 'A demo.', input: 'demo.schema.json', ...fields }));
});

/** A pipeline as a file that leaves nothing out. */
const written = ({ hash: _, steps, input: __, on, deadline, retention, ...rest }: Pipeline) => {
  const ms = (value: number) => `${value}ms`;
  const call = ({ target, timeout, retry, input }: Call) => ({
    ...('event' in target ? { type: target.event } : 'wait' in target ? {} : target),
    input,
    timeout: ms(timeout),
    retry: { ...retry, backoff: ms(retry.backoff), maxBackoff: ms(retry.maxBackoff) },
  });
  const step = ({ name: _, keep: __, target, timeout, delay, undo, ...fields }: Step) => {
    const { retry, input, ...common } = fields;
    return {
      ...common,
      ...('wait' in target
        ? { wait: { for: target.wait, timeout: ms(timeout) } }
        : call({ target, timeout, retry, ...(input && { input }) })),
      delay: delay === undefined ? undefined : ms(delay),
      undo: undo && call(undo),
    };
  };
  const last = steps.find(({ name }) => name === EMITS);
  return {
    ...rest,
    input: 'demo.schema.json',
    on: on === undefined ? undefined : { type: on },
    emits: last && call(last),
    deadline: ms(deadline),
    retention: ms(retention),
    steps: Object.fromEntries(
      steps.filter(({ name }) => name !== EMITS).map((fields) => [fields.name, step(fields)]),
    ),
  };
};

test('a pipeline that is written down again with all that was filled in is the same, to its hash', () => {
  let usable = 0;
  fc.assert(
    fc.property(documents, (document) => {
      const { pipeline, mistakes } = load(JSON.stringify(document));
      const errors = mistakes.filter(({ severity }) => severity === 'error');
      expect(pipeline === undefined).toBe(errors.length > 0);
      if (!pipeline) return;
      usable += 1;
      expect(JSON.parse(JSON.stringify(pipeline))).toStrictEqual(pipeline);
      const again = load(JSON.stringify(written(pipeline)));
      expect(again.pipeline).toStrictEqual(pipeline);
      expect(load(JSON.stringify(document)).pipeline).toStrictEqual(pipeline);
      const seen = new Set<string>();
      for (const { name, after } of pipeline.steps) {
        for (const other of after) expect(seen).toContain(other);
        seen.add(name);
      }
    }),
    { numRuns: 400 },
  );
  expect(usable).toBeGreaterThan(40);
});

test('the bounds hold their own defaults', () => {
  const given = { ...STEP_DEFAULTS.retry, ...STEP_DEFAULTS, ...PIPELINE_DEFAULTS };
  for (const field of ['timeout', 'backoff', 'maxBackoff', 'deadline', 'retention'] as const) {
    expect(given[field]).toBeGreaterThanOrEqual(BOUNDS[field].least);
    expect(given[field]).toBeLessThanOrEqual(BOUNDS[field].most);
  }
  expect(parseDuration('3650d')).toBe(BOUNDS.retention.most);
});
