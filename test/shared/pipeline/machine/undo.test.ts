/** What is taken back when a run is lost or called off, and in which order. */
import { describe, expect, test } from '@jest/globals';
import type { AttemptOutcome } from '../../../../shared/pipeline/attempt';
import { comesAfter, mayHaveHappened } from '../../../../shared/pipeline/machine/undo';
import type { Step } from '../../../../shared/pipeline/pipeline';
import type { StepResult } from '../../../../shared/pipeline/run';
import { pipelineOf, UNDO } from '../engines/lab';
import { again, DELIVERED, drive, EXHAUSTED, REFUSED } from './drive';

const undone = (...after: string[]): Partial<Step> => ({
  after,
  undo: UNDO,
});

describe('whether an effect may have happened', () => {
  const result = (fields: Partial<StepResult>): StepResult => ({
    state: 'failed',
    attempts: 1,
    ...fields,
  });
  const status = (code: number) => result({ error: { code: 'refused', status: code } });
  const code = (text: string) => result({ error: { code: text } });

  test.each([
    ['succeeded', result({ state: 'succeeded' }), true],
    ['an answered wait', result({ state: 'succeeded', attempts: 0 }), true],
    ['skipped', result({ state: 'skipped', attempts: 0, reason: 'upstream' }), false],
    ['pending', result({ state: 'pending', attempts: 0 }), false],
    ['never called', result({ attempts: 0, error: { code: 'deadline_exceeded' } }), false],
    ['called off before', result({ state: 'cancelled', attempts: 0 }), false],
    ['called off between two', { ...status(503), state: 'cancelled' as const }, true],
    ['called off after 422', { ...status(422), state: 'cancelled' as const }, false],
    ...[400, 401, 403, 404, 410, 413, 422, 301].map((of) => [`${of}`, status(of), false] as const),
    ...[408, 409, 425, 429, 500, 503].map((of) => [`${of}`, status(of), true] as const),
    ...['upstream_timeout', 'upstream_unreachable', 'upstream_invalid', 'internal'].map(
      (of) => [of, code(of), true] as const,
    ),
    ...[
      'not_configured',
      'forbidden_target',
      'target_disabled',
      'invalid_request',
      'body_too_large',
    ].map((of) => [of, code(of), false] as const),
  ])('%s', (_name, stands, happened) => {
    expect(mayHaveHappened(stands)).toBe(happened);
  });
});

describe('to take back', () => {
  test('goes against the order of the steps, side by side where they were, and ends the run', () => {
    const run = drive(
      pipelineOf({
        a: undone(),
        b: undone('a'),
        c: undone('a'),
        d: undone('b', 'c'),
        e: { after: ['d'] },
      }),
    );
    for (const step of ['a', 'b', 'c', 'd']) run.end(step);
    run.end('e', REFUSED);
    expect(run.doing()).toEqual(['d!1']);
    run.end('d', DELIVERED, true);
    expect(run.doing()).toEqual(['b!1', 'c!1']);
    run.end('c', DELIVERED, true);
    expect(run.doing()).toEqual(['b!1']);
    run.end('b', DELIVERED, true);
    expect(run.doing()).toEqual(['a!1']);
    expect(run.progress.state).toBe('running');
    run.end('a', DELIVERED, true);
    expect(run.progress.state).toBe('failed');
    expect(run.step('a')).toMatchObject({
      state: 'succeeded',
      undo: { state: 'succeeded', attempts: 1 },
    });
  });

  test('waits for those that come after through steps without an undo', () => {
    const run = drive(
      pipelineOf({ a: undone(), b: { after: ['a'] }, c: undone('b'), d: { after: ['c'] } }),
    );
    for (const step of ['a', 'b', 'c']) run.end(step);
    run.end('d', REFUSED);
    expect(run.doing()).toEqual(['c!1']);
  });

  test('waits until what is called has ended', () => {
    const run = drive(pipelineOf({ a: undone(), b: { after: ['a'] }, c: undone('a') }));
    run.end('a');
    run.end('b', REFUSED);
    expect(run.doing()).toEqual(['c#1']);
    run.end('c');
    expect(run.doing()).toEqual(['c!1']);
  });

  test.each<[string, AttemptOutcome, string]>([
    ['is taken back when nobody knows', EXHAUSTED, 'failed, undo running'],
    ['is not taken back when it was refused', REFUSED, 'failed'],
  ])('the step that failed itself %s', (_name, outcome, state) => {
    const run = drive(pipelineOf({ a: undone() }));
    run.end('a', outcome);
    expect(run.states().a).toBe(state);
  });

  test('goes on with the others when one cannot be, and tells which', () => {
    const run = drive(pipelineOf({ a: undone(), b: undone('a'), c: { after: ['b'] } }));
    run.end('a');
    run.end('b');
    run.end('c', REFUSED);
    run.end('b', again(500), true);
    expect(run.step('b').undo).toMatchObject({ state: 'running', attempts: 1 });
    run.end('b', EXHAUSTED, true);
    expect(run.step('b')).toMatchObject({
      state: 'succeeded',
      undo: { state: 'failed', attempts: 2, error: { code: 'refused', status: 503 } },
    });
    run.end('a', DELIVERED, true);
    expect(run.progress.state).toBe('failed');
  });

  test('takes back what a run had done that was called off', () => {
    const run = drive(pipelineOf({ a: undone(), b: undone('a') }));
    run.end('a');
    run.cancel();
    expect(run.doing()).toEqual(['b#1']);
    run.end('b');
    expect(run.doing()).toEqual(['b!1']);
    run.end('b', DELIVERED, true);
    run.end('a', DELIVERED, true);
    expect(run.progress.state).toBe('cancelled');
  });

  test('happens in no run that succeeds', () => {
    const run = drive(pipelineOf({ a: undone(), b: { after: ['a'], required: false } }));
    run.end('a');
    run.end('b', REFUSED);
    expect(run.states()).toEqual({ a: 'succeeded', b: 'failed' });
    expect(run.progress.state).toBe('succeeded');
  });
});

test('whether a step comes after another is found in time in a graph of 33 levels of 3', () => {
  const steps: Record<string, Partial<Step>> = {};
  for (let level = 0; level < 33; level += 1)
    for (const letter of ['a', 'b', 'c'])
      steps[`${letter}${level}`] =
        level === 0 ? {} : undone(...['a', 'b', 'c'].map((other) => `${other}${level - 1}`));
  const { steps: all } = pipelineOf(steps);
  const last = all.at(-1) as Step;
  expect(comesAfter(all, last, 'a0')).toBe(true);
  expect(comesAfter(all, last, 'b32')).toBe(false);
  expect(comesAfter(all, last, 'nobody')).toBe(false);
  const run = drive(pipelineOf(steps));
  for (let level = 0; level < 33; level += 1)
    for (const letter of ['a', 'b', 'c'])
      run.end(`${letter}${level}`, level === 32 && letter === 'c' ? REFUSED : DELIVERED);
  expect(run.doing()).toEqual(['a32!1', 'b32!1']);
});
