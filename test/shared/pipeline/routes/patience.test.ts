import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import type { Clock } from '../../../../shared/clock';
import { createPatience } from '../../../../shared/pipeline/routes/patience';
import { manualClock } from '../../../support/manual-clock';

const never = () => new AbortController().signal;

/** How many sleep at once, at most and now. */
const watched = () => {
  const clock = manualClock();
  const sleeping = { now: 0, most: 0, begun: 0 };
  const sleep: Clock['sleep'] = async (ms, signal, options) => {
    sleeping.begun += 1;
    sleeping.now += 1;
    sleeping.most = Math.max(sleeping.most, sleeping.now);
    try {
      await clock.sleep(ms, signal, options);
    } finally {
      sleeping.now -= 1;
    }
  };
  return { clock: { ...clock, sleep }, sleeping };
};

describe('patience', () => {
  test('ends after its time and not before', async () => {
    const clock = manualClock();
    const { signal } = createPatience(clock)(2_000, never());
    await clock.advance(1_999);
    expect(signal.aborted).toBe(false);
    await clock.advance(1);
    expect(signal.aborted).toBe(true);
  });

  test('is at most 50 ms longer than it was to be', async () => {
    const clock = manualClock();
    await clock.advance(1);
    const { signal } = createPatience(clock)(2_000, never());
    await clock.advance(2_000);
    expect(signal.aborted).toBe(false);
    await clock.advance(49);
    expect(signal.aborted).toBe(true);
  });

  test('of no time has ended at once', () => {
    expect(createPatience(manualClock())(0, never()).signal.aborted).toBe(true);
  });

  test('ends with the signal, at once when that has aborted already, and leaves nothing on it', async () => {
    const patience = createPatience(manualClock());
    const leaving = new AbortController();
    const { signal } = patience(2_000, leaving.signal);
    leaving.abort();
    expect(signal.aborted).toBe(true);
    expect(getEventListeners(leaving.signal, 'abort')).toEqual([]);
    expect(patience(2_000, leaving.signal).signal.aborted).toBe(true);
  });

  test('does not end once it is released, and leaves nothing on the signal', async () => {
    const clock = manualClock();
    const leaving = new AbortController();
    const { signal, release } = createPatience(clock)(2_000, leaving.signal);
    release();
    expect(getEventListeners(leaving.signal, 'abort')).toEqual([]);
    await clock.advance(10_000);
    leaving.abort();
    expect(signal.aborted).toBe(false);
  });

  test('is one sleep for all, and a shorter one is not kept waiting by a longer', async () => {
    const { clock, sleeping } = watched();
    const patience = createPatience(clock);
    const waits = [3_000, 2_000, 1_000, 2_000].map((ms) => patience(ms, never()).signal);
    const ended = () => waits.map(({ aborted }) => aborted);
    await clock.advance(0);
    expect(sleeping.now).toBe(1);
    await clock.advance(1_000);
    expect(ended()).toEqual([false, false, true, false]);
    await clock.advance(1_000);
    expect(ended()).toEqual([false, true, true, true]);
    await clock.advance(1_000);
    expect(ended()).toEqual([true, true, true, true]);
    await clock.advance(0);
    expect(sleeping.now).toBe(0);
  });

  test('costs no sleep of its own when a thousand others wait as long', async () => {
    const { clock, sleeping } = watched();
    const patience = createPatience(clock);
    for (let count = 0; count < 1_000; count += 1) patience(30_000, never()).release();
    await clock.advance(60_000);
    expect(sleeping).toEqual({ now: 0, most: 1, begun: 1 });
  });

  test('keeps no process alive', () => {
    const options: unknown[] = [];
    const sleep: Clock['sleep'] = (_ms, _signal, option) => {
      options.push(option);
      return new Promise(() => undefined);
    };
    createPatience({ ...manualClock(), sleep })(1_000, never());
    expect(options).toEqual([{ ref: false }]);
  });
});
