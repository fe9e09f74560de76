/** What the memory store holds, expired or not. */
import { isExpired } from './limits';
import { sortedSet } from './sorted-set';
import { ABSENT, type Version } from './store';

export interface Held {
  readonly json: string;
  readonly version: Version;
  readonly expiresAt: number | undefined;
}

export interface MemoryEntries {
  readonly size: number;
  /** No entry expires before; infinite when none ever does. */
  readonly soonest: number;
  alive(key: string, now: number): Held | undefined;
  /** Writes the entry under the next version of all. */
  put(key: string, json: string, expiresAt: number | undefined): Held;
  remove(key: string): void;
  /** The keys from `first` on and behind `after`, in order. */
  keys(first: string, after?: string): Iterable<string>;
  /** Looks at the next few entries and drops those that expired; round and round. */
  sweep(now: number, most: number): void;
  /** Looks at all of them once, a few for each item that is taken. */
  sweepAll(now: number, most: number): Iterable<void>;
  clear(): void;
}

export const memoryEntries = (): MemoryEntries => {
  const held = new Map<string, Held>();
  const order = sortedSet();
  let version: Version = ABSENT;
  let round = held.entries();
  let soonest = Number.POSITIVE_INFINITY;

  const remove = (key: string): void => {
    held.delete(key);
    order.delete(key);
  };

  const noteExpiry = (expiresAt = Number.POSITIVE_INFINITY): void => {
    soonest = Math.min(soonest, expiresAt);
  };

  return {
    get size() {
      return held.size;
    },
    get soonest() {
      return soonest;
    },
    alive: (key, now) => {
      const found = held.get(key);
      return found && !isExpired(found.expiresAt, now) ? found : undefined;
    },
    put: (key, json, expiresAt) => {
      version += 1;
      const next: Held = { json, version, expiresAt };
      if (!held.has(key)) order.add(key);
      held.set(key, next);
      noteExpiry(expiresAt);
      return next;
    },
    remove,
    keys: (first, after) => order.from(first, after),
    sweep: (now, most) => {
      for (let looked = 0; looked < most; looked += 1) {
        const { value, done } = round.next();
        if (done) round = held.entries();
        else if (isExpired(value[1].expiresAt, now)) remove(value[0]);
      }
    },
    *sweepAll(now, most) {
      // Whoever is written from here on notes its expiry itself.
      soonest = Number.POSITIVE_INFINITY;
      let looked = 0;
      for (const [key, { expiresAt }] of held) {
        if (isExpired(expiresAt, now)) remove(key);
        else noteExpiry(expiresAt);
        looked += 1;
        if (looked % most === 0) yield;
      }
    },
    clear: () => {
      held.clear();
      order.clear();
    },
  };
};
