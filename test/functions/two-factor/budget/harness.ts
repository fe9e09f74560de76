import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type BudgetOptions,
  createBudgets,
  type Settled,
  type Wish,
} from '../../../../functions/two-factor/budget/budgets';
import {
  BUDGET_SETTINGS,
  type BudgetConfig,
  readLimits,
} from '../../../../functions/two-factor/budget/settings';
import { type Clock, systemClock } from '../../../../shared/clock';
import { readConfig } from '../../../../shared/config';
import { memoryStore } from '../../../../shared/store/memory';
import { redisStore } from '../../../../shared/store/redis';
import { sqliteStore } from '../../../../shared/store/sqlite';
import type { Store } from '../../../../shared/store/store';
import { testContext } from '../../../support/invoke';
import { startRedis } from '../../../support/redis';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** As the environment has it: what is not given is the default. */
export const configOf = (environment: Record<string, string> = {}): BudgetConfig => {
  const { config, mistakes } = readConfig(BUDGET_SETTINGS, environment, { production: true });
  if (mistakes.length > 0) throw new TypeError(JSON.stringify(mistakes));
  return config;
};

export interface StartOptions<C extends Clock = Clock> {
  readonly environment?: Record<string, string>;
  readonly store?: Store;
  readonly clock?: C;
  readonly settle?: BudgetOptions['settle'];
}

const defaults = readLimits(configOf());

/** Time that a test sets. */
export type Hand = Clock & { time: number };

export const handClock = (): Hand => {
  const clock = { time: Date.UTC(2026, 0, 1), now: () => clock.time, sleep: systemClock.sleep };
  return clock;
};

/** Budgets on real parts; challenges that nobody settles stay live. */
export const start = <C extends Clock = Hand>({
  environment,
  clock = handClock() as Clock as C,
  store = memoryStore({ clock }),
  settle = async (): Promise<Settled> => ({ state: 'live' }),
}: StartOptions<C> = {}) => {
  const { log, lines } = testContext();
  const { limits, prices } = environment ? readLimits(configOf(environment)) : defaults;
  const budgets = createBudgets({ store, clock, log, limits, prices, settle });
  return { budgets, store, clock, lines, limits, prices };
};

let challenges = 0;

/** A wish for somebody who has asked for nothing yet, as far as it is not told. */
export const wishOf = (wish: Partial<Wish> = {}): Wish => {
  challenges += 1;
  return {
    challenge: `challenge-${challenges}`,
    userDigests: [`user-${challenges}`],
    destinationDigests: [`destination-${challenges}`],
    decoy: false,
    phone: undefined,
    clientAddress: undefined,
    messages: true,
    ...wish,
  };
};

/** `{ granted: true }` or why not. */
export const verdictOf = (grant: { granted: boolean; reason?: string }): string =>
  grant.granted ? 'granted' : (grant.reason ?? 'no reason');

export const tally = (verdicts: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const verdict of verdicts) counts[verdict] = (counts[verdict] ?? 0) + 1;
  return counts;
};

/** A store with as many ways in as asked for, each as another process would have. */
export interface Shared {
  readonly stores: readonly Store[];
  close(): Promise<void>;
}

export type OpenShared = (count: number, clock?: Clock) => Promise<Shared>;

const memory: OpenShared = async (count, clock) => {
  const store = memoryStore(clock ? { clock } : {});
  // Another object each, so that nothing is combined with what others do.
  return { stores: Array.from({ length: count }, () => ({ ...store })), close: store.close };
};

const sqlite: OpenShared = async (count, clock) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'budget-'));
  const options = { path: path.join(folder, 'store.db'), ...(clock && { clock }) };
  const stores = Array.from({ length: count }, () => sqliteStore(options));
  return {
    stores,
    close: async () => {
      await Promise.all(stores.map((store) => store.close()));
      await rm(folder, { recursive: true, force: true });
    },
  };
};

const redis: OpenShared = async (count, clock) => {
  const server = await startRedis();
  // Patient: the machine may have other things to do.
  const options = { url: server.url, timeout: 20_000, ...(clock && { clock }) };
  const stores = Array.from({ length: count }, () => redisStore(options));
  return {
    stores,
    close: async () => {
      await Promise.all(stores.map((store) => store.close()));
      await server.stop();
    },
  };
};

export const sharedStores = { memory, sqlite, redis };
export const storeNames = ['memory', 'sqlite', 'redis'] as const;

export interface Counted {
  readonly store: Store;
  readonly counts: { reads: number; writes: number };
}

/** Counts what is asked of a store. */
export const counting = (store: Store): Counted => {
  const counts = { reads: 0, writes: 0 };
  return {
    counts,
    store: {
      ...store,
      get: (key) => {
        counts.reads += 1;
        return store.get(key);
      },
      compareAndSwap: (...args) => {
        counts.writes += 1;
        return store.compareAndSwap(...args);
      },
    },
  };
};
