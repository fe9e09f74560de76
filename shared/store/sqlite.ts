/**
 * The store in a SQLite file: shared by the processes of one machine, and whatever it acknowledged survives a crash.
 *
 * The file is opened at the first call; when that fails, the next call tries again. Fails closed: `store_unavailable`;
 * a file that is full or may not be written is still read.
 *
 * What is deleted, overwritten or expired is gone from the disk within `sweepInterval`, as long as the process lives
 * and nobody else keeps reading: pages are zeroed (`secure_delete`), and the WAL is emptied.
 */
import { type Clock, systemClock } from '../clock';
import { SWEEP_INTERVAL } from './every';
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
import { alive, listed, sweep, toEntry, versionOf, write } from './sqlite-entries';
import { storeFile } from './sqlite-file';
import {
  ABSENT,
  type Entry,
  type ListOptions,
  type Store,
  type Version,
  type WriteOptions,
} from './store';
import { createWatchers } from './watchers';

export interface SqliteStoreOptions {
  /** The file; made with its folders when it does not exist. */
  readonly path: string;
  /** Tells when entries expire; all processes on one file must agree on the time. @default systemClock */
  readonly clock?: Clock;
  /** While somebody watches: how often to look whether another process has written, in ms. @default 200 */
  readonly pollInterval?: number;
  /** How long after its expiry an entry may stay in the file when nobody writes, in ms. @default 10000 */
  readonly sweepInterval?: number;
}

export const sqliteStore = ({
  path,
  clock = systemClock,
  pollInterval = 200,
  sweepInterval = SWEEP_INTERVAL,
}: SqliteStoreOptions): Store => {
  checkInterval(pollInterval, 'pollInterval');
  checkInterval(sweepInterval, 'sweepInterval');
  const { database, polling, close } = storeFile({
    path,
    clock,
    sweepInterval,
    pollInterval,
    onChanged: () => watchers.changed(),
  });

  const get = async <T>(key: string): Promise<Entry<T> | undefined> => {
    const bytes = keyBytes(key);
    const found = await (await database()).read((db) => alive(db, bytes, clock.now()));
    return found && toEntry<T>(found);
  };

  const watchers = createWatchers({
    clock,
    read: get,
    onWatched: () => {
      polling.start();
      return polling.stop;
    },
  });

  return {
    capabilities: {
      ...limits,
      survivesCrash: true,
      sharedBy: 'machine',
      clock: 'wall',
      monotoneVersions: true,
    },
    get,
    compareAndSwap: async <T>(
      key: string,
      expected: Version,
      value: T,
      options: WriteOptions = {},
    ) => {
      const bytes = keyBytes(key);
      checkVersion(expected);
      const json = encodeValue(value);
      expiryOf(options, clock.now());
      const written = await (await database()).write((db) => {
        const now = clock.now();
        if ((versionOf(db, bytes, now) ?? ABSENT) !== expected) return undefined;
        const row = write(db, bytes, json, expiryOf(options, now));
        sweep(db, now);
        return row;
      });
      if (written) watchers.changed(key);
      return written && toEntry<T>(written);
    },
    delete: async (key, expected) => {
      const bytes = keyBytes(key);
      if (expected !== undefined) checkVersion(expected);
      const deleted = await (await database()).write((db) => {
        const version = versionOf(db, bytes, clock.now());
        if (version === undefined || (expected !== undefined && version !== expected)) return false;
        return db.run('DELETE FROM entries WHERE key = ?', bytes) > 0;
      });
      if (deleted) watchers.changed(key);
      return deleted;
    },
    list: async <T>(prefix: string, options: ListOptions = {}) => {
      const start = prefixBytes(prefix);
      const { after, limit } = checkList(options);
      const rows = await (await database()).read((db) =>
        listed(db, start, after, clock.now(), limit + 1),
      );
      const entries = rows.slice(0, limit).map((row) => toEntry<T>(row));
      const last = entries.at(-1);
      return { entries, ...(rows.length > limit && last && { next: last.key }) };
    },
    watch: watchers.watch,
    close: () => {
      const closing = close();
      watchers.close();
      return closing;
    },
  };
};
