/** The state machine of a run, event by event. */
import { describe, expect, test } from '@jest/globals';
import type { Step } from '../../../../shared/pipeline/pipeline';
import { pipelineOf, UNDO } from '../engines/lab';
import { again, at, DELIVERED, drive, EXHAUSTED, postponed, REFUSED, START } from './drive';

const WAIT: Partial<Step> = { target: { wait: 'approved' }, timeout: 10_000 };
const of = (steps: Readonly<Record<string, Partial<Step>>>, input: unknown = {}) =>
  drive(pipelineOf(steps), { input });

describe('an attempt', () => {
  const begun = (attempt: number) => ({ kind: 'begun', step: 'a', undo: false, attempt }) as const;
  const ended = (attempt: number) =>
    ({ kind: 'ended', step: 'a', undo: false, attempt, outcome: DELIVERED }) as const;

  test('that is the current one counts; any other means nothing, and gives the very same object', () => {
    const run = of({ a: {} });
    const before = run.progress;
    for (const attempt of [0, 2, -1, Number.NaN]) {
      expect(run.tell(ended(attempt))).toBe(false);
      expect(run.tell(begun(attempt))).toBe(false);
    }
    expect(run.tell({ ...ended(1), step: 'nobody' })).toBe(false);
    expect(run.tell({ ...ended(1), step: 'constructor' })).toBe(false);
    expect(run.tell({ ...ended(1), undo: true })).toBe(false);
    expect(run.tell(begun(1))).toBe(false);
    expect(run.progress).toBe(before);
    expect(run.tell(ended(1))).toBe(true);
    expect(run.progress).toMatchObject({ state: 'succeeded', endedAt: at(0) });
    expect(run.tell(ended(1))).toBe(false);
  });

  test('that is to be tried again waits; it may be told to begin, or only to end', () => {
    for (const isTold of [true, false]) {
      const run = of({ a: {} });
      run.end('a', again(500));
      expect(run.step('a')).toEqual({
        state: 'running',
        attempts: 1,
        startedAt: at(0),
        nextAttemptAt: at(500),
        error: { code: 'refused', status: 503 },
      });
      run.now = 500;
      if (isTold) {
        expect(run.tell(begun(2))).toBe(true);
        expect(run.step('a')).toEqual({ state: 'running', attempts: 2, startedAt: at(0) });
      }
      expect(run.tell(ended(2))).toBe(true);
      expect(run.step('a')).toEqual({
        state: 'succeeded',
        attempts: 2,
        startedAt: at(0),
        endedAt: at(500),
      });
    }
  });

  test('that was postponed keeps its number, and the error of the one before', () => {
    const run = of({ a: {} });
    run.end('a', postponed(100));
    expect(run.step('a')).toEqual({
      state: 'running',
      attempts: 0,
      startedAt: at(0),
      nextAttemptAt: at(100),
    });
    expect(run.doing()).toEqual(['a#1']);
    run.end('a', again(500));
    run.end('a', postponed(900));
    expect(run.step('a')).toMatchObject({
      attempts: 1,
      error: { code: 'refused', status: 503 },
      nextAttemptAt: at(900),
    });
    expect(run.doing()).toEqual(['a#2']);
  });

  test('that is delivered leaves what is exposed and what is kept, and nothing where there is nothing', () => {
    const run = of({ a: {}, b: {} });
    run.end('a', { verdict: 'delivered', output: { c: 1 }, kept: { '/id': 2 } });
    expect(run.step('a')).toMatchObject({ output: { c: 1 }, kept: { '/id': 2 } });
    run.end('b', { verdict: 'delivered', output: undefined });
    expect(Object.keys(run.step('b')).sort()).toEqual([
      'attempts',
      'endedAt',
      'startedAt',
      'state',
    ]);
  });
});

describe('a delay', () => {
  test('is between the end of all before and the first attempt', () => {
    const run = of({ a: {}, b: { after: ['a'], delay: 60_000 } });
    run.now = 1_000;
    run.end('a');
    expect(run.step('b')).toEqual({
      state: 'running',
      attempts: 0,
      startedAt: at(1_000),
      nextAttemptAt: at(61_000),
    });
    expect(run.underway().attempts).toMatchObject([{ id: 'b#1', attempt: 1, at: START + 61_000 }]);
  });

  test('that is still running when the run is lost was for nothing: the step is skipped', () => {
    const run = of({ a: {}, b: { delay: 60_000 }, c: {} });
    run.end('c', again(5_000));
    run.end('a', REFUSED);
    expect(run.states()).toEqual({ a: 'failed', b: 'upstream', c: 'running' });
    expect(run.step('b')).not.toHaveProperty('nextAttemptAt');
    // What has been called already may still succeed.
    expect(run.doing()).toEqual(['c#2']);
  });
});

describe('a step that waits', () => {
  test('begins nothing; the first answer ends it, and the same again is nothing new', () => {
    const run = of({ a: { ...WAIT, expose: ['/yes'], keep: ['/by'] }, b: { after: ['a'] } });
    expect(run.step('a')).toEqual({ state: 'running', attempts: 0, startedAt: at(0) });
    expect(run.underway()).toMatchObject({ attempts: [], wakeAt: START + 10_000 });
    run.now = 50;
    expect(run.signal('a', { yes: true, by: 'ada', secret: 1 }, 'one')).toBe(true);
    expect(run.step('a')).toEqual({
      state: 'succeeded',
      attempts: 0,
      startedAt: at(0),
      endedAt: at(50),
      answered: 'one',
      output: { yes: true },
      kept: { '/by': 'ada' },
    });
    expect(run.doing()).toEqual(['b#1']);
    for (const fingerprint of ['one', 'two'])
      expect(run.signal('a', { yes: false }, fingerprint)).toBe(false);
  });

  test('takes an answer before its time, and begins and ends with it at once, as do those behind it', () => {
    const run = of({
      a: {},
      b: { ...WAIT, after: ['a'], expose: ['/n'] },
      c: { ...WAIT, after: ['b'] },
      d: { after: ['c'] },
    });
    expect(run.signal('c', {}, 'of c')).toBe(true);
    expect(run.signal('b', { n: 1 }, 'one')).toBe(true);
    expect(run.signal('b', { n: 2 }, 'two')).toBe(false);
    expect(run.step('b')).toMatchObject({ state: 'pending', answered: 'one', output: { n: 1 } });
    run.now = 5;
    run.end('a');
    expect(run.states()).toEqual({ a: 'succeeded', b: 'succeeded', c: 'succeeded', d: 'running' });
    expect(run.step('b')).toMatchObject({ startedAt: at(5), endedAt: at(5), output: { n: 1 } });
  });

  test('fails when nobody has answered in time, not a moment before', () => {
    const run = of({ a: WAIT, b: { after: ['a'] } });
    expect(run.due(9_999)).toBe(false);
    expect(run.due(10_000)).toBe(true);
    expect(run.step('a')).toMatchObject({ state: 'failed', error: { code: 'wait_timeout' } });
    expect(run.progress.state).toBe('failed');
    expect(run.signal('a')).toBe(false);
  });

  test('counts its time from its beginning, not from that of the run', () => {
    const run = of({ a: {}, b: { ...WAIT, after: ['a'] } });
    run.now = 7_000;
    run.end('a');
    expect(run.underway().wakeAt).toBe(START + 17_000);
    expect(run.due(16_999)).toBe(false);
    expect(run.due(17_000)).toBe(true);
  });

  test('does not wait any more when the run is lost', () => {
    const run = of({ a: {}, b: WAIT });
    run.end('a', REFUSED);
    expect(run.states()).toEqual({ a: 'failed', b: 'cancelled' });
    expect(run.progress.state).toBe('failed');
  });

  test('is the only one that takes an answer', () => {
    const run = of({ a: {}, b: WAIT });
    const before = run.progress;
    for (const step of ['a', 'nobody', '__proto__']) run.signal(step);
    expect(run.progress).toBe(before);
  });
});

describe('the deadline', () => {
  const timed = (steps: Readonly<Record<string, Partial<Step>>>) =>
    drive(pipelineOf(steps, 'timed', { deadline: 60_000 }));

  test('means nothing a moment before, and then ends what is not under way', () => {
    const run = timed({
      called: {},
      between: {},
      delayed: { delay: 100_000 },
      waiting: { ...WAIT, timeout: 100_000 },
      later: { after: ['called'] },
    });
    run.end('between', again(50_000));
    expect(run.underway().wakeAt).toBe(START + 60_000);
    expect(run.due(59_999)).toBe(false);
    expect(run.due(60_000)).toBe(true);
    expect(run.states()).toEqual({
      called: 'running',
      between: 'failed',
      delayed: 'failed',
      waiting: 'failed',
      later: 'deadline',
    });
    // The last answer says more than that it was late.
    expect(run.step('between').error).toEqual({ code: 'refused', status: 503 });
    expect(run.step('delayed')).toMatchObject({
      attempts: 0,
      error: { code: 'deadline_exceeded' },
    });
    expect(run.step('waiting').error).toEqual({ code: 'deadline_exceeded' });
    expect(run.step('called')).toEqual({ state: 'running', attempts: 1, startedAt: at(0) });
    run.end('called');
    expect(run.progress.state).toBe('failed');
  });

  test('begins nothing then, also when what was waited for ends just then', () => {
    const run = timed({ a: {}, b: { after: ['a'] } });
    run.now = 60_000;
    run.end('a');
    expect(run.states()).toEqual({ a: 'succeeded', b: 'deadline' });
    expect(run.progress.state).toBe('failed');
  });

  test('makes no next attempt either, and does not count it', () => {
    const run = timed({ a: {} });
    run.end('a', again(59_000));
    run.now = 60_000;
    expect(run.tell({ kind: 'begun', step: 'a', undo: false, attempt: 2 })).toBe(false);
    expect(run.due(60_000)).toBe(true);
    expect(run.step('a')).toMatchObject({ state: 'failed', attempts: 1 });
  });

  test('is looked at for steps that are still to come, though somebody else is called', () => {
    const run = timed({ a: {}, b: { after: ['a'] } });
    expect(run.underway().wakeAt).toBe(START + 60_000);
    run.due(60_000);
    expect(run.states()).toEqual({ a: 'running', b: 'deadline' });
    expect(run.underway().wakeAt).toBeUndefined();
  });

  test('does not keep what happened from being taken back', () => {
    const run = timed({ a: { undo: UNDO }, b: { after: ['a'] } });
    run.end('a');
    run.end('b', again(59_000));
    run.due(60_000);
    expect(run.doing()).toEqual(['a!1']);
    run.end('a', again(70_000), true);
    run.now = 70_000;
    expect(run.tell({ kind: 'begun', step: 'a', undo: true, attempt: 2 })).toBe(true);
    run.end('a', DELIVERED, true);
    expect(run.states()).toEqual({ a: 'succeeded, undo succeeded', b: 'failed' });
  });
});

describe('to call off', () => {
  test('begins nothing more, lets end what is called, and tells who and why', () => {
    const run = of({
      called: {},
      between: {},
      delayed: { delay: 1_000 },
      waiting: WAIT,
      later: { after: ['called'] },
    });
    run.end('between', again(500));
    expect(run.cancel()).toBe(true);
    expect(run.progress.cancelled).toEqual({ at: at(0), by: 'ada', reason: 'a reason' });
    expect(run.states()).toEqual({
      called: 'running',
      between: 'cancelled',
      delayed: 'cancelled',
      waiting: 'cancelled',
      later: 'cancelled',
    });
    expect(run.step('between')).not.toHaveProperty('nextAttemptAt');
    expect(run.progress.state).toBe('running');
    expect(run.cancel()).toBe(false);
    run.end('called');
    expect(run.progress).toMatchObject({ state: 'cancelled', endedAt: at(0) });
    expect(run.step('called').state).toBe('succeeded');
    expect(run.cancel()).toBe(false);
  });

  test('an attempt that would be tried again is not', () => {
    const run = of({ a: {} });
    run.cancel();
    run.end('a', again(500));
    expect(run.step('a')).toMatchObject({ state: 'cancelled', attempts: 1 });
    expect(run.progress.state).toBe('cancelled');
  });

  test('ends as called off also what is optional, and what had already failed', () => {
    const optional = of({ a: { required: false } });
    optional.cancel();
    optional.end('a', REFUSED);
    expect(optional.progress.state).toBe('cancelled');
    const lost = of({ a: {}, b: {} });
    lost.end('a', REFUSED);
    lost.cancel();
    lost.end('b');
    expect(lost.progress.state).toBe('cancelled');
  });
});

describe('a run that is lost', () => {
  test('lets what is called end, with all of its attempts, and begins nothing new', () => {
    const run = of({ a: {}, b: {}, c: { after: ['b'] }, d: { after: ['a'] } });
    run.end('a', EXHAUSTED);
    expect(run.states()).toEqual({ a: 'failed', b: 'running', c: 'upstream', d: 'upstream' });
    run.end('b', again(500));
    expect(run.progress.state).toBe('running');
    run.end('b');
    expect(run.states().b).toBe('succeeded');
    expect(run.progress).toMatchObject({ state: 'failed' });
  });

  test('is not lost by a step that is not required', () => {
    const run = of({ a: { required: false }, b: { after: ['a'], required: false } });
    run.end('a', REFUSED);
    expect(run.doing()).toEqual(['b#1']);
    run.end('b');
    expect(run.progress.state).toBe('succeeded');
  });
});

describe('a stop', () => {
  test('records what ended without what begins next; when it goes on, that begins', () => {
    const pipeline = pipelineOf({ a: {}, b: { after: ['a'] } });
    const run = drive(pipeline, { begins: false });
    run.end('a');
    expect(run.states()).toEqual({ a: 'succeeded', b: 'pending' });
    const next = drive(pipeline);
    next.progress = run.progress;
    expect(next.due(100)).toBe(true);
    expect(next.step('b')).toEqual({ state: 'running', attempts: 1, startedAt: at(100) });
  });

  test('begins nothing to be taken back either', () => {
    const run = drive(pipelineOf({ a: { undo: UNDO }, b: { after: ['a'] } }));
    run.end('a');
    const stopped = drive(run.pipeline, { begins: false });
    stopped.progress = run.progress;
    stopped.end('b', REFUSED);
    expect(stopped.states()).toEqual({ a: 'succeeded, undo pending', b: 'failed' });
    expect(stopped.progress.state).toBe('running');
    run.progress = stopped.progress;
    run.due(5);
    expect(run.doing()).toEqual(['a!1']);
  });
});

describe('optional fields', () => {
  const FIELDS = ['phone', 'mail', 'company', 'news', 'gift', 'note'];
  const SUBSETS = Array.from({ length: 2 ** FIELDS.length }, (_, bits) =>
    FIELDS.filter((_field, i) => (bits >> i) & 1),
  );
  const pipeline = pipelineOf({
    create: {},
    ...Object.fromEntries(
      FIELDS.map((field, i) => [
        field,
        // A chain of three, and three side by side.
        { when: `/${field}`, after: i > 0 && i < 3 ? [FIELDS[i - 1] as string] : ['create'] },
      ]),
    ),
    last: { after: FIELDS },
  });

  test('in each of their 64 subsets give exactly the steps that are declared for them', () => {
    for (const fields of SUBSETS) {
      const run = drive(pipeline, { input: Object.fromEntries(fields.map((one) => [one, 'x'])) });
      const called: string[] = [];
      while (run.progress.state === 'running') {
        const { attempts } = run.underway();
        for (const { step } of attempts) {
          called.push(step.name);
          run.end(step.name);
        }
      }
      expect(called.toSorted()).toEqual(['create', ...fields, 'last'].toSorted());
      // What is skipped holds nobody up; all else keeps its place.
      for (const { name, after } of pipeline.steps)
        for (const other of after)
          if (called.includes(name) && called.includes(other))
            expect(called.indexOf(other)).toBeLessThan(called.indexOf(name));
      for (const field of FIELDS)
        expect(run.states()[field]).toBe(fields.includes(field) ? 'succeeded' : 'condition');
      expect(run.progress.state).toBe('succeeded');
    }
  });
});
