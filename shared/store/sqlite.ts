/**
 * The store in a SQLite file: shared by the processes of one machine, and whatever it acknowledged survives a crash.
 *
 * The file is opened at the first call; when that fails, the next call tries again. Fails closed: `store_unavailable`.
 */
import { type Clock, systemClock } from '../clock';
import { Failure } from '../failure';
import { type Database, openDatabase } from '../sqlite';
import {
  checkList,
  checkVersion,
  encodeValue,
  expiryOf,
  keyBytes,
  limits,
  prefixBytes,
} from './limits';
import {
  APPLICATION_ID,
  alive,
  listed,
  MIGRATIONS,
  sweep,
  toEntry,
  versionOf,
  write,
} from './sqlite-entries';
import { ABSENT, type ListOptions, type Store, type Version, type WriteOptions } from './store';

export interface SqliteStoreOptions {
  /** The file; made with its folders when it does not exist. */
  readonly path: string;
  /** Tells when entries expire; all processes on one file must agree on the time. @default systemClock */
  readonly clock?: Clock;
}

export const sqliteStore = ({ path, clock = systemClock }: SqliteStoreOptions): Store => {
  let opening: Promise<Database> | undefined;
  let closed = false;

  const database = (): Promise<Database> => {
    if (closed)
      return Promise.reject(new Failure('store_unavailable', { detail: 'The store is closed.' }));
    opening ??= openDatabase({
      path,
      applicationId: APPLICATION_ID,
      migrations: MIGRATIONS,
    }).catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };

  return {
    capabilities: {
      ...limits,
      survivesCrash: true,
      sharedBy: 'machine',
      clock: 'wall',
      monotoneVersions: true,
    },
    get: async <T>(key: string) => {
      const bytes = keyBytes(key);
      const found = await (await database()).read((db) => alive(db, bytes, clock.now()));
      return found && toEntry<T>(found);
    },
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
      return written && toEntry<T>(written);
    },
    delete: async (key, expected) => {
      const bytes = keyBytes(key);
      if (expected !== undefined) checkVersion(expected);
      return (await database()).write((db) => {
        const version = versionOf(db, bytes, clock.now());
        if (version === undefined || (expected !== undefined && version !== expected)) return false;
        return db.run('DELETE FROM entries WHERE key = ?', bytes) > 0;
      });
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
    close: async () => {
      closed = true;
      // A file that could not be opened has nothing to close.
      await opening?.then(
        (db) => db.close(),
        () => undefined,
      );
    },
  };
};
