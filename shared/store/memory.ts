/**
 * The store in the memory of one process: for development, tests, and state that may be lost with the process.
 *
 * Fails closed: after `close` every call rejects with `store_unavailable`.
 */
import { type Clock, systemClock } from '../clock';
import { Failure } from '../failure';
import {
  checkList,
  checkVersion,
  encodeValue,
  expiryOf,
  isExpired,
  keyBytes,
  limits,
  prefixBytes,
} from './limits';
import { sortedSet } from './sorted-set';
import {
  ABSENT,
  type Entry,
  type ListOptions,
  type Store,
  type Version,
  type WriteOptions,
} from './store';

export interface MemoryStoreOptions {
  /** Tells when entries expire. @default systemClock */
  readonly clock?: Clock;
}

export interface MemoryStore extends Store {
  /** Entries held, with the expired ones that were not swept yet. */
  readonly size: number;
}

interface Held {
  readonly json: string;
  readonly version: Version;
  readonly expiresAt: number | undefined;
}

/**
 * Each write looks at so many entries and drops those that expired. More than one: the sweep goes faster round than
 * writers can add, so what expired is never more than about what lives.
 */
const SWEPT_PER_WRITE = 2;

export const memoryStore = ({ clock = systemClock }: MemoryStoreOptions = {}): MemoryStore => {
  const held = new Map<string, Held>();
  const order = sortedSet();
  let version: Version = ABSENT;
  let round = held.entries();
  let closed = false;

  const now = (): number => {
    if (closed) throw new Failure('store_unavailable', { detail: 'The store is closed.' });
    return clock.now();
  };

  const remove = (key: string): void => {
    held.delete(key);
    order.delete(key);
  };

  const sweep = (at: number): void => {
    for (let looked = 0; looked < SWEPT_PER_WRITE; looked += 1) {
      const { value, done } = round.next();
      if (done) round = held.entries();
      else if (isExpired(value[1].expiresAt, at)) remove(value[0]);
    }
  };

  const alive = (key: string, at: number): Held | undefined => {
    const found = held.get(key);
    return found && !isExpired(found.expiresAt, at) ? found : undefined;
  };

  return {
    capabilities: {
      ...limits,
      survivesCrash: false,
      sharedBy: 'process',
      clock: 'wall',
      monotoneVersions: false,
    },
    get size() {
      return held.size;
    },
    get: async <T>(key: string) => {
      keyBytes(key);
      const found = alive(key, now());
      return found && toEntry<T>(key, found);
    },
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
      if ((alive(key, at)?.version ?? ABSENT) !== expected) return undefined;
      version += 1;
      const next: Held = { json, version, expiresAt };
      if (!held.has(key)) order.add(key);
      held.set(key, next);
      sweep(at);
      return toEntry<T>(key, next);
    },
    delete: async (key, expected) => {
      keyBytes(key);
      if (expected !== undefined) checkVersion(expected);
      const found = alive(key, now());
      if (!found || (expected !== undefined && found.version !== expected)) return false;
      remove(key);
      return true;
    },
    list: async <T>(prefix: string, options: ListOptions = {}) => {
      prefixBytes(prefix);
      checkList(options);
      const { after, limit = 100 } = options;
      const at = now();
      const entries: Entry<T>[] = [];
      for (const key of order.from(prefix, after)) {
        if (!key.startsWith(prefix)) break;
        const found = alive(key, at);
        if (!found) continue;
        if (entries.length === limit) return { entries, next: (entries.at(-1) as Entry<T>).key };
        entries.push(toEntry<T>(key, found));
      }
      return { entries };
    },
    close: async () => {
      closed = true;
      held.clear();
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
