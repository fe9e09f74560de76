import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import {
  dueAt,
  hasEnded,
  liveRun,
  notify,
  show,
  until,
} from '../../../../shared/pipeline/engines/live-run';
import { begin } from '../../../../shared/pipeline/machine/begin';
import { transition } from '../../../../shared/pipeline/machine/transition';
import { type Activity, underway } from '../../../../shared/pipeline/machine/underway';
import { pipelineOf, TRACEPARENT } from './lab';

const NOW = Date.UTC(2026, 0, 1);
const pipeline = pipelineOf({ a: { expose: ['/c'], keep: ['/k'] }, b: { after: ['a'] } });

const run = () =>
  liveRun({
    serial: 1,
    record: {
      id: 'id',
      pipeline,
      input: { secret: 'of the input' },
      traceparent: TRACEPARENT,
      createdAt: '2026-01-01T00:00:00.000Z',
    },
    progress: begin(pipeline, { input: {}, isConfigured: () => true, now: NOW }),
  });
const ended = (step: string) =>
  ({
    kind: 'ended',
    step,
    undo: false,
    attempt: 1,
    outcome: { verdict: 'delivered', output: { c: 1 }, kept: { '/k': 'kept' } },
  }) as const;

describe('a live run', () => {
  test('is ahead of what is shown until it is recorded', () => {
    const live = run();
    live.progress = transition(pipeline, live.progress, ended('a'), { now: NOW });
    expect(live.shown.steps.a).toMatchObject({ state: 'running', attempts: 1 });
    show(live, live.progress);
    expect(live.saved).toBe(live.progress);
    expect(live.shown.steps).toMatchObject({ a: { state: 'succeeded' }, b: { state: 'running' } });
  });

  test('shows neither the input, nor what is kept of an answer, nor by what an answer is known', () => {
    const live = run();
    const changed = transition(pipeline, live.progress, ended('a'), { now: NOW });
    const a = { ...changed.results.a, answered: 'digest' } as (typeof changed.results)[string];
    show(live, { ...changed, results: { ...changed.results, a } });
    expect(live.shown.steps.a).toMatchObject({ output: { c: 1 } });
    expect(JSON.stringify(live.shown)).not.toMatch(/kept|digest|answered|of the input|00-0af/);
  });

  test('has ended when that is recorded, not when it is decided', () => {
    const live = run();
    for (const step of ['a', 'b'])
      live.progress = transition(pipeline, live.progress, ended(step), { now: NOW });
    expect(hasEnded(live.progress)).toBe(true);
    expect(hasEnded(live.shown)).toBe(false);
    show(live, live.progress);
    expect(hasEnded(live.shown)).toBe(true);
  });

  test('forgets who no longer waits for it', async () => {
    const live = run();
    const leaving = new AbortController();
    const ends = () => hasEnded(live.shown);
    const waits = [
      until(live, leaving.signal, ends),
      until(live, AbortSignal.abort(), ends),
      until(live, new AbortController().signal, ends),
    ];
    await waits[1];
    expect(live.watchers.size).toBe(2);
    leaving.abort();
    await waits[0];
    expect(live.watchers.size).toBe(1);
    notify(live);
    show(live, live.progress);
    expect(live.watchers.size).toBe(1);
    show(live, { ...live.progress, state: 'failed', endedAt: '2026-01-01T00:00:00.000Z' });
    await waits[2];
    expect(live.watchers.size).toBe(0);
    expect(getEventListeners(leaving.signal, 'abort')).toEqual([]);
  });
});

describe('somebody has to look at a run', () => {
  const at = (at?: number) => ({ ...(at !== undefined && { at }) }) as Activity;

  test.each([
    [{ attempts: [at()] }, 0],
    [{ attempts: [at(7), at()], wakeAt: 5 }, 0],
    [{ attempts: [at(7), at(6)], wakeAt: 9 }, 6],
    [{ attempts: [at(7)], wakeAt: 5 }, 5],
    [{ attempts: [], wakeAt: 5 }, 5],
    [{ attempts: [] }, Number.MAX_SAFE_INTEGER],
  ])('with %j at %d', (open, due) => {
    expect(dueAt(open)).toBe(due);
  });

  test('whose first step is called at once: now', () => {
    expect(dueAt(underway(pipeline, run().progress))).toBe(0);
  });
});
