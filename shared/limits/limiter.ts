/**
 * Rate limits on any store: rate-limiter-flexible over our Store port. The only file that knows that library.
 *
 * Of its options only those are used that keep counts exact. Its in-memory block and its insurance limiter would
 * decide without the store, `execEvenly` would hold requests back, `blockDuration` would lengthen what it counts; and
 * where its own stores count in windows that begin with the first call, and count what they refuse, ours slide and
 * count only what was let through. Fails closed: no store, no permission.
 */
import RateLimiterRes from 'rate-limiter-flexible/lib/RateLimiterRes';
import RateLimiterStoreAbstract from 'rate-limiter-flexible/lib/RateLimiterStoreAbstract';
import type { Clock } from '../clock';
import type { Store } from '../store/store';
import { type Combiner, combinerOf } from './combine';
import {
  type Counted,
  current,
  giveBackTo,
  lifeOfAll,
  mostOf,
  type Points,
  sums,
  type TakeFacts,
  takeFrom,
} from './counted';
import { SLOTS, type WindowLimit } from './window';

export type Taken =
  | { readonly taken: true }
  | { readonly taken: false; readonly retryAfter: number };

export interface Take {
  /** The same in every window, or for each its own. @default 1 */
  readonly points?: Points | undefined;
  /** The moment that it counts from, ms since the epoch; `giveBack` wants the same. */
  readonly at: number;
  /** Keys under which the same thing was counted before; what is there counts too. @default none */
  readonly formerKeys?: readonly string[] | undefined;
  /** Counted, and never refused. @default false */
  readonly unlimited?: boolean | undefined;
}

export interface Limiter {
  /** Takes the points from every window or from none. A refusal is written too: it takes as long as a permission. */
  take(key: string, take: Take): Promise<Taken>;
  /** Gives back what was taken at `at` and not used. Not to be repeated: twice is too much. */
  giveBack(
    key: string,
    given: { readonly points?: Points | undefined; readonly at: number },
  ): Promise<void>;
}

export interface LimiterOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Keys begin with it and a colon. */
  readonly name: string;
  /** One or more; each must have room. */
  readonly windows: readonly [WindowLimit, ...WindowLimit[]];
}

/** Throws a TypeError for windows that cannot be counted. `take` and `giveBack` reject with `store_unavailable`. */
export const createLimiter = (options: LimiterOptions): Limiter => {
  for (const { points, duration } of options.windows)
    if (!Number.isSafeInteger(points) || points < 0 || !(duration > 0) || duration % SLOTS !== 0)
      throw new TypeError(
        `${options.name}: points must be whole, duration a multiple of ${SLOTS} ms`,
      );
  const limiter = new StoreLimiter(options);
  return {
    take: async (key, { points = 1, at, formerKeys = [], unlimited = false }) => {
      const besides = await limiter.counted(formerKeys);
      const how: How = { points, at, besides, unlimited };
      return limiter.consume(key, mostOf(points), how).then(
        (): Taken => ({ taken: true }),
        (thrown: unknown): Taken => {
          if (!(thrown instanceof RateLimiterRes)) throw thrown;
          return { taken: false, retryAfter: thrown.msBeforeNext };
        },
      );
    },
    giveBack: async (key, { points = 1, at }) => {
      await limiter.reward(key, mostOf(points), { points, at } satisfies How);
    },
  };
};

/** Beside what the library hands on: it knows one number of points, and no time. */
type How = Omit<TakeFacts, 'now'>;

/** What the library is told: points above its own mean a refusal. */
interface Outcome {
  readonly consumed: number;
  readonly wait: number;
}

class StoreLimiter extends RateLimiterStoreAbstract {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #combiner: Combiner;
  readonly #windows: LimiterOptions['windows'];

  constructor({ store, clock, name, windows }: LimiterOptions) {
    const [{ points, duration }] = windows;
    super({ storeClient: store, keyPrefix: name, points, duration: duration / 1000 });
    this.#store = store;
    this.#clock = clock;
    this.#combiner = combinerOf(store);
    this.#windows = windows;
  }

  /** What counts under these keys, by window. */
  async counted(keys: readonly string[]): Promise<readonly number[]> {
    const all = await Promise.all(keys.map((key) => this._get(this.getKey(key))));
    return this.#windows.map((_, i) => all.reduce((total, held) => total + (held?.[i] ?? 0), 0));
  }

  /** Called by the library. */
  async _get(key: string): Promise<readonly number[] | null> {
    const entry = await this.#store.get<Counted>(key);
    return entry ? sums(current(entry.value, this.#windows, this.#clock.now())) : null;
  }

  /** Called by the library: negative points give back. */
  _upsert(key: string, points: number, _: number, replaces: boolean, how: How): Promise<Outcome> {
    if (replaces) throw new TypeError('a sliding count can neither be set nor blocked');
    const limits = this.#windows;
    return this.#combiner.update<Counted, Outcome>(key, lifeOfAll(limits), (before) => {
      const facts = { ...how, now: this.#clock.now() };
      if (points < 0)
        return { value: giveBackTo(before, limits, facts), result: { consumed: 0, wait: 0 } };
      const { value, wait } = takeFrom(before, limits, facts);
      return { value, result: { consumed: wait > 0 ? this.points + 1 : 0, wait } };
    });
  }

  /** Called by the library. */
  _delete(key: string): Promise<boolean> {
    return this.#store.delete(key);
  }

  /** Called by the library. */
  _getRateLimiterRes(
    _key: string,
    _points: number,
    outcome: Outcome | readonly number[],
  ): RateLimiterRes {
    const { consumed, wait } =
      'consumed' in outcome ? outcome : { consumed: outcome[0] ?? 0, wait: 0 };
    return new RateLimiterRes(Math.max(0, this.points - consumed), wait, consumed);
  }
}
