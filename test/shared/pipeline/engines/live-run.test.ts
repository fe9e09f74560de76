import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import {
  advance,
  hasEnded,
  liveRun,
  put,
  show,
  unrecorded,
  until,
} from '../../../../shared/pipeline/engines/live-run';
import { pipelineOf, TRACEPARENT } from './lab';

const PENDING = { state: 'pending', attempts: 0 } as const;
const NOW = Date.UTC(2026, 0, 1);

const run = () =>
  liveRun(
    {
      id: 'id',
      pipeline: pipelineOf({ a: {}, b: { after: ['a'] } }),
      input: {},
      traceparent: TRACEPARENT,
      createdAt: '2026-01-01T00:00:00.000Z',
    },
    { a: PENDING, b: PENDING },
  );

describe('a live run', () => {
  test('is ahead of what is shown until it is recorded', () => {
    const live = run();
    expect(advance(live, { now: NOW, begin: true })).toEqual(['a']);
    expect(Object.keys(unrecorded(live))).toEqual(['a']);
    expect(live.shown.steps.a).toEqual(PENDING);
    show(live, live.results, live.ended);
    expect(unrecorded(live)).toEqual({});
    expect(live.shown.steps.a).toMatchObject({ state: 'running', attempts: 1 });
  });

  test('begins nothing when it may not, but ends', () => {
    const live = run();
    expect(advance(live, { now: NOW, begin: false })).toEqual([]);
    expect(unrecorded(live)).toEqual({});
    for (const step of ['a', 'b']) put(live, step, { state: 'succeeded', attempts: 1 });
    expect(advance(live, { now: NOW, begin: false })).toEqual([]);
    expect(live.ended).toEqual({ state: 'succeeded', endedAt: '2026-01-01T00:00:00.000Z' });
    expect(hasEnded(live.shown)).toBe(false);
    show(live, live.results, live.ended);
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
    show(live, live.results, undefined);
    expect(live.watchers.size).toBe(1);
    show(live, live.results, { state: 'failed', endedAt: '2026-01-01T00:00:00.000Z' });
    await waits[2];
    expect(live.watchers.size).toBe(0);
    expect(getEventListeners(leaving.signal, 'abort')).toEqual([]);
  });
});
