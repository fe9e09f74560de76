/** Runs that need nobody for a while are let go from memory, and come back: in time, for an answer, for who watches. */
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import type { AttemptOutcome } from '../../../../shared/pipeline/attempt';
import { HORIZON } from '../../../../shared/pipeline/engines/perform';
import type { Run } from '../../../../shared/pipeline/run';
import { manualClock } from '../../../support/manual-clock';
import {
  createFolder,
  createLab,
  DELIVERED,
  type Lab,
  type LabOptions,
  never,
  now,
  pipelineOf,
} from './lab';

interface Parking extends Lab {
  /** Whether the run is read out of the journal when somebody asks for it. */
  isParked(run: Run): Promise<boolean>;
  /** When each attempt was made, ms since START. */
  readonly times: number[];
}

const folder = createFolder();
const labs: Lab[] = [];
const lab = (options: Omit<LabOptions, 'path'> & { readonly path?: string }): Parking => {
  let reads = 0;
  const times: number[] = [];
  const { script = () => DELIVERED } = options;
  const made: Lab = createLab({
    path: folder.file(),
    ...options,
    script: (call) => {
      times.push(made.clock.now() - START);
      return script(call);
    },
    wrap: (journal) => ({
      ...journal,
      find: (pipeline, id) => {
        reads += 1;
        return journal.find(pipeline, id);
      },
    }),
  });
  labs.push(made);
  return {
    ...made,
    times,
    isParked: async (run) => {
      const before = reads;
      await made.find(run);
      return reads > before;
    },
  };
};
afterEach(async () => {
  for (const { engine } of labs.splice(0)) await engine.close(now());
});
afterAll(() => folder.clean());

const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const error = { code: 'refused', status: 503 };
const waiting = (timeout = 2 * DAY) =>
  pipelineOf({ ask: { target: { wait: 'approved' }, timeout }, last: { after: ['ask'] } }, 'p', {
    deadline: 3 * DAY,
  });

/** Once, and not before its time: after it at most as far as `pass` goes at once while the disk is written. */
const expectInTime = (times: readonly number[], due: number): void => {
  expect(times).toHaveLength(1);
  expect(times[0]).toBeGreaterThanOrEqual(due);
  expect(times[0]).toBeLessThanOrEqual(due + 10_000);
};

/** All that a watcher is given, until it ends. */
const watched = async (one: Lab, { id, pipeline }: Run): Promise<string[]> => {
  const states: string[] = [];
  for await (const { state } of one.engine.watch(pipeline, id, never())) states.push(state);
  return states;
};

describe('a run that needs nobody for a while', () => {
  test('is let go, and is still found', async () => {
    const one = lab({ pipeline: waiting() });
    await one.engine.resume();
    const run = await one.start({ username: 'ada' });
    expect(await one.isParked(run)).toBe(false);
    await one.pass(HORIZON);
    expect(await one.isParked(run)).toBe(true);
    expect(await one.find(run)).toEqual(run);
  });

  test('comes back for an answer, however often it was let go', async () => {
    const pipeline = pipelineOf(
      {
        one: { target: { wait: 'a' }, timeout: DAY },
        two: { target: { wait: 'b' }, timeout: DAY, after: ['one'] },
        last: { after: ['two'] },
      },
      'p',
      { deadline: 3 * DAY },
    );
    const one = lab({ pipeline });
    await one.engine.resume();
    const run = await one.start();
    for (const step of ['one', 'two']) {
      await one.pass(2 * HORIZON);
      expect(await one.isParked(run)).toBe(true);
      await one.engine.signal('p', run.id, step, {});
      expect((await one.find(run)).steps[step]?.state).toBe('succeeded');
    }
    expect((await one.ended(run)).state).toBe('succeeded');
    expect(one.labels()).toEqual(['last 1']);
  });

  test('comes back in time: for its delay', async () => {
    const one = lab({ pipeline: pipelineOf({ a: { delay: HOUR + 7 } }) });
    await one.engine.resume();
    const run = await one.start();
    await one.pass(HOUR / 2);
    expect(await one.isParked(run)).toBe(true);
    await one.pass(HOUR);
    expect((await one.ended(run)).state).toBe('succeeded');
    expectInTime(one.times, HOUR + 7);
  });

  test('comes back in time: for its next attempt', async () => {
    const one = lab({
      pipeline: pipelineOf({ a: {} }),
      script: ({ attempt }): AttemptOutcome =>
        attempt === 1 ? { verdict: 'again', error, at: START + HOUR } : DELIVERED,
    });
    await one.engine.resume();
    const run = await one.start();
    await one.pass(2 * HORIZON);
    expect(await one.isParked(run)).toBe(true);
    await one.pass(HOUR);
    expect(one.times[0]).toBe(0);
    expectInTime(one.times.slice(1), HOUR);
    expect((await one.ended(run)).state).toBe('succeeded');
  });

  test('comes back in time: when nobody has answered, and for its deadline', async () => {
    for (const [pipeline, end, code] of [
      [waiting(HOUR), HOUR, 'wait_timeout'],
      [
        pipelineOf({ ask: { target: { wait: 'x' }, timeout: DAY } }, 'p', { deadline: HOUR }),
        HOUR,
        'deadline_exceeded',
      ],
    ] as const) {
      const one = lab({ pipeline });
      await one.engine.resume();
      const run = await one.start();
      await one.pass(HOUR / 2);
      expect(await one.isParked(run)).toBe(true);
      await one.pass(HOUR);
      expect(await one.find(run)).toMatchObject({
        state: 'failed',
        endedAt: new Date(START + end).toISOString(),
        steps: { ask: { error: { code } } },
      });
    }
  });

  test('comes back once, though it was due while nobody was there', async () => {
    const path = folder.file();
    const pipeline = pipelineOf({ a: { delay: HOUR } });
    const before = lab({ path, pipeline });
    const runs = await Promise.all(Array.from({ length: 250 }, () => before.start()));
    await before.engine.close(now());
    const one = lab({ path, pipeline, clock: manualClock(START + DAY / 2) });
    await one.engine.resume();
    await one.clock.advance(0);
    for (const run of runs) expect((await one.ended(run)).state).toBe('succeeded');
    await one.pass(2 * HORIZON);
    expect(one.calls).toHaveLength(250);
    expect(new Set(one.calls.map(({ run }) => run.id)).size).toBe(250);
  });

  test('is not taken up by a restart before its time', async () => {
    const path = folder.file();
    const pipeline = pipelineOf({ a: { delay: HOUR } });
    const before = lab({ path, pipeline });
    const run = await before.start();
    await before.engine.close(now());
    const one = lab({ path, pipeline, clock: manualClock(START + 1_000) });
    await one.engine.resume();
    expect(await one.isParked(run)).toBe(true);
    expect(one.lines).toEqual([]);
    await one.pass(HOUR);
    expect((await one.ended(run)).state).toBe('succeeded');
    expectInTime(one.times, HOUR);
  });
});

describe('a run stays in memory', () => {
  test('while it is called', async () => {
    const one = lab({
      pipeline: pipelineOf({ a: {}, z: { delay: HOUR } }),
      script: () => undefined,
    });
    await one.engine.resume();
    const run = await one.start();
    await one.pass(5 * HORIZON);
    expect(await one.isParked(run)).toBe(false);
    one.end('a 1', DELIVERED);
    await one.pass(HORIZON);
    expect(await one.isParked(run)).toBe(true);
  });

  test('while its next attempt is near', async () => {
    const one = lab({
      pipeline: pipelineOf({ a: {} }),
      script: () => ({ verdict: 'again', error, at: START + HORIZON }),
    });
    await one.engine.resume();
    const run = await one.start();
    await one.pass(HORIZON / 2);
    expect(await one.isParked(run)).toBe(false);
  });

  test('while somebody watches it, and is let go when nobody does', async () => {
    const one = lab({ pipeline: waiting() });
    await one.engine.resume();
    const run = await one.start();
    const leaving = new AbortController();
    const settled = one.engine.settled('p', run.id, leaving.signal);
    await one.pass(5 * HORIZON);
    expect(await one.isParked(run)).toBe(false);
    leaving.abort();
    await settled;
    await one.pass(HORIZON);
    expect(await one.isParked(run)).toBe(true);
  });
});

describe('who watches a run that was let go', () => {
  test('sees its end, whoever brings it, and so does who waits for it', async () => {
    const one = lab({ pipeline: waiting() });
    await one.engine.resume();
    const run = await one.start();
    await one.pass(2 * HORIZON);
    expect(await one.isParked(run)).toBe(true);
    const watching = watched(one, run);
    const settled = one.engine.settled('p', run.id, never());
    await one.pass(5 * HORIZON);
    await one.engine.signal('p', run.id, 'ask', {});
    expect((await watching).at(-1)).toBe('succeeded');
    expect(await settled).toMatchObject({ state: 'succeeded' });
  });

  test('sees its end also when time brings it', async () => {
    const one = lab({ pipeline: waiting(HOUR) });
    await one.engine.resume();
    const run = await one.start();
    await one.pass(2 * HORIZON);
    const watching = watched(one, run);
    await one.pass(HOUR);
    expect((await watching).at(-1)).toBe('failed');
  });

  test('sees it also when it is slow to look', async () => {
    const one = lab({ pipeline: waiting() });
    await one.engine.resume();
    const run = await one.start();
    await one.pass(2 * HORIZON);
    const runs = one.engine.watch('p', run.id, never())[Symbol.asyncIterator]();
    expect((await runs.next()).value).toMatchObject({ state: 'running' });
    await one.pass(5 * HORIZON);
    await one.engine.signal('p', run.id, 'ask', {});
    await one.ended(run);
    expect((await runs.next()).value).toMatchObject({ state: 'succeeded' });
    expect((await runs.next()).done).toBe(true);
    await one.engine.close(now());
  });

  test('sees it at whatever moment it came, beside whoever comes and goes', async () => {
    for (let delay = 0; delay < 40; delay += 1) {
      const one = lab({ pipeline: waiting() });
      await one.engine.resume();
      const run = await one.start();
      await one.pass(HORIZON);
      const passing = one.pass(HORIZON);
      for (let turn = 0; turn < delay; turn += 1)
        await (turn % 4 ? null : new Promise((resolve) => setImmediate(resolve)));
      const watching = watched(one, run);
      const looking = one.engine.inspect('p', run.id);
      const passer = one.engine.settled('p', run.id, now());
      await Promise.all([passing, looking, passer]);
      await one.engine.signal('p', run.id, 'ask', {});
      expect((await watching).at(-1)).toBe('succeeded');
      expect(one.labels()).toEqual(['last 1']);
      await one.engine.close(now());
    }
  });

  test('sees that it ended before, once', async () => {
    const one = lab({ pipeline: pipelineOf({ a: {} }, 'p') });
    const run = await one.start();
    await one.ended(run);
    expect(await watched(one, run)).toEqual(['succeeded']);
    expect(await watched(one, { ...run, id: 'nobody' })).toEqual([]);
    expect(await watched(one, { ...run, pipeline: 'other' })).toEqual([]);
  });

  test('is let go itself when the engine closes', async () => {
    const one = lab({ pipeline: waiting() });
    await one.engine.resume();
    const run = await one.start();
    await one.pass(2 * HORIZON);
    const watching = watched(one, run);
    await one.until(async () => !(await one.isParked(run)));
    await one.engine.close(now());
    expect(await watching).toEqual(['running']);
  });
});

test('no attempt is made before its time, though timers come early', async () => {
  const clock = manualClock();
  const times: number[] = [];
  const made = createLab({
    path: folder.file(),
    pipeline: pipelineOf({ a: {}, b: { delay: 2_000 } }, 'p'),
    script: ({ step, attempt }) => {
      if (step.name === 'a' && attempt === 1) return { verdict: 'again', error, at: START + 1_000 };
      times.push(clock.now() - START);
      return DELIVERED;
    },
    clock: {
      ...clock,
      // As setTimeout beside Date.now, only worse.
      sleep: (ms, signal, options) => clock.sleep(Math.ceil(ms * 0.9), signal, options),
    },
  });
  labs.push(made);
  const run = await made.start();
  await made.until(async () => (await made.find(run)).steps.a?.nextAttemptAt !== undefined);
  for (let time = 0; time < 400; time += 1) {
    await clock.advance(10);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await made.ended(run)).state).toBe('succeeded');
  expect(times[0]).toBeGreaterThanOrEqual(1_000);
  expect(times[1]).toBeGreaterThanOrEqual(2_000);
});

test('what a run waited for is not waited for any more when the run is called off', async () => {
  const clock = manualClock();
  let asleep = 0;
  const made = createLab({
    path: folder.file(),
    pipeline: pipelineOf(
      { a: {}, b: { delay: 20_000 }, ask: { target: { wait: 'x' }, timeout: 30_000 } },
      'p',
    ),
    script: () => ({ verdict: 'again', error, at: START + 10_000 }),
    clock: {
      ...clock,
      sleep: (ms, signal, options) => {
        asleep += 1;
        return clock.sleep(ms, signal, options).finally(() => {
          asleep -= 1;
        });
      },
    },
  });
  labs.push(made);
  const run = await made.start();
  await made.until(() => asleep === 3);
  await made.engine.cancel('p', run.id, { by: 'ada', reason: 'a reason' });
  expect((await made.ended(run)).state).toBe('cancelled');
  await made.until(() => asleep === 0);
});

test('a deadline that passes while the journal cannot be written is dealt with once it can be, and not again and again', async () => {
  const state = { holds: false, held: [] as (() => void)[] };
  let sleeps = 0;
  const clock = manualClock();
  const made = createLab({
    path: folder.file(),
    pipeline: pipelineOf(
      { ask: { target: { wait: 'x' }, timeout: 30_000, required: false }, a: {} },
      'p',
    ),
    script: () => undefined,
    clock: {
      ...clock,
      sleep: (ms, signal, options) => {
        sleeps += 1;
        return clock.sleep(ms, signal, options);
      },
    },
    wrap: (journal) => ({
      ...journal,
      record: async (compose, options) => {
        if (state.holds) await new Promise<void>((go) => state.held.push(go));
        return journal.record(compose, options);
      },
    }),
  });
  labs.push(made);
  await made.engine.resume();
  const run = await made.start();
  state.holds = true;
  await made.pass(30_000);
  expect(state.held).toHaveLength(1);
  const before = sleeps;
  // The rounds take it up, and the journal is still behind.
  await made.pass(120_000);
  expect(sleeps - before).toBeLessThan(20);
  state.holds = false;
  for (const go of state.held.splice(0)) go();
  await made.until(async () => (await made.find(run)).steps.ask?.state === 'failed');
  made.end('a 1', DELIVERED);
  expect((await made.ended(run)).state).toBe('succeeded');
});
