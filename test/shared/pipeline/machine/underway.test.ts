/** What an engine has to be doing for a run. */
import { expect, test } from '@jest/globals';
import { pipelineOf, UNDO } from '../engines/lab';
import { again, at, DELIVERED, drive, REFUSED, START } from './drive';

test('each attempt has a number, a time, and a name that stays the same as long as it is the same', () => {
  const run = drive(pipelineOf({ a: {}, b: {} }));
  expect(run.underway().attempts).toMatchObject([
    { id: 'a#1', attempt: 1, undo: false, startedAt: START, step: { name: 'a' } },
    { id: 'b#1', attempt: 1, undo: false, startedAt: START },
  ]);
  expect(run.underway().attempts[0]).not.toHaveProperty('at');
  run.end('a', again(500));
  expect(run.underway().attempts[0]).toMatchObject({ id: 'a#2', attempt: 2, at: START + 500 });
  run.now = 500;
  run.tell({ kind: 'begun', step: 'a', undo: false, attempt: 2 });
  expect(run.underway().attempts[0]).toMatchObject({ id: 'a#2', startedAt: START });
  expect(run.underway().attempts[0]).not.toHaveProperty('at');
});

test('what undoes a step is another call, under another name', () => {
  const run = drive(pipelineOf({ a: { undo: UNDO }, b: { after: ['a'] } }));
  run.end('a');
  run.end('b', REFUSED);
  const [activity] = run.underway().attempts;
  expect(activity).toMatchObject({ id: 'a!1', undo: true, attempt: 1, call: UNDO });
  expect(activity?.step.name).toBe('a');
});

test('another generation has another name', () => {
  const run = drive(pipelineOf({ a: { undo: UNDO }, b: {} }));
  run.end('a');
  run.end('b', REFUSED);
  run.end('a', DELIVERED, true);
  run.replay();
  expect(run.underway().attempts).toMatchObject([{ id: 'a:2#1', generation: 2 }, { id: 'b#1' }]);
  run.end('a');
  run.end('b', REFUSED);
  expect(run.underway().attempts).toMatchObject([{ id: 'a:2!1', generation: 2, undo: true }]);
});

test('nothing is under way in a run that has ended, whatever its steps say', () => {
  const run = drive(pipelineOf({ a: {}, b: {} }));
  run.progress = { ...run.progress, state: 'failed', endedAt: at(0) };
  expect(run.underway()).toEqual({ attempts: [] });
});

test('the clock is looked at for the deadline while something could still be late', () => {
  const run = drive(pipelineOf({ a: {} }, 'timed', { deadline: 60_000 }));
  // Who is being called is told its time by the call itself.
  expect(run.underway()).not.toHaveProperty('wakeAt');
  run.end('a', again(500));
  expect(run.underway().wakeAt).toBe(START + 60_000);
});
