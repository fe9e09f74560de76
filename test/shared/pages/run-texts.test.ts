import { describe, expect, test } from '@jest/globals';
import { type DescribeRun, describeRun, type RunFacts } from '../../../shared/pages/run-texts';
import { RUN_WORDS } from '../../../shared/pages/run-words';
import type { Run, StepResult } from '../../../shared/pipeline/run';

const FACTS: RunFacts = {
  graph: 'g',
  steps: {
    a: { attempts: 5, required: false },
    b: { attempts: 3, required: true },
    c: { attempts: 5, required: true, wait: 60_000 },
  },
  words: RUN_WORDS,
};
const DONE: StepResult = { state: 'succeeded', attempts: 1 };
const PENDING: StepResult = { state: 'pending', attempts: 0 };
const DEAD: StepResult = { state: 'failed', attempts: 3, error: { code: 'refused', status: 503 } };

const runOf = (fields: Partial<Run> = {}): Run => ({
  id: 'r1',
  pipeline: 'p',
  graph: 'g',
  state: 'running',
  steps: { a: DONE, b: PENDING, c: PENDING },
  createdAt: '2026-01-01T00:00:00.000Z',
  deadlineAt: '2026-01-02T00:00:00.000Z',
  ...fields,
});
const stepOf = (result: StepResult, fields: Partial<Run> = {}, name = 'b') =>
  describeRun(runOf({ ...fields, steps: { a: DONE, [name]: result } }), FACTS).steps[name];

test('the text that the browser gets needs nothing from outside of itself', () => {
  const alone = new Function(`return ${describeRun}`)() as DescribeRun;
  const run = runOf({
    state: 'failed',
    endedAt: '2026-01-01T00:01:01.000Z',
    steps: {
      a: {
        ...DONE,
        output: { id: 1 },
        undo: { state: 'failed', attempts: 2, error: { code: 'x' } },
      },
      b: { ...DEAD, startedAt: '2026-01-01T00:00:00.000Z', endedAt: '2026-01-01T00:00:01.234Z' },
      c: { ...PENDING, state: 'running', startedAt: '2026-01-01T00:00:00.000Z', generation: 2 },
    },
    cancelled: { at: '2026-01-01T00:00:09.000Z', by: 'ada', reason: 'No.' },
    replays: [
      { at: '2026-01-01T00:00:05.000Z', by: 'bob', reason: 'Yes.', steps: ['b'], resend: true },
    ],
  });
  expect(alone(run, FACTS)).toEqual(describeRun(run, FACTS));
});

describe('a run in words', () => {
  const summary = (fields: Partial<Run>) => describeRun(runOf(fields), FACTS).summary;
  const waiting: StepResult = { ...PENDING, state: 'running' };

  test.each<[string, Partial<Run>]>([
    ['1 of 3 steps have ended.', {}],
    [
      'Waits for an answer: c. 1 of 3 steps have ended.',
      { steps: { a: DONE, b: PENDING, c: waiting } },
    ],
    ['3 of 3 steps done.', { state: 'succeeded', steps: { a: DONE, b: DONE, c: DONE } }],
    [
      '1 of 3 steps done, 1 skipped, optional ones failed: b.',
      {
        state: 'succeeded',
        steps: { a: DONE, b: DEAD, c: { state: 'skipped', reason: 'condition', attempts: 0 } },
      },
    ],
    ['Failed at b.', { state: 'failed', steps: { a: DEAD, b: DEAD } }],
    ['Out of time before every step was done.', { state: 'failed' }],
    [
      'A required step has failed: what was done is being undone.',
      { steps: { a: { ...DONE, undo: { state: 'running', attempts: 1 } }, b: DEAD } },
    ],
    [
      'Called off: what is under way may end, and what can be undone is.',
      { cancelled: { at: '', by: 'ada', reason: '' } },
    ],
    ['Called off by ada.', { state: 'cancelled', cancelled: { at: '', by: 'ada', reason: '' } }],
  ])('%s', (text, fields) => {
    expect(summary(fields)).toBe(text);
  });

  test('can be cancelled until it ends or was, and replayed from then on', () => {
    const order = (fields: Partial<Run>) => describeRun(runOf(fields), FACTS).order;
    expect(order({})).toBe('cancel');
    expect(order({ cancelled: { at: '', by: '', reason: '' } })).toBe('');
    for (const state of ['succeeded', 'failed', 'cancelled'] as const)
      expect(order({ state })).toBe('replay');
  });

  test('tells what was asked of it in its order, with who and why', () => {
    const { history } = describeRun(
      runOf({
        state: 'cancelled',
        cancelled: { at: '2026-01-01T00:00:07.000Z', by: 'ada', reason: 'Enough.' },
        replays: [
          {
            at: '2026-01-01T00:00:05.000Z',
            by: 'bob',
            reason: 'Up.',
            steps: ['b', 'c'],
            resend: false,
          },
          { at: '2026-01-01T00:00:06.000Z', by: 'eve', reason: 'New.', steps: ['b'], resend: true },
          { at: '2026-01-01T00:00:08.000Z', by: 'eve', reason: 'Undo.', steps: [], resend: false },
        ],
      }),
      FACTS,
    );
    expect(history.map(({ what, by, reason }) => [what, by, reason])).toEqual([
      ['Replayed: b, c', 'bob', 'Up.'],
      ['Replayed, sent anew: b', 'eve', 'New.'],
      ['Cancelled', 'ada', 'Enough.'],
      ['Undone once more', 'eve', 'Undo.'],
    ]);
  });

  test.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1_000, '1.0 s'],
    [59_999, '59.9 s'],
    [60_000, '1 min 0 s'],
    [3_600_000, '1 h 0 min'],
    [90_000_000, '1 d 1 h'],
  ])('%i ms are %s', (ms, text) => {
    const endedAt = new Date(Date.parse('2026-01-01T00:00:00.000Z') + ms).toISOString();
    expect(describeRun(runOf({ state: 'succeeded', endedAt }), FACTS).took).toBe(text);
  });
});

describe('a step in words', () => {
  test('between two attempts: how many of how many, what went wrong, when it goes on', () => {
    const at = '2026-01-01T00:00:09.000Z';
    expect(stepOf({ ...DEAD, state: 'running', attempts: 2, nextAttemptAt: at })).toMatchObject({
      state: 'running',
      attempts: '2 of 3',
      next: { text: 'next try', at },
      error: 'refused 503',
      meaning: 'The receiver had a fault of its own.',
      order: '',
    });
    expect(stepOf({ ...PENDING, state: 'running', nextAttemptAt: at })).toMatchObject({
      attempts: '',
      next: { text: 'begins', at },
    });
  });

  test('waiting for an answer: until when, and that it can be given', () => {
    expect(
      stepOf({ state: 'running', attempts: 0, startedAt: '2026-01-01T00:00:00.000Z' }, {}, 'c'),
    ).toMatchObject({
      why: 'waits for an answer',
      next: { text: 'time is up', at: '2026-01-01T00:01:00.000Z' },
      order: 'answer',
    });
  });

  test.each([
    [
      { code: 'refused', status: 302 },
      'The receiver sent it elsewhere, and a redirect is never followed.',
    ],
    [{ code: 'refused', status: 422 }, 'The receiver refused it, and would refuse the same again.'],
    [{ code: 'refused', status: 429 }, 'The receiver had more calls than it takes.'],
    [{ code: 'refused', status: 100 }, 'The receiver did not take it.'],
    [{ code: 'wait_timeout' }, 'Nobody answered in time.'],
    [{ code: 'of_tomorrow' }, ''],
  ])('%j means: %s', (error, meaning) => {
    expect(stepOf({ state: 'failed', attempts: 1, error })?.meaning).toBe(meaning);
  });

  test('that has succeeded says nothing of the errors before', () => {
    expect(stepOf({ ...DEAD, state: 'succeeded' })).toMatchObject({
      error: '',
      meaning: '',
      note: '3 attempts',
    });
  });

  test('taken back: how that stands', () => {
    const undo = { state: 'failed', attempts: 3, error: { code: 'refused', status: 500 } } as const;
    expect(stepOf({ ...DONE, undo })?.undo).toBe(
      'Its effect: not undone, after 3 attempts, refused 500',
    );
    expect(stepOf({ ...DONE, undo: { state: 'succeeded', attempts: 1 } })?.undo).toBe(
      'Its effect: undone',
    );
  });

  test('can be replayed when it failed, was cut off or taken back, once the run has ended', () => {
    const order = (result: StepResult) => stepOf(result, { state: 'failed' })?.order;
    expect(order(DEAD)).toBe('replay');
    expect(order({ state: 'cancelled', attempts: 1 })).toBe('replay');
    expect(order({ state: 'skipped', attempts: 0, reason: 'upstream' })).toBe('replay');
    expect(order({ ...DONE, undo: { state: 'succeeded', attempts: 1 } })).toBe('replay');
    expect(order(DONE)).toBe('');
    expect(order({ state: 'skipped', attempts: 0, reason: 'condition' })).toBe('');
    expect(stepOf(DEAD)?.order).toBe('');
  });
});
