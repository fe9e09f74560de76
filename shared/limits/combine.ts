/**
 * Changes of one entry, combined: those that are pending in this process are made in one compare-and-swap, in their
 * order. A thousand callers that count on one key cost a few swaps instead of a thousand that fail each other
 * (flat combining, Hendler, Incze, Shavit and Tzafrir 2010).
 *
 * Fails closed: a swap that other processes win again and again ends in `store_unavailable`, for all that were in it.
 * Whether a change was made all the same is not known when the store fails in the middle of it.
 */
import { type Clock, systemClock } from '../clock';
import { Failure } from '../failure';
import { type Random, systemRandom } from '../random';
import { ABSENT, type Entry, type Store } from '../store/store';

/** From the value as it is, `undefined` when there is none, to what is written and told. Pure: it may run again. */
export type Change<T, R> = (value: T | undefined) => { readonly value: T; readonly result: R };

export interface Combiner {
  /**
   * Makes the change, once, and lets the entry live for `ttl` ms from then. Rejects with `store_unavailable`, and with
   * what the change throws; then nothing of it was written.
   */
  update<T, R>(
    key: string,
    ttl: number,
    change: Change<T, R>,
    options?: UpdateOptions<T>,
  ): Promise<R>;
}

/** An entry, or that there was none, as far as it is known: the swap finds out whether that still holds. */
export interface Latest<T = unknown> {
  readonly entry: Entry<T> | undefined;
}

export interface UpdateOptions<T> {
  /** What was just read, which saves reading it again. @default it is read */
  readonly latest?: Latest<T>;
}

export interface CombinerOptions {
  /** For the pauses between swaps, which are real whatever time it is for the values. @default systemClock */
  readonly clock?: Clock;
  /** Spreads who tries again. @default systemRandom */
  readonly random?: Random;
}

/** Swaps in a row that others may win; 64 processes that each write at once are through by then. */
export const MAX_SWAPS = 64;
/** So many are tried at once; then each waits a moment of its own, up to `LONGEST_PAUSE` ms. */
const SWAPS_AT_ONCE = 4;
const LONGEST_PAUSE = 16;

interface Pending {
  readonly ttl: number;
  readonly change: Change<unknown, unknown>;
  resolve(result: unknown): void;
  reject(reason: unknown): void;
}

const combiners = new WeakMap<Store, Combiner>();

/** The one of this store: whoever changes its entries in this process shares it. */
export const combinerOf = (store: Store, options?: CombinerOptions): Combiner => {
  const known = combiners.get(store);
  if (known) return known;
  const combiner = createCombiner(store, options);
  combiners.set(store, combiner);
  return combiner;
};

const createCombiner = (
  store: Store,
  { clock = systemClock, random = systemRandom }: CombinerOptions = {},
): Combiner => {
  const queues = new Map<string, Pending[]>();
  const { minTtl } = store.capabilities;

  const write = async (
    key: string,
    batch: readonly Pending[],
    latest: Latest | undefined,
  ): Promise<Latest> => {
    const ttl = batch.reduce((longest, pending) => Math.max(longest, pending.ttl), minTtl);
    let waiting = batch;
    for (let swaps = 0, known = latest; swaps < MAX_SWAPS; swaps++, known = undefined) {
      if (swaps >= SWAPS_AT_ONCE)
        await clock.sleep(1 + random.below(Math.min(2 ** swaps, LONGEST_PAUSE)));
      const entry = known ? known.entry : await store.get(key);
      const { value, made } = applyAll(waiting, entry?.value);
      // What threw is told already, and is not tried again.
      waiting = made.map(({ pending }) => pending);
      if (made.length === 0) return { entry };
      const written = await store.compareAndSwap(key, entry?.version ?? ABSENT, value, { ttl });
      if (!written) continue;
      for (const { pending, result } of made) pending.resolve(result);
      return { entry: written };
    }
    throw new Failure('store_unavailable');
  };

  const work = async (key: string, queue: Pending[], known: Latest | undefined): Promise<void> => {
    let latest = known;
    while (queue.length > 0) {
      const batch = queue.splice(0);
      try {
        latest = await write(key, batch, latest);
      } catch (thrown) {
        latest = undefined;
        for (const { reject } of batch) reject(thrown);
      }
    }
    queues.delete(key);
  };

  return {
    update: <T, R>(
      key: string,
      ttl: number,
      change: Change<T, R>,
      { latest }: UpdateOptions<T> = {},
    ) =>
      new Promise<R>((resolve, reject) => {
        const pending: Pending = {
          ttl,
          change: change as Change<unknown, unknown>,
          resolve: resolve as Pending['resolve'],
          reject,
        };
        const queue = queues.get(key);
        if (queue) {
          queue.push(pending);
          return;
        }
        const fresh = [pending];
        queues.set(key, fresh);
        void work(key, fresh, latest);
      }),
  };
};

/** One after the other; what throws changes nothing and is told at once. */
const applyAll = (batch: readonly Pending[], before: unknown) => {
  const made: { readonly pending: Pending; readonly result: unknown }[] = [];
  let value = before;
  for (const pending of batch) {
    try {
      const changed = pending.change(value);
      value = changed.value;
      made.push({ pending, result: changed.result });
    } catch (thrown) {
      pending.reject(thrown);
    }
  }
  return { value, made };
};
