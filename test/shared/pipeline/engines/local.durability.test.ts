/** The local engine under crashes, stops and a journal that cannot be written: nothing accepted is lost. */
import { getEventListeners } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { Failure } from '../../../../shared/failure';
import type { Journal } from '../../../../shared/pipeline/engines/journal';
import { JOURNAL_PAUSE } from '../../../../shared/pipeline/engines/recorder';
import { toRun } from '../../../../shared/pipeline/progress';
import type { Run } from '../../../../shared/pipeline/run';
import { createTargets } from '../../../../shared/webhook/targets';
import { type Child, type ChildOptions, startChild } from '../../../support/child';
import { manualClock } from '../../../support/manual-clock';
import {
  createFolder,
  createLab,
  DELIVERED,
  interrupted,
  type Lab,
  type LabOptions,
  never,
  now,
  pipelineOf,
  TRACEPARENT,
} from './lab';

const folder = createFolder();
const { afterCrash } = folder;
const labs: Lab[] = [];
const children: Child[] = [];
const lab = (options: Partial<LabOptions> = {}): Lab => {
  const made = createLab({
    path: folder.file(),
    pipeline: pipelineOf({ a: {}, b: { after: ['a'] } }),
    script: HOLD,
    ...options,
  });
  labs.push(made);
  return made;
};
const start = async (mode: string, path: string, options?: ChildOptions): Promise<Child> => {
  const child = await startChild(
    'test/shared/pipeline/engines/engine-child.ts',
    [mode, path],
    options,
  );
  children.push(child);
  return child;
};
const killed = async (child: Child): Promise<void> => {
  child.kill('SIGKILL');
  expect((await child.ended).signal).toBe('SIGKILL');
};

afterEach(async () => {
  for (const { engine } of labs.splice(0)) await engine.close(now());
  for (const child of children.splice(0)) {
    child.kill();
    await child.ended;
  }
});
afterAll(() => folder.clean());

const HOLD = () => undefined;
const START = Date.UTC(2026, 0, 1);
const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe('before each attempt', () => {
  test('the disk has the run, the attempt as begun, and all that led to it', async () => {
    const path = folder.file();
    const found: unknown[] = [];
    const one = lab({
      path,
      pipeline: pipelineOf({ a: {}, b: { after: ['a'] }, c: { after: ['a'] } }),
      script: async ({ run, step, attempt }) => {
        const { steps } = (await afterCrash(path, {
          id: run.id,
          pipeline: 'signup',
        } as Run)) as Run;
        found.push([step.name, attempt, steps[step.name], step.name === 'a' || steps.a?.state]);
        return attempt === 1 && step.name === 'b'
          ? { verdict: 'again', error: { code: 'refused', status: 500 }, at: START + 1_000 }
          : DELIVERED;
      },
    });
    const run = await one.start();
    await one.until(async () => (await one.find(run)).steps.b?.nextAttemptAt !== undefined);
    await one.clock.advance(1_000);
    await one.ended(run);
    const begun = (attempts: number) => ({
      state: 'running',
      attempts,
      startedAt: '2026-01-01T00:00:00.000Z',
    });
    expect(found).toHaveLength(4);
    expect(found).toContainEqual(['a', 1, begun(1), true]);
    expect(found).toContainEqual(['b', 1, begun(1), 'succeeded']);
    expect(found).toContainEqual(['b', 2, begun(2), 'succeeded']);
    expect(found).toContainEqual(['c', 1, begun(1), 'succeeded']);
  });

  test('an accepted run is on the disk, and what a reader sees is too', async () => {
    const path = folder.file();
    const one = lab({ path });
    const run = await one.start();
    expect(await afterCrash(path, run)).toEqual(run);
    await one.until(() => one.calls.length === 1);
    one.end('a 1', DELIVERED);
    await one.until(async () => (await one.find(run)).steps.a?.state === 'succeeded');
    expect(await afterCrash(path, run)).toEqual(await one.find(run));
  });
});

describe('after kill -9', () => {
  const interrupt = async (): Promise<{ path: string; run: Run }> => {
    const path = folder.file();
    const child = await start('interrupted', path);
    const run = { id: JSON.parse(await child.line()), pipeline: 'signup' } as Run;
    await killed(child);
    return { path, run };
  };
  const resumed = (options: Partial<LabOptions>) =>
    lab({ ...interrupted, clock: manualClock(START + 500), ...options });

  test('what was under way is called again, with the same number, key and time; the rest is not', async () => {
    const { path, run } = await interrupt();
    const one = resumed({ path });
    await one.engine.open();
    expect(one.calls).toEqual([]);
    await one.engine.resume();
    await one.until(() => one.calls.length === 2);
    await settle();
    expect(one.labels().sort()).toEqual(['held 1', 'twice 2']);
    for (const call of one.calls)
      expect(call).toMatchObject({
        run: { id: run.id, input: { username: 'ada' }, traceparent: TRACEPARENT },
        startedAt: START,
      });
    expect((await one.find(run)).steps).toMatchObject({
      done: { state: 'succeeded', output: { challenge: 'c' } },
      later: { state: 'running', attempts: 1, nextAttemptAt: '2026-01-01T00:01:00.000Z' },
      last: { state: 'pending', attempts: 0 },
    });
    expect(one.lines).toContainEqual({
      severity: 'info',
      message: 'runs_resumed',
      fields: { count: 1 },
    });
  });

  test('what waits for its next attempt waits on, then all goes to its end', async () => {
    const { path, run } = await interrupt();
    const one = resumed({ path });
    await one.engine.resume();
    await one.until(() => one.calls.length === 2);
    await one.clock.advance(59_499);
    await settle();
    expect(one.labels()).not.toContain('later 2');
    await one.clock.advance(1);
    await one.until(() => one.labels().includes('later 2'));
    for (const label of ['held 1', 'twice 2', 'later 2']) one.end(label, DELIVERED);
    await one.until(() => one.labels().includes('last 1'));
    const settled = one.engine.settled('signup', run.id, never());
    one.end('last 1', DELIVERED);
    const { state, steps } = (await settled) as Run;
    expect(state).toBe('succeeded');
    expect(await one.find(run)).toEqual(await settled);
    expect(Object.entries(steps).map(([name, { attempts }]) => [name, attempts])).toEqual([
      ['done', 1],
      ['held', 1],
      ['twice', 2],
      ['later', 2],
      ['last', 1],
    ]);
  });

  test('a run keeps the graph it was started with, whatever the file says by now', async () => {
    const { path, run } = await interrupt();
    const changed = pipelineOf({ another: {}, last: {} });
    const one = resumed({ path, pipeline: changed, script: () => DELIVERED });
    await one.engine.resume();
    await one.until(() => one.calls.length === 2);
    await one.clock.advance(60_000);
    const before = await one.ended(run);
    const names = ['done', 'held', 'twice', 'later', 'last'];
    expect(before.state).toBe('succeeded');
    expect(Object.keys(before.steps)).toEqual(names);
    expect(one.labels().sort()).toEqual(['held 1', 'last 1', 'later 2', 'twice 2']);
    const after = await one.ended(await one.start({ username: 'ada' }));
    expect(Object.keys(after.steps)).toEqual(['another', 'last']);
  });

  test('the key still gives the same run, before it is resumed and after, and it is not called twice', async () => {
    const { path, run } = await interrupt();
    const one = resumed({ path });
    expect((await one.start({ username: 'ada' }, 'key')).id).toBe(run.id);
    await settle();
    expect(one.calls).toEqual([]);
    const settled = one.engine.settled('signup', run.id, never());
    await one.engine.resume();
    await one.engine.resume();
    expect((await one.start({ username: 'ada' }, 'key')).id).toBe(run.id);
    await one.until(() => one.calls.length === 2);
    await settle();
    expect(one.labels().sort()).toEqual(['held 1', 'twice 2']);
    await one.engine.close(now());
    expect(await settled).toMatchObject({ state: 'running' });
  });
});

describe('to resume', () => {
  test('takes up what was there before, never what is being started, at whatever moment', async () => {
    for (let delay = 0; delay < 12; delay += 1) {
      const path = folder.file();
      const before = lab({ path });
      const left = await before.start();
      await before.engine.close(now());
      const one = lab({ path });
      await one.engine.open();
      const starting = one.start();
      for (let turn = 0; turn < delay; turn += 1) await (turn % 3 ? null : turnOfTheLoop());
      await one.engine.resume();
      const fresh = await starting;
      await one.until(() => one.calls.length === 2);
      await settle();
      expect(one.calls.map(({ run }) => run.id).sort()).toEqual([left.id, fresh.id].sort());
    }
  });
});

describe('a journal that cannot be written', () => {
  /** A real journal that can be made to refuse; keeps what it holds after each commit. */
  const brittle = () => {
    const state = { refuses: false, history: [] as Run[] };
    const guard = <T>(work: () => Promise<T>): Promise<T> =>
      state.refuses ? Promise.reject(new Failure('engine_unavailable')) : work();
    const wrap = (journal: Journal): Journal => ({
      ...journal,
      accept: (run) => guard(() => journal.accept(run)),
      record: (compose, options) =>
        guard(async () => {
          const recorded = await journal.record(compose, options);
          const stored = await journal.find('signup', recorded.record.id);
          if (stored) state.history.push(toRun(stored.record, stored.progress));
          return recorded;
        }),
    });
    return { state, wrap };
  };

  test('accepts nothing: the start rejects, no step is called, and the key is still free', async () => {
    const { state, wrap } = brittle();
    const one = lab({ wrap });
    state.refuses = true;
    await expect(one.start({}, 'key')).rejects.toMatchObject({ code: 'engine_unavailable' });
    state.refuses = false;
    const started = await one.engine.start(
      'signup',
      { other: 'input' },
      { idempotencyKey: 'key', traceparent: TRACEPARENT },
    );
    expect(started).toMatchObject({ created: true });
    await one.until(() => one.calls.length > 0);
    await settle();
    expect(one.calls).toHaveLength(1);
  });

  test('a result is kept until it can be recorded; until then nothing shows it and nothing follows from it', async () => {
    const { state, wrap } = brittle();
    const one = lab({ wrap });
    const run = await one.start();
    await one.until(() => one.calls.length === 1);
    state.refuses = true;
    one.end('a 1', DELIVERED);
    await one.until(() => one.lines.length === 1);
    await one.clock.advance(JOURNAL_PAUSE);
    await one.until(() => one.lines.length === 2);
    expect((await one.find(run)).steps.a?.state).toBe('running');
    expect(one.labels()).toEqual(['a 1']);
    state.refuses = false;
    await one.clock.advance(JOURNAL_PAUSE);
    await one.until(() => one.calls.length === 2);
    expect((await one.find(run)).steps.a?.state).toBe('succeeded');
    one.end('b 1', DELIVERED);
    expect((await one.ended(run)).state).toBe('succeeded');
    expect(one.labels()).toEqual(['a 1', 'b 1']);
    expect(one.lines.map(({ message }) => message)).toEqual([
      'journal_unavailable',
      'journal_unavailable',
    ]);
  });

  test('a later result does not overtake one that is still to be recorded', async () => {
    const { state, wrap } = brittle();
    const one = lab({ wrap, pipeline: pipelineOf({ a: {}, b: {}, c: { after: ['a', 'b'] } }) });
    const run = await one.start();
    await one.until(() => one.calls.length === 2);
    state.refuses = true;
    one.end('a 1', DELIVERED);
    await one.until(() => one.lines.length === 1);
    state.refuses = false;
    one.end('b 1', DELIVERED);
    await one.until(() => one.calls.length === 3);
    one.end('c 1', DELIVERED);
    expect((await one.ended(run)).state).toBe('succeeded');
    await one.clock.advance(JOURNAL_PAUSE);
    await settle();
    expect(one.labels().sort()).toEqual(['a 1', 'b 1', 'c 1']);
    expect(state.history.length).toBeGreaterThan(1);
    for (const { state: stands, steps } of state.history) {
      const running = Object.values(steps).filter((step) => step.state === 'running');
      if (stands !== 'running') expect(running).toEqual([]);
      if (steps.c?.state !== 'pending') expect(steps.a?.state).toBe('succeeded');
    }
  });

  test('shows the end of a run when it is on the disk, and not before', async () => {
    const commits: (() => void)[] = [];
    const wrap = (journal: Journal): Journal => ({
      ...journal,
      record: async (compose, options) => {
        await new Promise<void>((commit) => commits.push(commit));
        return journal.record(compose, options);
      },
    });
    const one = lab({ wrap, pipeline: pipelineOf({ a: {}, b: {} }) });
    const run = await one.start();
    await one.until(() => one.calls.length === 2);
    for (const step of ['a', 'b']) {
      one.end(`${step} 1`, DELIVERED);
      await settle();
    }
    // The last result is there before the first is on the disk: one commit takes both.
    expect(commits).toHaveLength(1);
    expect(await one.find(run)).toEqual(run);
    const settled = one.engine.settled('signup', run.id, never());
    await settle();
    expect(await one.find(run)).toEqual(run);
    commits[0]?.();
    expect(await settled).toMatchObject({
      state: 'succeeded',
      steps: { b: { state: 'succeeded' } },
    });
  });

  test('by a fault of ours stops one run, says so in the log, and stops no other', async () => {
    const fault = new TypeError('a fault');
    let broken: string | undefined;
    const wrap = (journal: Journal): Journal => ({
      ...journal,
      record: (compose, options) =>
        journal.record(() => {
          const change = compose();
          if (change.record.id === broken) throw fault;
          return change;
        }, options),
    });
    const one = lab({ wrap, pipeline: pipelineOf({ a: {} }) });
    const [first, second] = [await one.start(), await one.start()];
    broken = first.id;
    await one.until(() => one.calls.length === 2);
    for (const { id } of [first, second]) one.end('a 1', DELIVERED, id);
    expect((await one.ended(second)).state).toBe('succeeded');
    expect((await one.find(first)).state).toBe('running');
    expect(one.lines).toEqual([
      { severity: 'error', message: 'engine_fault', fields: { run: first.id, error: fault } },
    ]);
  });

  test('is asked again once for all that wait for it', async () => {
    const { state, wrap } = brittle();
    const one = lab({ wrap, pipeline: pipelineOf({ a: {} }) });
    const runs = await Promise.all(Array.from({ length: 20 }, () => one.start()));
    await one.until(() => one.calls.length === 20);
    state.refuses = true;
    for (const { id } of runs) one.end('a 1', DELIVERED, id);
    await settle();
    await one.clock.advance(JOURNAL_PAUSE);
    await settle();
    expect(one.lines.map(({ message }) => message)).toEqual([
      'journal_unavailable',
      'journal_unavailable',
    ]);
    state.refuses = false;
    await one.clock.advance(JOURNAL_PAUSE);
    for (const run of runs) expect((await one.ended(run)).state).toBe('succeeded');
  });

  test('is waited for at the end too, until the signal aborts', async () => {
    const { state, wrap } = brittle();
    const path = folder.file();
    const one = lab({ path, wrap, pipeline: pipelineOf({ a: {} }) });
    const run = await one.start();
    await one.until(() => one.calls.length === 1);
    state.refuses = true;
    one.end('a 1', DELIVERED);
    await one.until(() => one.lines.length === 1);
    const closing = one.engine.close(never());
    state.refuses = false;
    await one.clock.advance(JOURNAL_PAUSE);
    await closing;
    expect(await lab({ path }).find(run)).toMatchObject({ state: 'succeeded' });
  });

  test('does not keep the engine from closing when the signal aborts; the step is called again', async () => {
    const { state, wrap } = brittle();
    const path = folder.file();
    const one = lab({ path, wrap });
    await one.start();
    await one.until(() => one.calls.length === 1);
    state.refuses = true;
    one.end('a 1', DELIVERED);
    await one.until(() => one.lines.length === 1);
    await one.engine.close(now());
    const two = lab({ path });
    await two.engine.resume();
    await two.until(() => two.calls.length === 1);
    expect(two.labels()).toEqual(['a 1']);
  });

  test('because the disk is full: what was accepted is there and goes on, what was refused is not', async () => {
    const path = folder.file();
    // No file of the child may grow beyond 1 MiB (a unit is 512 bytes or 1 KiB).
    const child = await start('fill', path, {
      wrap: ['sh', '-c', 'ulimit -f 1024; exec "$@"', 'sh'],
    });
    const { stdout, stderr } = await child.ended;
    expect(stderr).toBe('');
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const ids = lines.slice(0, -2);
    expect(lines.slice(-2)).toEqual([
      { code: 'engine_unavailable', message: 'No run can be recorded now.' },
      { first: 'running' },
    ]);
    expect(ids.length).toBeGreaterThan(10);
    const one = lab({ path, pipeline: pipelineOf({ a: {} }), script: () => DELIVERED });
    await one.engine.resume();
    for (const id of ids)
      expect((await one.ended({ id, pipeline: 'signup' } as Run)).state).toBe('succeeded');
    expect(one.calls.map(({ run }) => run.id)).toEqual(ids);
  });
});

describe('a journal that cannot be had', () => {
  test('because another process has it: the failure says so, and it is free once that is gone', async () => {
    const path = folder.file();
    const holder = await start('hold', path);
    expect(await holder.line()).toBe('"held"');
    const one = lab({ path });
    const refusal = {
      code: 'engine_unavailable',
      message: 'The database is held by another process.',
    };
    await expect(one.engine.open()).rejects.toMatchObject(refusal);
    const tries = Array.from({ length: 5 }, () => one.start());
    for (const result of await Promise.allSettled(tries))
      expect(result).toMatchObject({ status: 'rejected', reason: refusal });
    await killed(holder);
    // All at once: it is opened once.
    await Promise.all(Array.from({ length: 5 }, () => one.start()));
    await one.until(() => one.calls.length === 5);
  });

  test('because the file is something else: it stays as it is, and the engine can be closed', async () => {
    const path = folder.file();
    mkdirSync(dirname(path));
    writeFileSync(path, 'not a database, and long enough to tell'.repeat(100));
    const one = lab({ path });
    await expect(one.engine.open()).rejects.toMatchObject({
      code: 'engine_unavailable',
      message: 'The database file is not a database.',
    });
    await one.engine.close(never());
    const two = lab({ path });
    const opening = two.engine.open();
    await two.engine.close(never());
    await expect(opening).rejects.toMatchObject({ code: 'engine_unavailable' });
  });

  test('because what it holds cannot be read: it is given back', async () => {
    const path = folder.file();
    let broken = true;
    const one = lab({
      path,
      wrap: (journal) => ({
        ...journal,
        goneTargets: () =>
          broken ? Promise.reject(new Failure('engine_unavailable')) : journal.goneTargets(),
      }),
    });
    await expect(one.engine.open()).rejects.toMatchObject({ code: 'engine_unavailable' });
    broken = false;
    await one.engine.open();
    await one.start();
  });
});

describe('to close', () => {
  test('lets what is under way end and records it, begins nothing new, and takes nothing more', async () => {
    const path = folder.file();
    const one = lab({ path });
    const run = await one.start();
    await one.until(() => one.calls.length === 1);
    const closing = one.engine.close(never());
    await expect(one.start()).rejects.toMatchObject({ code: 'stopping', status: 503 });
    one.end('a 1', DELIVERED);
    await closing;
    expect(one.labels()).toEqual(['a 1']);
    const two = lab({ path });
    expect((await two.find(run)).steps).toMatchObject({
      a: { state: 'succeeded' },
      b: { state: 'pending', attempts: 0 },
    });
    await two.engine.resume();
    await two.until(() => two.calls.length === 1);
    expect(two.labels()).toEqual(['b 1']);
  });

  test('records when the next attempt is due, and leaves it to the next start', async () => {
    const path = folder.file();
    const one = lab({ path });
    const run = await one.start();
    await one.until(() => one.calls.length === 1);
    const closing = one.engine.close(never());
    one.end('a 1', { verdict: 'again', error: { code: 'refused' }, at: START + 1_000 });
    await closing;
    const two = lab({ path });
    expect((await two.find(run)).steps.a).toMatchObject({
      attempts: 1,
      nextAttemptAt: '2026-01-01T00:00:01.000Z',
    });
    await two.engine.resume();
    await two.clock.advance(1_000);
    await two.until(() => two.calls.length === 1);
    expect(two.labels()).toEqual(['a 2']);
  });

  test('records also that a run has ended, and that is not taken up again', async () => {
    const path = folder.file();
    const one = lab({ path, pipeline: pipelineOf({ a: {} }) });
    const run = await one.start();
    await one.until(() => one.calls.length === 1);
    const closing = one.engine.close(never());
    one.end('a 1', DELIVERED);
    await closing;
    const two = lab({ path, clock: manualClock(START + 1_000) });
    const ended = await two.find(run);
    expect(ended).toMatchObject({ state: 'succeeded', endedAt: '2026-01-01T00:00:00.000Z' });
    await two.engine.resume();
    await settle();
    expect(await two.find(run)).toEqual(ended);
    expect([two.calls, two.lines]).toEqual([[], []]);
  });

  test('cuts what is under way when the signal aborts; it is called again, under the same number', async () => {
    const path = folder.file();
    const one = lab({ path });
    await one.start();
    await one.until(() => one.calls.length === 1);
    const patience = new AbortController();
    const closing = one.engine.close(patience.signal);
    await settle();
    expect(one.calls[0]?.signal.aborted).toBe(false);
    patience.abort();
    await closing;
    expect(one.calls[0]?.signal.aborted).toBe(true);
    expect(getEventListeners(patience.signal, 'abort')).toEqual([]);
    const two = lab({ path });
    await two.engine.resume();
    await two.until(() => two.calls.length === 1);
    expect(two.labels()).toEqual(['a 1']);
    expect(one.lines).toEqual([]);
  });

  test('does not wait for the next attempt of a step, nor for a place to call one', async () => {
    const path = folder.file();
    const places = 3;
    const targets = createTargets({ limit: places, clock: manualClock() });
    const finish: (() => void)[] = [];
    const called: string[] = [];
    const one = lab({
      path,
      pipeline: pipelineOf({ a: {}, z: {} }),
      script: async ({ step, label, signal, entering = signal }) => {
        const error = { code: 'refused' };
        if (step.name === 'z') return { verdict: 'again', error, at: START + 3_600_000 };
        const place = await targets.enter('a', { signal: entering });
        if (!('leave' in place)) throw new Error('there is no reason to refuse');
        called.push(label);
        await new Promise<void>((resolve) => finish.push(resolve));
        place.leave('answered');
        return DELIVERED;
      },
    });
    const runs = await Promise.all(Array.from({ length: places + 5 }, () => one.start()));
    const waits = async (run: Run) => (await one.find(run)).steps.z?.nextAttemptAt !== undefined;
    await one.until(async () => (await Promise.all(runs.map(waits))).every(Boolean));
    await one.until(() => called.length === places);
    const closing = one.engine.close(never());
    for (const end of finish) end();
    await closing;
    expect(called).toHaveLength(places);
    expect(one.lines.filter(({ severity }) => severity === 'error')).toEqual([]);
    const two = lab({ path, pipeline: pipelineOf({ a: {}, z: {} }) });
    await two.engine.resume();
    await two.until(() => two.calls.length === 5);
    await settle();
    expect(two.labels()).toEqual(Array(5).fill('a 1'));
  });

  test('calls nothing from then on, not even what was just about to be', async () => {
    let closing: Promise<void> | undefined;
    const one: Lab = lab({
      pipeline: pipelineOf({ a: {}, b: {} }),
      script: () => {
        closing = one.engine.close(never());
        return DELIVERED;
      },
    });
    await one.start();
    await one.until(() => closing !== undefined);
    await closing;
    expect(one.labels()).toEqual(['a 1']);
  });

  test('works twice, and before the journal was ever opened', async () => {
    const path = folder.file();
    const one = lab({ path });
    await one.engine.close(never());
    await expect(one.engine.find('signup', 'x'.repeat(22))).rejects.toMatchObject({
      code: 'stopping',
    });
    const two = lab({ path });
    await two.engine.open();
    const { signal } = new AbortController();
    await Promise.all([two.engine.close(signal), two.engine.close(signal)]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    await lab({ path }).engine.open();
  });
});

test('neither signals nor waiting callers leave anything behind', async () => {
  const one = lab({ pipeline: pipelineOf({ a: {} }) });
  const runs = await Promise.all(Array.from({ length: 30 }, () => one.start()));
  await one.until(() => one.calls.length === 30);
  const warnings: Error[] = [];
  const warn = (warning: Error) => void warnings.push(warning);
  process.on('warning', warn);
  // As whoever waits for a place or an answer does.
  const leave = one.calls.map(({ signal, entering = signal }) => {
    const listen = () => undefined;
    for (const each of [signal, entering]) each.addEventListener('abort', listen);
    return () => {
      for (const each of [signal, entering]) each.removeEventListener('abort', listen);
    };
  });
  const signals = runs.map(() => new AbortController().signal);
  const settled = runs.map(({ id }, index) =>
    one.engine.settled('signup', id, signals[index] as AbortSignal),
  );
  for (const { id } of runs) one.end('a 1', DELIVERED, id);
  await Promise.all(settled);
  for (const go of leave) go();
  for (const signal of signals) expect(getEventListeners(signal, 'abort')).toEqual([]);
  // Node warns of a leak a turn later.
  await settle();
  process.off('warning', warn);
  expect(warnings).toEqual([]);
});
