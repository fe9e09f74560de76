import { describe, expect, test } from '@jest/globals';
import { Failure } from '../../../shared/failure';
import { combinerOf, MAX_SWAPS } from '../../../shared/limits/combine';
import { memoryStore } from '../../../shared/store/memory';
import type { Store } from '../../../shared/store/store';

const one = (value: number | undefined) => ({ value: (value ?? 0) + 1, result: (value ?? 0) + 1 });

/** Counts swaps; `before` runs ahead of each. */
const watched = (before: (store: Store) => Promise<void> = async () => {}) => {
  const inner = memoryStore();
  const counts = { reads: 0, swaps: 0 };
  const store: Store = {
    ...inner,
    get: (key) => {
      counts.reads += 1;
      return inner.get(key);
    },
    compareAndSwap: async (...args) => {
      counts.swaps += 1;
      await before(inner);
      return inner.compareAndSwap(...args);
    },
  };
  return { store, inner, counts };
};

describe('changes of one entry', () => {
  test('a thousand at once cost a few swaps, and each has its own result', async () => {
    const { store, inner, counts } = watched();
    const combiner = combinerOf(store);
    const results = await Promise.all(
      Array.from({ length: 1_000 }, () => combiner.update('count', 1_000, one)),
    );
    expect(results).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1));
    expect((await inner.get('count'))?.value).toBe(1_000);
    expect(counts.swaps).toBeLessThan(10);
    expect(counts.reads).toBeLessThan(10);
  });

  test('whoever changes a store in this process shares its combiner', () => {
    const { store } = watched();
    expect(combinerOf(store)).toBe(combinerOf(store));
    expect(combinerOf(store)).not.toBe(combinerOf({ ...store }));
  });

  test('a swap that another process wins is made again on what that one wrote', async () => {
    let others = 3;
    const { store, inner } = watched(async (store) => {
      if (others === 0) return;
      others -= 1;
      const entry = await store.get<number>('count');
      await store.compareAndSwap('count', entry?.version ?? 0, (entry?.value ?? 0) + 100);
    });
    expect(await combinerOf(store).update('count', 1_000, one)).toBe(301);
    expect((await inner.get('count'))?.value).toBe(301);
  });

  test('others that win again and again end in store_unavailable, within bounds', async () => {
    const { store, counts } = watched(async (store) => {
      const entry = await store.get<number>('count');
      await store.compareAndSwap('count', entry?.version ?? 0, 0);
    });
    await expect(combinerOf(store).update('count', 1_000, one)).rejects.toMatchObject({
      code: 'store_unavailable',
    });
    expect(counts.swaps).toBe(MAX_SWAPS);
  });

  test('what throws changes nothing, and hinders none of the others', async () => {
    const { store, inner } = watched();
    const combiner = combinerOf(store);
    const outcomes = await Promise.allSettled([
      combiner.update('count', 1_000, one),
      combiner.update('count', 1_000, () => {
        throw new Error('not this one');
      }),
      combiner.update('count', 1_000, one),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await inner.get('count'))?.value).toBe(2);
  });

  test('a store that fails fails all that waited, and the next try is a new one', async () => {
    let down = true;
    const { store } = watched(async () => {
      if (down) throw new Failure('store_unavailable');
    });
    const combiner = combinerOf(store);
    const outcomes = await Promise.allSettled([
      combiner.update('count', 1_000, one),
      combiner.update('count', 1_000, one),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    down = false;
    expect(await combiner.update('count', 1_000, one)).toBe(1);
  });

  test('what was just read is not read again; when it is old by then, it is', async () => {
    const { store, counts } = watched();
    const combiner = combinerOf(store);
    await combiner.update('count', 1_000, one, { latest: { entry: undefined } });
    expect(counts).toEqual({ reads: 0, swaps: 1 });
    await new Promise(setImmediate);
    expect(await combiner.update('count', 1_000, one, { latest: { entry: undefined } })).toBe(2);
    expect(counts).toEqual({ reads: 1, swaps: 3 });
  });

  test('an entry lives as long as the longest of its changes asks', async () => {
    const { store, inner } = watched();
    const combiner = combinerOf(store);
    await Promise.all([
      combiner.update('first', 1_000, one),
      combiner.update('count', 1_000, one),
      combiner.update('count', 3_600_000, one),
      combiner.update('count', 1_000, one),
    ]);
    const entry = await inner.get('count');
    expect((entry?.expiresAt as number) - Date.now()).toBeGreaterThan(3_000_000);
  });
});
