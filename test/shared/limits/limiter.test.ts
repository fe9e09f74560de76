import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../../shared/clock';
import { createLimiter } from '../../../shared/limits/limiter';
import { memoryStore } from '../../../shared/store/memory';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const start = (hourly = 3, daily = 5) => {
  const clock = { time: Date.UTC(2026, 0, 1), now: () => clock.time, sleep: systemClock.sleep };
  const store = memoryStore({ clock });
  const limiter = createLimiter({
    store,
    clock,
    name: 'test',
    windows: [
      { points: hourly, duration: HOUR },
      { points: daily, duration: DAY },
    ],
  });
  const take = (more: { points?: number; formerKeys?: string[]; unlimited?: boolean } = {}) =>
    limiter.take('key', { at: clock.time, ...more });
  return { clock, store, limiter, take };
};

describe('a limiter', () => {
  test('takes what fits and refuses what does not, with the time until it would', async () => {
    const { take, clock } = start();
    for (let i = 0; i < 3; i++) expect(await take()).toEqual({ taken: true });
    const refused = await take();
    expect(refused).toMatchObject({ taken: false });
    const { retryAfter } = refused as { retryAfter: number };
    clock.time += retryAfter - 1;
    expect(await take()).toMatchObject({ taken: false });
    clock.time += 1;
    expect(await take()).toEqual({ taken: true });
  });

  test('has the room of its narrowest window, and what is refused counts in none', async () => {
    const { take, clock } = start();
    for (let i = 0; i < 3; i++) await take();
    for (let i = 0; i < 50; i++) await take();
    clock.time += HOUR + 60_000;
    expect([await take(), await take(), await take()].map(({ taken }) => taken)).toEqual([
      true,
      true,
      false,
    ]);
    clock.time += HOUR + 60_000;
    expect(await take()).toMatchObject({ taken: false });
  });

  test('takes many points whole or not at all', async () => {
    const { take } = start(10, 10);
    expect(await take({ points: 7 })).toEqual({ taken: true });
    expect(await take({ points: 4 })).toMatchObject({ taken: false });
    expect(await take({ points: 3 })).toEqual({ taken: true });
  });

  test('what takes nothing from a window is not refused by it', async () => {
    const { limiter, store, clock } = start(9, 9);
    await limiter.take('key', { at: clock.time, points: 5 });
    const lowered = createLimiter({
      store,
      clock,
      name: 'test',
      windows: [
        { points: 9, duration: HOUR },
        { points: 3, duration: DAY },
      ],
    });
    const take = (points: readonly number[]) => lowered.take('key', { at: clock.time, points });
    expect(await take([1, 0])).toEqual({ taken: true });
    expect(await take([0, 1])).toMatchObject({ taken: false });
  });

  test('what is given back can be taken again', async () => {
    const { take, limiter, clock } = start();
    for (let i = 0; i < 3; i++) await take();
    await limiter.giveBack('key', { points: 2, at: clock.time });
    expect([await take(), await take(), await take()].map(({ taken }) => taken)).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('a free one counts nothing and is refused nothing', async () => {
    const { take, limiter, clock } = start(1, 1);
    await take();
    expect(await take({ points: 0 })).toEqual({ taken: true });
    await limiter.giveBack('key', { points: 0, at: clock.time });
    expect(await take()).toMatchObject({ taken: false });
  });

  test('counts what stands under former keys, and leaves it there', async () => {
    const { take, limiter, clock } = start();
    await limiter.take('former', { at: clock.time, points: 2 });
    expect(await take({ formerKeys: ['former'] })).toEqual({ taken: true });
    expect(await take({ formerKeys: ['former'] })).toMatchObject({ taken: false });
    expect(await limiter.take('former', { at: clock.time })).toEqual({ taken: true });
  });

  test('without a limit it counts and never refuses', async () => {
    const { take } = start();
    for (let i = 0; i < 10; i++) expect(await take({ unlimited: true })).toEqual({ taken: true });
    expect(await take()).toMatchObject({ taken: false });
  });

  test('forgets what does not count any more', async () => {
    const { take, clock, store } = start();
    await take();
    clock.time += DAY + DAY / 30 - 1;
    expect((await store.list('test:')).entries).toHaveLength(1);
    clock.time += 1;
    expect((await store.list('test:')).entries).toHaveLength(0);
  });

  test('without its store it refuses with store_unavailable', async () => {
    const { take, store } = start();
    await store.close();
    await expect(take()).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  test.each([
    { points: 1.5, duration: HOUR },
    { points: -1, duration: HOUR },
    { points: Number.NaN, duration: HOUR },
    { points: 1, duration: 0 },
    { points: 1, duration: 61 },
  ])('%j is no window', (window) => {
    const { store, clock } = start();
    expect(() => createLimiter({ store, clock, name: 'test', windows: [window] })).toThrow(
      TypeError,
    );
  });
});
