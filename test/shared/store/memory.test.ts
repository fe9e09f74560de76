import { describe, expect, test } from '@jest/globals';
import { memoryStore } from '../../../shared/store/memory';
import { ABSENT } from '../../../shared/store/store';
import { storeContract } from '../../contracts/store';
import { longestTurnDuring } from '../../support/longest-turn';
import { manualClock } from '../../support/manual-clock';
import { timersSetDuring } from '../../support/timers';

storeContract('memory', (clock) => memoryStore({ clock }));

describe('memory: what it keeps', () => {
  test('it promises nothing beyond its process', () => {
    expect(memoryStore().capabilities).toMatchObject({
      survivesCrash: false,
      sharedBy: 'process',
      monotoneVersions: false,
    });
  });

  test('expired entries are dropped while others are written, without being asked for', async () => {
    const clock = manualClock();
    const store = memoryStore({ clock });
    for (let index = 0; index < 100; index += 1)
      await store.compareAndSwap(`live${index}`, ABSENT, 0);
    let most = 0;
    for (let index = 0; index < 5_000; index += 1) {
      await store.compareAndSwap(`k${index}`, ABSENT, 0, { ttl: 100 });
      if (index % 10 === 0) await clock.advance(10);
      most = Math.max(most, store.size);
    }
    // Never more than 200 are alive.
    expect(most).toBeLessThan(500);
    expect((await store.list('live', { limit: 1000 })).entries).toHaveLength(100);
  });
});

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('memory: a quiet store', () => {
  test('forgets what expired, and nothing else, and sets no timer when nothing can', async () => {
    const clock = manualClock();
    const store = memoryStore({ clock, sweepInterval: 5 });
    await store.compareAndSwap('never', ABSENT, 0);
    expect(await timersSetDuring(() => sleep(100))).toBeLessThanOrEqual(2);
    for (const ttl of [10, 10, 20]) {
      await store.compareAndSwap(`${ttl}-${store.size}`, ABSENT, 0, { ttl });
    }
    expect(await timersSetDuring(() => sleep(100))).toBeGreaterThan(4);
    expect(store.size).toBe(4);
    await clock.advance(10);
    while (store.size > 2) await sleep(5);
    await sleep(50);
    expect(store.size).toBe(2);
    await clock.advance(10);
    while (store.size > 1) await sleep(5);
    await sleep(50);
    expect(await timersSetDuring(() => sleep(100))).toBeLessThanOrEqual(2);
    // From the next one that can.
    await store.compareAndSwap('a', ABSENT, 0, { ttl: 10 });
    await clock.advance(10);
    while (store.size > 1) await sleep(5);
    await store.close();
  });

  test('forgets also what was written while it swept', async () => {
    const clock = manualClock();
    const store = memoryStore({ clock, sweepInterval: 5 });
    for (let index = 0; index < 5_000; index += 1)
      await store.compareAndSwap(`k${index}`, ABSENT, 0, { ttl: 10 });
    await clock.advance(10);
    while (store.size === 5_000) await sleep(1);
    // One that was looked at already, given another life.
    await store.compareAndSwap('k0', ABSENT, 0, { ttl: 10 });
    while (store.size > 1) await sleep(5);
    await clock.advance(10);
    while (store.size > 0) await sleep(5);
    await store.close();
  });

  test('that is closed sets no timer', async () => {
    const store = memoryStore({ sweepInterval: 5 });
    await store.compareAndSwap('a', ABSENT, 0, { ttl: 1e6 });
    await store.close();
    expect(await timersSetDuring(() => sleep(100))).toBeLessThanOrEqual(2);
  });

  test('of 200,000 entries that expired drops them without a pause', async () => {
    const clock = manualClock();
    const store = memoryStore({ clock, sweepInterval: 5 });
    for (let index = 0; index < 200_000; index += 1)
      await store.compareAndSwap(`k${(index * 7_919) % 200_000}`, ABSENT, 0, { ttl: 10 });
    await store.compareAndSwap('living', ABSENT, 0);
    await clock.advance(10);
    const sizes = new Set<number>();
    const longest = await longestTurnDuring(async () => {
      for (; store.size > 1; await sleep(5)) sizes.add(store.size);
    });
    // Others had their turns in between.
    expect(sizes.size).toBeGreaterThan(20);
    // Ten times what it should be.
    expect(longest).toBeLessThan(200);
    await store.close();
  });

  test.each([[0], [-1], [0.5], [Number.NaN]])('an interval of %d is refused', (sweepInterval) => {
    expect(() => memoryStore({ sweepInterval })).toThrow(/^sweepInterval must be /);
  });
});
