/**
 * The store in the memory of one process: for development, tests, and state that may be lost with the process.
 *
 * Fails closed: after `close` every call rejects with `store_unavailable`.
 */
import { type Clock, systemClock } from '../clock';
import { Failure } from '../failure';
import { every, pause, SWEEP_INTERVAL, SWEEP_REST } from './every';
import {
  checkInterval,
  checkList,
  checkVersion,
  encodeValue,
  expiryOf,
  keyBytes,
  limits,
  prefixBytes,
} from './limits';
import { type Held, memoryEntries } from './memory-entries';
import {
  ABSENT,
  type Entry,
  type ListOptions,
  type Store,
  type Version,
  type WriteOptions,
} from './store';
import { createWatchers } from './watchers';

export interface MemoryStoreOptions {
  /** Tells when entries expire. @default systemClock */
  readonly clock?: Clock;
  /** How long after its expiry an entry may still be held when nobody writes, in ms. @default 10000 */
  readonly sweepInterval?: number;
}

export interface MemoryStore extends Store {
  /** Entries held, with the expired ones that were not swept yet. */
  readonly size: number;
}

/**
 * Each write looks at so many entries and drops those that expired. More than one: the sweep goes faster round than
 * writers can add, so what expired is never more than about what lives.
 */
const SWEPT_PER_WRITE = 2;
/** Looked at in one turn of the event loop when nobody writes: about a millisecond. */
const SWEPT_PER_TURN = 500;

export const memoryStore = ({
  clock = systemClock,
  sweepInterval = SWEEP_INTERVAL,
}: MemoryStoreOptions = {}): MemoryStore => {
  checkInterval(sweepInterval, 'sweepInterval');
  const entries = memoryEntries();
  let closed = false;

  const now = (): number => {
    if (closed) throw new Failure('store_unavailable', { detail: 'The store is closed.' });
    return clock.now();
  };

  const sweeping = every(sweepInterval, async (signal) => {
    if (entries.soonest <= clock.now())
      for (const _ of entries.sweepAll(clock.now(), SWEPT_PER_TURN))
        await pause(SWEEP_REST, signal);
    if (entries.soonest === Number.POSITIVE_INFINITY) sweeping.stop();
  });

  const get = async <T>(key: string): Promise<Entry<T> | undefined> => {
    keyBytes(key);
    const found = entries.alive(key, now());
    return found && toEntry<T>(key, found);
  };
  const watchers = createWatchers({ clock, read: get });

  return {
    capabilities: {
      ...limits,
      survivesCrash: false,
      sharedBy: 'process',
      clock: 'wall',
      monotoneVersions: false,
    },
    get size() {
      return entries.size;
    },
    get,
    compareAndSwap: async <T>(
      key: string,
      expected: Version,
      value: T,
      options: WriteOptions = {},
    ) => {
      keyBytes(key);
      checkVersion(expected);
      const json = encodeValue(value);
      const at = now();
      const expiresAt = expiryOf(options, at);
      if ((entries.alive(key, at)?.version ?? ABSENT) !== expected) return undefined;
      const written = entries.put(key, json, expiresAt);
      entries.sweep(at, SWEPT_PER_WRITE);
      if (expiresAt !== undefined) sweeping.start();
      watchers.changed(key);
      return toEntry<T>(key, written);
    },
    delete: async (key, expected) => {
      keyBytes(key);
      if (expected !== undefined) checkVersion(expected);
      const found = entries.alive(key, now());
      if (!found || (expected !== undefined && found.version !== expected)) return false;
      entries.remove(key);
      watchers.changed(key);
      return true;
    },
    list: async <T>(prefix: string, options: ListOptions = {}) => {
      prefixBytes(prefix);
      checkList(options);
      const { after, limit = 100 } = options;
      const at = now();
      const page: Entry<T>[] = [];
      for (const key of entries.keys(prefix, after)) {
        if (!key.startsWith(prefix)) break;
        const found = entries.alive(key, at);
        if (!found) continue;
        if (page.length === limit) return { entries: page, next: (page.at(-1) as Entry<T>).key };
        page.push(toEntry<T>(key, found));
      }
      return { entries: page };
    },
    watch: watchers.watch,
    close: async () => {
      closed = true;
      sweeping.stop();
      watchers.close();
      entries.clear();
    },
  };
};

/** A copy: what a caller does to it changes nothing here. */
const toEntry = <T>(key: string, { json, version, expiresAt }: Held): Entry<T> => ({
  key,
  value: JSON.parse(json) as T,
  version,
  ...(expiresAt !== undefined && { expiresAt }),
});
