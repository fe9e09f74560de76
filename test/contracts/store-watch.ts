/** What watching does in every store. */
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ABSENT, type Entry, type Store } from '../../shared/store/store';
import { type ManualClock, manualClock } from '../support/manual-clock';

type State<T = unknown> = Entry<T> | undefined;

export const watchContract = (
  name: string,
  open: (clock: ManualClock) => Store | Promise<Store>,
): void => {
  let clock: ManualClock;
  let store: Store;
  /** Who sleeps by the clock of the store. */
  let sleeping: number;
  const aborts: AbortController[] = [];

  beforeEach(async () => {
    const inner = manualClock();
    sleeping = 0;
    clock = {
      ...inner,
      sleep: async (ms, signal, options) => {
        sleeping += 1;
        await inner.sleep(ms, signal, options).finally(() => {
          sleeping -= 1;
        });
      },
    };
    store = await open(clock);
  });
  afterEach(async () => {
    for (const abort of aborts.splice(0)) abort.abort();
    await store.close();
  });

  const put = async <T>(key: string, value: T, ttl?: number): Promise<Entry<T>> => {
    const version = (await store.get(key))?.version ?? ABSENT;
    const entry = await store.compareAndSwap(key, version, value, ttl === undefined ? {} : { ttl });
    if (!entry) throw new Error(`${key} was not written`);
    return entry;
  };

  const watch = <T>(key: string) => {
    const abort = new AbortController();
    aborts.push(abort);
    const states = store.watch<T>(key, abort.signal)[Symbol.asyncIterator]();
    return {
      abort: () => abort.abort(),
      listeners: () => getEventListeners(abort.signal, 'abort').length,
      next: () => states.next(),
      /** The next state; there has to be one. */
      state: async (): Promise<State<T>> => {
        const { done, value } = await states.next();
        if (done) throw new Error('the watcher is over');
        return value;
      },
      leave: () => states.return?.(),
    };
  };
  const OVER = { done: true, value: undefined };

  describe(`${name}: watch`, () => {
    test('the first state is the present one', async () => {
      const entry = await put('a', { n: 1 }, 1_000);
      expect(await watch('a').state()).toEqual(entry);
      expect(await watch('b').state()).toBeUndefined();
    });

    test('then each change comes to who keeps up, also a delete, and a key that did not exist', async () => {
      const { state } = watch('a');
      expect(await state()).toBeUndefined();
      for (const value of [1, 2]) {
        const entry = await put('a', value);
        expect(await state()).toEqual(entry);
      }
      await store.delete('a');
      expect(await state()).toBeUndefined();
      const again = await put('a', 3);
      expect(await state()).toEqual(again);
    });

    test('a change ends the wait for it', async () => {
      const { state } = watch('a');
      await state();
      const created = state();
      expect(await isPending(created)).toBe(true);
      const entry = await put('a', 1);
      expect(await created).toEqual(entry);
      const deleted = state();
      await store.delete('a', entry.version);
      expect(await deleted).toBeUndefined();
    });

    test('what is refused, and what happens to other keys, is no state', async () => {
      const { version } = await put('a', 1);
      const { state } = watch('a');
      await state();
      const next = state();
      await store.compareAndSwap('a', version + 1, 2);
      await store.delete('a', version + 1);
      for (const key of ['aa', 'A', 'b']) await put(key, 1);
      await store.delete('aa');
      expect(await isPending(next)).toBe(true);
      const second = await put('a', 3);
      expect(await next).toEqual(second);
    });

    test('an entry that expires is gone at that very instant, without anybody reading', async () => {
      await put('a', 1, 1_000);
      const { state } = watch('a');
      await state();
      const gone = state();
      await clock.advance(999);
      expect(await isPending(gone)).toBe(true);
      await clock.advance(1);
      expect(await gone).toBeUndefined();
      const again = await put('a', 2, 10);
      expect(await state()).toEqual(again);
    });

    test('a life that is set anew, or has no end any more, is waited for anew', async () => {
      await put('a', 1, 1_000);
      const { state } = watch('a');
      await state();
      await clock.advance(600);
      const renewed = await put('a', 2, 1_000);
      expect(await state()).toEqual(renewed);
      const gone = state();
      await clock.advance(999);
      expect(await isPending(gone)).toBe(true);
      await clock.advance(1);
      expect(await gone).toBeUndefined();
      await put('a', 3, 1_000);
      await state();
      await put('a', 4);
      expect(await state()).toMatchObject({ value: 4 });
      const never = state();
      await clock.advance(1e6);
      expect(await isPending(never)).toBe(true);
    });

    test('an entry that lives for days is gone in time as well, and its watcher wakes seldom', async () => {
      const day = 86_400_000;
      await put('a', 1, 3 * day);
      const { state } = watch('a');
      await state();
      const gone = state();
      await clock.advance(3 * day - 1);
      expect(await isPending(gone)).toBe(true);
      await clock.advance(1);
      expect(await gone).toBeUndefined();
    });

    test('what expired while nobody asked for the next state is gone', async () => {
      await put('a', 1, 1_000);
      const { state } = watch('a');
      await state();
      await clock.advance(5_000);
      expect(await state()).toBeUndefined();
    });

    test('of 1,000 writes the last one is seen, and nothing twice or out of order', async () => {
      const seen: Entry<number>[] = [];
      const abort = new AbortController();
      const watching = (async () => {
        for await (const entry of store.watch<number>('a', abort.signal)) {
          if (entry) seen.push(entry);
          if (entry?.value === 999) break;
        }
      })();
      let version = ABSENT;
      for (let value = 0; value < 1_000; value += 1)
        version = (await store.compareAndSwap('a', version, value))?.version as number;
      await watching;
      expect(seen.at(-1)).toEqual(await store.get('a'));
      const versions = seen.map((entry) => entry.version);
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    });

    test('who is slow finds the latest, and one older state before it at most', async () => {
      const { state } = watch<number>('a');
      await state();
      for (let value = 0; value < 1_000; value += 1) await put('a', value);
      const first = await state();
      const found = first?.value === 999 ? first : await state();
      expect(found?.value).toBe(999);
      expect(await isPending(state())).toBe(true);
    });

    test('a key that was deleted and written again has its new version', async () => {
      const first = await put('a', 1);
      const { state } = watch('a');
      await state();
      const next = state();
      await store.delete('a');
      const second = await put('a', 1);
      const seen = (await next) ?? (await state());
      expect(seen).toEqual(second);
      expect(second.version).toBeGreaterThan(first.version);
    });

    test('each watcher has every state for itself: what it does to a value changes nothing', async () => {
      const [one, two] = [watch<number[]>('a'), watch<number[]>('a')];
      await Promise.all([one.state(), two.state()]);
      await put('a', [1]);
      const [mine, theirs] = await Promise.all([one.state(), two.state()]);
      mine?.value.push(2);
      expect(theirs?.value).toEqual([1]);
      expect((await store.get('a'))?.value).toEqual([1]);
      one.abort();
      await put('a', [3]);
      expect((await two.state())?.value).toEqual([3]);
    });

    test('500 watchers of one key all learn of a change', async () => {
      const all = Array.from({ length: 500 }, () => watch('a'));
      await Promise.all(all.map(({ state }) => state()));
      const next = Promise.all(all.map(({ state }) => state()));
      const entry = await put('a', 1);
      expect(new Set((await next).map((state) => state?.version))).toEqual(
        new Set([entry.version]),
      );
    });
  });

  describe(`${name}: the end of a watcher`, () => {
    test('comes when the signal aborts, without an error: while it waits, between two states, before the first', async () => {
      const waits = watch('a');
      await waits.state();
      const waiting = waits.next();
      waits.abort();
      expect(await waiting).toEqual(OVER);
      expect(await waits.next()).toEqual(OVER);

      const between = watch('a');
      await between.state();
      await put('a', 1);
      between.abort();
      expect(await between.next()).toEqual(OVER);

      const before = watch('a');
      before.abort();
      expect(await before.next()).toEqual(OVER);
    });

    const endings: [string, (watcher: ReturnType<typeof watch>) => unknown][] = [
      ['left', ({ leave }) => leave()],
      ['aborted', ({ abort }) => abort()],
      ['of a store that is closed', () => store.close()],
    ];
    test.each(endings)('leaves nothing behind: one that is %s', async (_, end) => {
      await put('a', 1, 1_000);
      const idle = watch('a');
      const waiting = watch('a');
      await Promise.all([idle.state(), waiting.state()]);
      const next = waiting.next();
      expect(await isPending(next)).toBe(true);
      expect([idle.listeners(), waiting.listeners(), sleeping]).toEqual([1, 1, 1]);
      await Promise.all([end(idle), end(waiting)]);
      expect(await next).toEqual(OVER);
      await turns();
      // Also of the one that nobody asked again.
      expect([idle.listeners(), waiting.listeners(), sleeping]).toEqual([0, 0, 0]);
      expect(await idle.next()).toEqual(OVER);
    });

    test('comes with the loop that is left, by break or by a throw', async () => {
      await put('a', 1, 1_000);
      const { signal } = new AbortController();
      const listeners = () => getEventListeners(signal, 'abort').length;
      for await (const entry of store.watch('a', signal)) {
        expect([entry?.value, listeners()]).toEqual([1, 1]);
        break;
      }
      expect([listeners(), sleeping]).toEqual([0, 0]);
      const throwing = async () => {
        for await (const _ of store.watch('a', signal)) throw new RangeError('mine');
      };
      await expect(throwing()).rejects.toThrow(new RangeError('mine'));
      expect([listeners(), sleeping]).toEqual([0, 0]);
    });

    test('a thousand changes leave no listener and no timer behind but the last', async () => {
      const { state, listeners } = watch('a');
      await state();
      for (let value = 0; value < 1_000; value += 1) {
        const next = state();
        await put('a', value, 1_000);
        await next;
      }
      expect(await isPending(state())).toBe(true);
      expect([listeners(), sleeping]).toEqual([1, 1]);
    });

    test('after close nobody begins to watch', async () => {
      await store.close();
      await expect(watch('a').next()).rejects.toMatchObject({ code: 'store_unavailable' });
    });

    test.each([
      ['empty', ''],
      ['of 1025 bytes', 'k'.repeat(1025)],
      ['with a lone surrogate', '\ud800'],
    ])('a key %s is a TypeError', async (_, key) => {
      const { next, listeners } = watch(key);
      await expect(next()).rejects.toMatchObject({
        name: 'TypeError',
        message: expect.stringMatching(/^key must /),
      });
      expect(listeners()).toBe(0);
    });
  });

  describe(`${name}: watching as a whole`, () => {
    test('whatever happens, a watcher sees states that were, in their order, and the last of all', async () => {
      const step = fc.oneof(
        fc.record({
          act: fc.constant('put' as const),
          ttl: fc.option(fc.integer({ min: 1, max: 30 })),
        }),
        fc.record({ act: fc.constant('delete' as const) }),
        fc.record({ act: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 20 }) }),
        fc.record({ act: fc.constant('turns' as const) }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
          await store.delete('a');
          const were: Entry<unknown>[] = [];
          const seen: State[] = [];
          const abort = new AbortController();
          const watching = (async () => {
            for await (const state of store.watch('a', abort.signal)) seen.push(state);
          })();
          for (const [index, it] of steps.entries()) {
            if (it.act === 'put') were.push(await put('a', index, it.ttl ?? undefined));
            else if (it.act === 'delete') await store.delete('a');
            else if (it.act === 'advance') await clock.advance(it.ms);
            else await turns(3);
          }
          await turns();
          const last = await store.get('a');
          // What is further away than this process may take its time, but not for ever.
          for (let left = 2_000; left > 0 && seen.at(-1)?.version !== last?.version; left -= 1)
            await new Promise((resolve) => setTimeout(resolve, 1));
          abort.abort();
          await watching;
          expect(seen.at(-1)).toEqual(last);
          const versions = seen.flatMap((state) => (state ? [state.version] : []));
          expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
          for (const state of seen) if (state) expect(were).toContainEqual(state);
          for (const [index, state] of seen.entries())
            if (index > 0) expect(state?.version).not.toBe(seen[index - 1]?.version);
        }),
        { numRuns: 100 },
      );
    });
  });
};

/** Enough turns of the event loop for whatever can happen without time passing. */
const turns = async (count = 20): Promise<void> => {
  for (let left = count; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
};

const isPending = async (promise: Promise<unknown>): Promise<boolean> => {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  await turns();
  return !settled;
};
