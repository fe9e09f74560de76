/** A run that has ended, running again: one step, with what comes after it, all of it, or on the graph of now. */
import { describe, expect, test } from '@jest/globals';
import { regraph } from '../../../../shared/pipeline/machine/replay';
import type { Pipeline, Step } from '../../../../shared/pipeline/pipeline';
import { pipelineOf, UNDO } from '../engines/lab';
import { at, DELIVERED, type Drive, drive, EXHAUSTED, REFUSED, WHO } from './drive';

const HOUR = 3_600_000;

/** `a`, then `b` and `c`, then `d`; `c` is not required. */
const diamond: Readonly<Record<string, Partial<Step>>> = {
  a: {},
  b: { after: ['a'] },
  c: { after: ['a'], required: false },
  d: { after: ['b', 'c'], required: false },
};

/** Carried to its end: what is named ends so, all else is delivered. */
const ended = (
  steps: Readonly<Record<string, Partial<Step>>>,
  outcomes: Readonly<Record<string, typeof REFUSED>> = {},
  input: unknown = {},
): Drive => finish(drive(pipelineOf(steps), { input }), outcomes);

const finish = (run: Drive, outcomes: Readonly<Record<string, typeof REFUSED>> = {}): Drive => {
  while (run.progress.state === 'running') {
    const [activity] = run.underway().attempts;
    if (!activity) throw new Error('nothing is under way');
    const { step, undo } = activity;
    run.end(step.name, outcomes[`${step.name}${undo ? '!' : ''}`] ?? DELIVERED, undo);
  }
  return run;
};

describe('a replay', () => {
  test('of all runs again what failed or was not reached, and leaves alone what succeeded', () => {
    const run = ended(diamond, { b: EXHAUSTED });
    expect(run.states()).toEqual({ a: 'succeeded', b: 'failed', c: 'succeeded', d: 'upstream' });
    const [a, c] = [run.step('a'), run.step('c')];
    run.now = HOUR;
    expect(run.replay()).toBeUndefined();
    expect(run.progress).toMatchObject({ state: 'running', deadlineAt: at(HOUR + 86_400_000) });
    expect(run.progress).not.toHaveProperty('endedAt');
    expect(run.progress.replays).toEqual([
      { at: at(HOUR), by: 'ada', reason: 'a reason', steps: ['b', 'd'], resend: false },
    ]);
    expect(run.doing()).toEqual(['b#1']);
    expect(run.step('b')).toEqual({ state: 'running', attempts: 1, startedAt: at(HOUR) });
    finish(run);
    expect(run.progress).toMatchObject({ state: 'succeeded', endedAt: at(HOUR) });
    expect([run.step('a'), run.step('c')]).toEqual([a, c]);
  });

  test('of one step runs that alone; what it alone cannot mend leaves the run failed', () => {
    const run = ended({ a: {}, b: {}, c: {} }, { a: REFUSED, b: REFUSED });
    expect(run.replay({ step: 'a' })).toBeUndefined();
    expect(run.doing()).toEqual(['a#1']);
    finish(run);
    expect(run.states()).toEqual({ a: 'succeeded', b: 'failed', c: 'succeeded' });
    expect(run.progress.state).toBe('failed');
    run.replay({ step: 'b' });
    finish(run);
    expect(run.progress.state).toBe('succeeded');
    expect(run.progress.replays).toHaveLength(2);
  });

  test('of a step that is not required runs it in a run that has succeeded', () => {
    const run = ended(diamond, { c: REFUSED });
    expect(run.progress.state).toBe('succeeded');
    run.replay();
    expect(run.doing()).toEqual(['c#1']);
    finish(run);
    expect(run.states()).toMatchObject({ c: 'succeeded', d: 'succeeded' });
  });

  test('of a step and what comes after it waits for the one, then the others', () => {
    const run = ended(diamond, { b: REFUSED });
    run.replay({ step: 'b', downstream: true });
    expect(run.doing()).toEqual(['b#1']);
    run.end('b');
    expect(run.doing()).toEqual(['d#1']);
  });

  test('that fails again fails the run again, and skips what it had taken up', () => {
    const run = ended(diamond, { b: REFUSED });
    run.replay();
    finish(run, { b: REFUSED });
    expect(run.states()).toMatchObject({ b: 'failed', d: 'upstream' });
    expect(run.progress.state).toBe('failed');
  });

  test('of a run that was called off goes on with what was called off', () => {
    const run = drive(pipelineOf(diamond));
    run.cancel();
    run.end('a');
    expect(run.progress.state).toBe('cancelled');
    run.replay();
    expect(run.progress).not.toHaveProperty('cancelled');
    expect(run.doing()).toEqual(['b#1', 'c#1']);
    finish(run);
    expect(run.progress.state).toBe('succeeded');
  });

  test('of a run whose deadline has passed has a deadline of its own', () => {
    const run = drive(pipelineOf({ a: {}, b: { after: ['a'] } }, 'timed', { deadline: 60_000 }));
    run.now = 60_000;
    run.end('a');
    expect(run.states()).toEqual({ a: 'succeeded', b: 'deadline' });
    run.replay();
    expect(run.progress.deadlineAt).toBe(at(120_000));
    expect(run.doing()).toEqual(['b#1']);
  });

  test('of a step that waits waits again, also for the answer that it had', () => {
    const wait: Partial<Step> = { target: { wait: 'approved' }, timeout: 10_000 };
    const run = drive(pipelineOf({ a: wait, b: { after: ['a'] } }));
    run.signal('a', {}, 'one');
    finish(run);
    run.replay({ step: 'a', resend: true });
    expect(run.step('a')).toEqual({
      state: 'running',
      attempts: 0,
      generation: 2,
      startedAt: at(0),
    });
    expect(run.signal('a', {}, 'one')).toBe(true);
    expect(run.progress.state).toBe('succeeded');
  });
});

describe('keys', () => {
  test('stay the same for what failed, time after time', () => {
    const run = ended({ a: {} }, { a: EXHAUSTED });
    for (let time = 0; time < 3; time += 1) {
      run.replay();
      expect(run.step('a')).not.toHaveProperty('generation');
      finish(run, { a: EXHAUSTED });
    }
  });

  test('are new for what is sent once more, and stay so for what fails then', () => {
    const run = ended({ a: {}, b: { after: ['a'] } });
    run.replay({ step: 'a', resend: true });
    expect(run.step('a')).toMatchObject({ state: 'running', generation: 2 });
    expect(run.step('b')).not.toHaveProperty('generation');
    finish(run, { a: EXHAUSTED });
    run.replay();
    expect(run.step('a').generation).toBe(2);
    finish(run);
    run.replay({ resend: true });
    expect([run.step('a').generation, run.step('b').generation]).toEqual([3, 2]);
    expect(run.progress.replays?.map(({ resend }) => resend)).toEqual([true, false, true]);
  });

  test('are new for what was taken back: its receiver knows the old one', () => {
    const run = ended({ a: { undo: UNDO }, b: { after: ['a'] } }, { b: REFUSED });
    expect(run.states()).toEqual({ a: 'succeeded, undo succeeded', b: 'failed' });
    run.replay();
    expect(run.step('a')).toEqual({
      state: 'running',
      attempts: 1,
      generation: 2,
      startedAt: at(0),
    });
    expect(run.progress.replays?.[0]?.steps).toEqual(['a', 'b']);
    run.end('a');
    expect(run.step('b')).not.toHaveProperty('generation');
    finish(run, { b: REFUSED });
    expect(run.states()).toEqual({ a: 'succeeded, undo succeeded', b: 'failed' });
  });
});

describe('a replay is refused', () => {
  const code = (found: unknown) => (found as { code?: string } | undefined)?.code;

  test('while the run has not ended', () => {
    const run = drive(pipelineOf({ a: {}, b: {} }));
    run.end('a', REFUSED);
    const before = run.progress;
    expect(code(run.replay())).toBe('run_not_ended');
    expect(run.progress).toBe(before);
  });

  test('of a step that there is not', () => {
    const run = ended({ a: {} }, { a: REFUSED });
    for (const step of ['nobody', '', 'constructor', '__proto__'])
      expect(code(run.replay({ step }))).toBe('unknown_step');
  });

  test('of what has succeeded, or was never wanted, also where it is to be sent once more', () => {
    const run = ended({ a: {}, b: { when: '/b' } });
    expect(code(run.replay())).toBe('nothing_to_replay');
    expect(code(run.replay({ step: 'a' }))).toBe('nothing_to_replay');
    expect(code(run.replay({ step: 'b' }))).toBe('nothing_to_replay');
    expect(code(run.replay({ step: 'b', resend: true }))).toBe('nothing_to_replay');
    const unset = drive(pipelineOf({ a: {}, w: { required: false } }), {
      isConfigured: () => false,
    });
    finish(unset);
    expect(code(unset.replay({ resend: true, step: 'w' }))).toBe('nothing_to_replay');
  });

  test('of a step that waits for one without an effect, and says which', () => {
    const run = ended(diamond, { b: REFUSED });
    const found = run.replay({ step: 'd' });
    expect(found).toMatchObject({ code: 'replay_blocked' });
    expect(found?.detail).toContain('d waits for b');
    // Nobody waits for what is not required.
    const optional = ended(diamond, { c: REFUSED, d: REFUSED });
    expect(optional.replay({ step: 'd' })).toBeUndefined();
  });

  test('of a step that waits for one that was taken back, or not reached', () => {
    const run = ended(
      { a: { undo: UNDO }, b: { after: ['a'] }, c: { after: ['b'] } },
      { b: REFUSED },
    );
    expect(run.replay({ step: 'b' })).toMatchObject({ code: 'replay_blocked' });
    expect(run.replay({ step: 'c' })).toMatchObject({ code: 'replay_blocked' });
    expect(run.replay({ step: 'a', downstream: true })).toBeUndefined();
    const optional = ended(
      { a: { required: false, undo: UNDO }, b: { after: ['a'], required: false }, c: {} },
      { c: REFUSED, b: REFUSED },
    );
    expect(optional.states().a).toBe('succeeded, undo succeeded');
    expect(optional.replay({ step: 'b' })).toMatchObject({ code: 'replay_blocked' });
  });
});

describe('after an undo that failed', () => {
  const stuck = () =>
    ended(
      { a: { undo: UNDO }, b: { after: ['a'], undo: UNDO }, c: { after: ['b'] } },
      {
        c: REFUSED,
        'a!': EXHAUSTED,
      },
    );

  test('that is tried again first, and nothing is sent forward', () => {
    const run = stuck();
    expect(run.states()).toEqual({
      a: 'succeeded, undo failed',
      b: 'succeeded, undo succeeded',
      c: 'failed',
    });
    expect(run.replay({ step: 'c' })).toBeUndefined();
    expect(run.doing()).toEqual(['a!1']);
    expect(run.progress.replays?.[0]?.steps).toEqual([]);
    finish(run);
    expect(run.states()).toMatchObject({ a: 'succeeded, undo succeeded', c: 'failed' });
    expect(run.progress.state).toBe('failed');
    run.replay();
    expect(run.doing()).toEqual(['a:2#1']);
    expect(finish(run).progress.state).toBe('succeeded');
  });

  test('that may fail once more', () => {
    const run = stuck();
    run.replay();
    finish(run, { 'a!': EXHAUSTED });
    expect(run.progress.state).toBe('failed');
    expect(run.step('a').undo).toMatchObject({ state: 'failed' });
  });

  test('the run still tells who called it off, until it goes forward again', () => {
    const run = drive(pipelineOf({ a: { undo: UNDO, required: false } }));
    run.cancel();
    finish(run, { 'a!': EXHAUSTED });
    run.replay();
    finish(run);
    expect(run.progress).toMatchObject({ state: 'cancelled', cancelled: { by: 'ada' } });
    run.replay();
    expect(finish(run).progress).toMatchObject({ state: 'succeeded' });
    expect(run.progress).not.toHaveProperty('cancelled');
  });

  test('each of several is tried again, against the order of the steps', () => {
    const run = ended(
      { a: { undo: UNDO }, b: { after: ['a'], undo: UNDO }, c: { after: ['b'] } },
      {
        c: REFUSED,
        'a!': EXHAUSTED,
        'b!': EXHAUSTED,
      },
    );
    run.replay();
    expect(run.doing()).toEqual(['b!1']);
    run.end('b', DELIVERED, true);
    expect(run.doing()).toEqual(['a!1']);
  });
});

describe('on the graph of now', () => {
  const onto = (run: Drive, to: Pipeline, isConfigured: () => boolean = () => true) =>
    regraph(run.pipeline, to, run.progress, { input: { b: 'x' }, isConfigured });
  const old = { a: {}, b: { after: ['a'] }, c: { after: ['b'] } };
  const failed = () => ended(old, { b: REFUSED });

  test('what is new is taken up, what is gone is dropped, what has ended stays', () => {
    const run = failed();
    const to = pipelineOf({ a: {}, b: { after: ['a'] }, d: { after: ['b'] } });
    const found = onto(run, to);
    if ('code' in found) throw new Error(found.code);
    expect(Object.keys(found.results)).toEqual(['a', 'b', 'd']);
    expect(found.results.a).toBe(run.progress.results.a);
    run.pipeline = to;
    run.progress = found;
    run.replay();
    expect(run.progress.replays?.[0]?.steps).toEqual(['b', 'd']);
    expect(finish(run).states()).toEqual({ a: 'succeeded', b: 'succeeded', d: 'succeeded' });
  });

  test('what is new is wanted or not by the input, decided now', () => {
    const to = pipelineOf({
      ...old,
      no: { when: '/none' },
      yes: { when: '/b' },
      unset: { required: false },
    });
    const found = onto(failed(), to, () => false);
    if ('code' in found) throw new Error(found.code);
    expect(found.results).toMatchObject({
      no: { state: 'skipped', reason: 'condition' },
      yes: { state: 'skipped', reason: 'upstream' },
      unset: { state: 'skipped', reason: 'not_configured' },
    });
  });

  test('what has not begun may be another; a retry may change of what has', () => {
    const retry = { attempts: 9, backoff: 1, maxBackoff: 1, jitter: 0 };
    for (const to of [
      pipelineOf({ ...old, c: { after: ['b'], target: { function: 'other' } } }),
      pipelineOf({ ...old, b: { after: ['a'], retry, timeout: 9 } }),
    ])
      expect(onto(failed(), to)).not.toHaveProperty('code');
  });

  test.each<[string, Readonly<Record<string, Partial<Step>>>, string, string]>([
    ['is gone', { b: {}, c: { after: ['b'] } }, 'a', 'removed'],
    ['goes elsewhere', { ...old, a: { target: { function: 'other' } } }, 'a', 'changed'],
    ['is given something else', { ...old, a: { input: { x: '/x' } } }, 'a', 'changed'],
    ['waits for something new', { n: {}, ...old, a: { after: ['n'] } }, 'n', 'added'],
    ['is read more of', { ...old, a: { keep: ['/id'] } }, 'a', 'changed'],
  ])(
    'a step that has begun and %s is a conflict, with what has changed',
    (_name, to, step, change) => {
      const run = failed();
      const found = onto(run, pipelineOf(to));
      expect(found).toMatchObject({ code: 'graph_conflict' });
      expect(found).toMatchObject({
        changes: expect.arrayContaining([expect.objectContaining({ step, change })]),
      });
    },
  );

  test('an undo that has begun must be what it was', () => {
    const with1 = { a: { undo: UNDO }, b: { after: ['a'] } };
    const run = ended(with1, { b: REFUSED });
    const to = pipelineOf({ ...with1, a: { undo: { ...UNDO, target: { function: 'other' } } } });
    expect(onto(run, to)).toMatchObject({ code: 'graph_conflict', changes: [{ step: 'a' }] });
  });
});

test('a replay tells who and why, and is one of many', () => {
  const run = ended({ a: {} }, { a: REFUSED });
  run.replay({ by: 'grace', reason: 'another' });
  finish(run, { a: REFUSED });
  run.replay(WHO);
  expect(run.progress.replays?.map(({ by, reason }) => [by, reason])).toEqual([
    ['grace', 'another'],
    ['ada', 'a reason'],
  ]);
});
