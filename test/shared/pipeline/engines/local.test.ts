/** What the local engine makes of a graph: order, attempts, outcomes, and what readers see. */
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import type { AttemptOutcome } from '../../../../shared/pipeline/attempt';
import {
  createFolder,
  createLab,
  DEAD,
  DELIVERED,
  type Lab,
  type LabOptions,
  never,
  now,
  pipelineOf,
  TRACEPARENT,
} from './lab';

const folder = createFolder();
const labs: Lab[] = [];
const lab = (options: Omit<LabOptions, 'path'>): Lab => {
  const made = createLab({ path: folder.file(), ...options });
  labs.push(made);
  return made;
};
afterEach(async () => {
  for (const { engine } of labs.splice(0)) await engine.close(now());
});
afterAll(() => folder.clean());

const START = '2026-01-01T00:00:00.000Z';
const at = (ms: number): string => new Date(Date.parse(START) + ms).toISOString();
const again = (ms: number): AttemptOutcome => ({
  verdict: 'again',
  error: { code: 'refused', status: 503 },
  at: Date.parse(START) + ms,
});
const HOLD = () => undefined;

describe('the order of steps', () => {
  const diamond = pipelineOf({
    first: {},
    left: { after: ['first'] },
    right: { after: ['first'] },
    last: { after: ['left', 'right'] },
  });

  test('follows `after`; what does not wait for each other runs side by side', async () => {
    const { start, find, labels, end, until, ended } = lab({ pipeline: diamond, script: HOLD });
    const run = await start();
    await until(() => labels().length === 1);
    expect(labels()).toEqual(['first 1']);
    end('first 1', DELIVERED);
    await until(() => labels().length === 3);
    expect(labels().slice(1).sort()).toEqual(['left 1', 'right 1']);
    end('right 1', DELIVERED);
    await until(async () => (await find(run)).steps.right?.state === 'succeeded');
    expect(labels()).toHaveLength(3);
    end('left 1', DELIVERED);
    await until(() => labels().length === 4);
    end('last 1', DELIVERED);
    expect((await ended(run)).state).toBe('succeeded');
  });

  test('gives each attempt the run, the step, its number and the time of the first', async () => {
    const { start, calls, ended, clock, until, find } = lab({
      pipeline: pipelineOf({ a: {} }),
      script: ({ attempt }) => (attempt === 1 ? again(500) : DELIVERED),
    });
    const run = await start({ username: 'ada' });
    await until(async () => (await find(run)).steps.a?.nextAttemptAt !== undefined);
    await clock.advance(500);
    await ended(run);
    for (const [index, call] of calls.entries())
      expect(call).toMatchObject({
        run: { id: run.id, input: { username: 'ada' }, traceparent: TRACEPARENT },
        step: { name: 'a' },
        attempt: index + 1,
        startedAt: Date.parse(START),
      });
    expect(calls).toHaveLength(2);
  });

  test('is kept over a thousand runs at once, each step of each exactly once', async () => {
    const { start, calls, ended } = lab({ pipeline: diamond });
    const runs = await Promise.all(Array.from({ length: 1000 }, () => start()));
    for (const run of runs) expect((await ended(run)).state).toBe('succeeded');
    expect(new Set(runs.map(({ id }) => id)).size).toBe(1000);
    expect(calls).toHaveLength(4000);
    const order = new Map<string, string[]>();
    for (const { run, label } of calls) order.set(run.id, [...(order.get(run.id) ?? []), label]);
    for (const labels of order.values()) {
      expect([labels[0], ...labels.slice(1, 3).sort(), labels[3]]).toEqual([
        'first 1',
        'left 1',
        'right 1',
        'last 1',
      ]);
    }
  });
});

describe('attempts', () => {
  test('go on until one succeeds; between them a reader sees how many, when the next, and why', async () => {
    const { start, find, clock, until, ended, labels, lines } = lab({
      pipeline: pipelineOf({ a: {} }),
      script: ({ attempt }) => [again(500), again(1_500), DELIVERED][attempt - 1],
    });
    const run = await start();
    const waiting = (attempts: number, next: number) => ({
      state: 'running',
      attempts,
      startedAt: START,
      error: { code: 'refused', status: 503 },
      nextAttemptAt: at(next),
    });
    await until(async () => (await find(run)).steps.a?.nextAttemptAt !== undefined);
    expect((await find(run)).steps.a).toEqual(waiting(1, 500));
    await clock.advance(499);
    expect(labels()).toEqual(['a 1']);
    await clock.advance(1);
    await until(async () => (await find(run)).steps.a?.nextAttemptAt === at(1_500));
    expect((await find(run)).steps.a).toEqual(waiting(2, 1_500));
    await clock.advance(1_000);
    expect((await ended(run)).steps.a).toEqual({
      state: 'succeeded',
      attempts: 3,
      startedAt: START,
      endedAt: at(1_500),
    });
    expect(labels()).toEqual(['a 1', 'a 2', 'a 3']);
    expect(lines.map(({ message, fields }) => [message, fields.attempt, fields.status])).toEqual([
      ['attempt_failed', 1, 503],
      ['attempt_failed', 2, 503],
    ]);
  });

  test('that break by a fault of ours fail the step, and the fault is in the log', async () => {
    const fault = new TypeError('a fault');
    const { start, ended, lines } = lab({
      pipeline: pipelineOf({ a: {} }),
      script: () => Promise.reject(fault),
    });
    const run = await ended(await start());
    expect(run.state).toBe('failed');
    expect(run.steps.a).toMatchObject({ state: 'failed', error: { code: 'internal' } });
    expect(lines).toContainEqual({
      severity: 'error',
      message: 'attempt_broken',
      fields: { run: run.id, step: 'a', error: fault },
    });
  });
});

describe('outcomes', () => {
  const pair = (required: boolean) =>
    pipelineOf({
      a: { required },
      b: { after: ['a'] },
      c: {},
      d: { after: ['c'] },
    });
  const failing = (name: string) => (call: { step: { name: string } }) =>
    call.step.name === name ? DEAD : DELIVERED;

  test('a required step that fails skips what has not begun and fails the run', async () => {
    const { start, ended, labels, end, until, find } = lab({
      pipeline: pair(true),
      script: ({ step }) => (step.name === 'a' ? DEAD : undefined),
    });
    const run = await start();
    await until(async () => (await find(run)).steps.a?.state === 'failed');
    // What is under way is let through.
    expect((await find(run)).state).toBe('running');
    end('c 1', DELIVERED);
    expect(await ended(run)).toEqual({
      id: run.id,
      pipeline: 'signup',
      graph: pair(true).hash,
      state: 'failed',
      createdAt: START,
      deadlineAt: at(86_400_000),
      endedAt: START,
      steps: {
        a: {
          state: 'failed',
          attempts: 1,
          startedAt: START,
          endedAt: START,
          error: { code: 'refused', status: 422 },
        },
        b: { state: 'skipped', reason: 'upstream', attempts: 0, endedAt: START },
        c: { state: 'succeeded', attempts: 1, startedAt: START, endedAt: START },
        d: { state: 'skipped', reason: 'upstream', attempts: 0, endedAt: START },
      },
    });
    expect(labels().sort()).toEqual(['a 1', 'c 1']);
  });

  test('an optional step that fails is done: what waits for it runs, and the run succeeds', async () => {
    const { start, ended, labels } = lab({ pipeline: pair(false), script: failing('a') });
    const run = await ended(await start());
    expect(run.state).toBe('succeeded');
    expect(run.steps.a?.state).toBe('failed');
    expect(labels().sort()).toEqual(['a 1', 'b 1', 'c 1', 'd 1']);
  });

  test('a skipped step says why and is done', async () => {
    const { start, ended, labels } = lab({
      pipeline: pipelineOf({
        phone: { when: '/phoneNumber' },
        crm: { target: { webhook: 'CRM_URL', secret: 'S' }, required: false },
        last: { after: ['phone', 'crm'] },
      }),
      isConfigured: (target) => 'function' in target,
    });
    const run = await ended(await start({ phoneNumber: '' }));
    expect(run.steps).toMatchObject({
      phone: { state: 'skipped', reason: 'condition', attempts: 0 },
      crm: { state: 'skipped', reason: 'not_configured', attempts: 0 },
      last: { state: 'succeeded' },
    });
    expect(labels()).toEqual(['last 1']);
  });

  test('a run of which every step is skipped has ended when it is accepted', async () => {
    const { start, find, engine } = lab({ pipeline: pipelineOf({ a: { when: '/a' } }) });
    const run = await start();
    expect(run).toMatchObject({ state: 'succeeded', endedAt: START });
    expect(await find(run)).toEqual(run);
    expect(await engine.settled('signup', run.id, never())).toEqual(run);
  });
});

describe('readers', () => {
  test('see the output that the attempt exposes, of the input nothing, while it runs and after', async () => {
    const { start, ended, find, until, end, labels } = lab({
      pipeline: pipelineOf({ a: {}, b: { after: ['a'] } }),
      script: HOLD,
    });
    const run = await start({ secret: 'of the input' });
    await until(() => labels().length === 1);
    end('a 1', { verdict: 'delivered', output: { challenge: 'c' } });
    await until(() => labels().length === 2);
    const running = await find(run);
    expect(running.steps.a?.output).toEqual({ challenge: 'c' });
    expect(running.steps.b).not.toHaveProperty('output');
    end('b 1', DELIVERED);
    for (const text of [run, running, await ended(run)].map((seen) => JSON.stringify(seen)))
      expect(text).not.toMatch(/of the input|traceparent|0af7651916cd/);
  });

  test('see the steps in the order of the file, while it runs and after', async () => {
    const pipeline = pipelineOf({ zeta: {}, alpha: { after: ['zeta'] }, midway: {} });
    const { start, ended } = lab({ pipeline });
    const run = await start();
    expect(Object.keys(run.steps)).toEqual(['zeta', 'alpha', 'midway']);
    expect(Object.keys((await ended(run)).steps)).toEqual(['zeta', 'alpha', 'midway']);
  });

  test('find a run under its own pipeline only, and nothing under what is no id', async () => {
    const { start, ended, engine } = lab({ pipeline: pipelineOf({ a: {} }), script: HOLD });
    const { id } = await start();
    expect(await engine.find('other', id)).toBeUndefined();
    expect(await engine.settled('other', id, never())).toBeUndefined();
    labs[0]?.end('a 1', DELIVERED);
    await ended({ id, pipeline: 'signup' } as never);
    expect(await engine.find('other', id)).toBeUndefined();
    for (const strange of ['', 'x', `${id}x`, `${id}\0`, '\ud800', "' OR 1=1 --", '*', '..'])
      expect(await engine.find('signup', strange)).toBeUndefined();
  });
});

describe('settled', () => {
  const open = { pipeline: pipelineOf({ a: {} }), script: HOLD };

  test('resolves as soon as the run has ended, for all who wait', async () => {
    const { start, engine, end, until, labels } = lab(open);
    const run = await start();
    const waiting = Array.from({ length: 20 }, () => engine.settled('signup', run.id, never()));
    await until(() => labels().length === 1);
    end('a 1', DELIVERED);
    for (const settled of await Promise.all(waiting))
      expect(settled).toMatchObject({ id: run.id, state: 'succeeded', endedAt: START });
    expect(await engine.settled('signup', run.id, never())).toMatchObject({ state: 'succeeded' });
  });

  test('resolves with the run as it is when the signal aborts, also one that had before', async () => {
    const { start, engine } = lab(open);
    const run = await start();
    const patience = new AbortController();
    const settled = engine.settled('signup', run.id, patience.signal);
    const impatient = await engine.settled('signup', run.id, now());
    expect(impatient).toMatchObject({ state: 'running' });
    patience.abort();
    expect(await settled).toMatchObject({ state: 'running', steps: { a: { state: 'running' } } });
  });

  test('resolves when the engine closes', async () => {
    const { start, engine } = lab(open);
    const run = await start();
    const settled = engine.settled('signup', run.id, never());
    await engine.close(now());
    expect(await settled).toMatchObject({ state: 'running' });
  });

  test('knows nothing of a run that there is not', async () => {
    expect(await lab(open).engine.settled('signup', 'x', never())).toBeUndefined();
  });
});

describe('an idempotency key', () => {
  const open = { pipeline: pipelineOf({ a: {} }), script: HOLD };
  const start = ({ engine }: Lab, input: unknown, idempotencyKey?: string) =>
    engine.start('signup', input, { idempotencyKey, traceparent: TRACEPARENT });

  test('with the same input gives the same run, while it runs, after, and whatever the order of members', async () => {
    const one = lab(open);
    const first = await one.start({ a: 1, b: [2] }, 'key');
    expect(await start(one, { b: [2], a: 1 }, 'key')).toEqual({ run: first, created: false });
    await one.until(() => one.calls.length === 1);
    one.end('a 1', DELIVERED);
    const run = await one.ended(first);
    expect(await start(one, { a: 1, b: [2] }, 'key')).toEqual({ run, created: false });
    expect(one.calls).toHaveLength(1);
  });

  test('with another input is a mismatch, and starts nothing', async () => {
    const one = lab(open);
    await one.start({ a: 1 }, 'key');
    for (const input of [{ a: 2 }, { a: '1' }, { a: 1, b: null }, {}])
      expect(await start(one, input, 'key')).toBe('mismatch');
    await one.until(() => one.calls.length === 1);
  });

  test('absent means a new run each time', async () => {
    const one = lab(open);
    expect((await one.start({ a: 1 })).id).not.toBe((await one.start({ a: 1 })).id);
  });

  test('of 100 starts at once begins one run, of which the step is called once', async () => {
    const one = lab(open);
    const all = await Promise.all(Array.from({ length: 100 }, () => start(one, { a: 1 }, 'key')));
    const started = all.flatMap((result) => (result === 'mismatch' ? [] : [result]));
    expect(started).toHaveLength(100);
    expect(new Set(started.map(({ run }) => run.id)).size).toBe(1);
    expect(started.filter(({ created }) => created)).toHaveLength(1);
    await one.until(() => one.calls.length > 0);
    one.end('a 1', DELIVERED);
    await one.ended(started[0]?.run as never);
    expect(one.calls).toHaveLength(1);
  });

  test('of 100 starts at once with two inputs belongs to the one that came first', async () => {
    const one = lab(open);
    const all = await Promise.all(
      Array.from({ length: 100 }, (_, index) => start(one, { a: index % 2 }, 'key')),
    );
    expect(all.filter((result) => result === 'mismatch')).toHaveLength(50);
  });
});

test('two pipelines of one name are refused, and a start of one that there is not', async () => {
  const { engine } = lab({ pipeline: pipelineOf({ a: {} }) });
  expect(() => engine.register(pipelineOf({ b: {} }))).toThrow(TypeError);
  await expect(engine.start('other', {}, { traceparent: TRACEPARENT })).rejects.toThrow(TypeError);
});
