/**
 * The store in a SQLite file: shared by the processes of one machine, and whatever it acknowledged survives a crash.
 *
 * The file is opened at the first call; when that fails, the next call tries again. Fails closed: `store_unavailable`.
 */
import { type Clock, systemClock } from '../clock';
import { Failure } from '../failure';
import { type Connection, type Database, openDatabase } from '../sqlite';
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
import {
  ABSENT,
  type Entry,
  type ListOptions,
  type Store,
  type Version,
  type WriteOptions,
} from './store';

export interface SqliteStoreOptions {
  /** The file; made with its folders when it does not exist. */
  readonly path: string;
  /** Tells when entries expire; all processes on one file must agree on the time. @default systemClock */
  readonly clock?: Clock;
}

/** "fpst" */
const APPLICATION_ID = 0x66707374;

/** Versions come from a counter of their own, so that they grow over deletes and restarts as well. */
const MIGRATIONS = [
  `CREATE TABLE entries (
     key BLOB NOT NULL PRIMARY KEY,
     version INTEGER NOT NULL,
     value TEXT NOT NULL,
     expires_at INTEGER
   ) STRICT;
   CREATE INDEX entries_by_expiry ON entries (expires_at) WHERE expires_at IS NOT NULL;
   CREATE TABLE counter (version INTEGER NOT NULL) STRICT;
   INSERT INTO counter VALUES (0);`,
];

/** Each write drops at most so many expired entries: more than it can add, and never a long pause. */
const SWEPT_PER_WRITE = 2;

interface Row {
  readonly key: Uint8Array;
  readonly version: Version;
  readonly value: string;
  readonly expiresAt: number | null;
}

const COLUMNS = 'key, version, value, expires_at AS expiresAt';

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
        const row = {
          key: bytes,
          value: json,
          version: nextVersion(db),
          expiresAt: expiryOf(options, now) ?? null,
        };
        db.run(
          `INSERT INTO entries VALUES (?, ?, ?, ?) ON CONFLICT (key)
           DO UPDATE SET version = excluded.version, value = excluded.value, expires_at = excluded.expires_at`,
          row.key,
          row.version,
          row.value,
          row.expiresAt,
        );
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
        db.all<Row>(
          `SELECT ${COLUMNS} FROM entries
           WHERE key >= ? AND key > ? AND key < ? AND (expires_at IS NULL OR expires_at > ?)
           ORDER BY key LIMIT ?`,
          start,
          after ?? EMPTY,
          endOf(start),
          clock.now(),
          limit + 1,
        ),
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

const EMPTY = Buffer.alloc(0);

/** The first bytes behind all keys with this prefix; UTF-8 has no byte 0xff, so the last one can grow. */
const endOf = (prefix: Buffer): Buffer => {
  if (prefix.length === 0) return Buffer.of(0xff);
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) as number) + 1;
  return end;
};

const alive = (db: Connection, key: Buffer, now: number): Row | undefined => {
  const row = db.get<Row>(`SELECT ${COLUMNS} FROM entries WHERE key = ?`, key);
  return row && !isExpired(row.expiresAt, now) ? row : undefined;
};

const versionOf = (db: Connection, key: Buffer, now: number): Version | undefined =>
  db.get<{ version: Version }>(
    'SELECT version FROM entries WHERE key = ? AND (expires_at IS NULL OR expires_at > ?)',
    key,
    now,
  )?.version;

const nextVersion = (db: Connection): Version => {
  const row = db.get<{ version: Version }>(
    'UPDATE counter SET version = version + 1 RETURNING version',
  );
  if (!row) throw new Error('the counter of versions is missing');
  return row.version;
};

const sweep = (db: Connection, now: number): void =>
  void db.run(
    `DELETE FROM entries WHERE key IN
     (SELECT key FROM entries WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
    now,
    SWEPT_PER_WRITE,
  );

const toEntry = <T>({ key, version, value, expiresAt }: Row): Entry<T> => ({
  key: Buffer.from(key).toString(),
  value: JSON.parse(value) as T,
  version,
  ...(expiresAt !== null && { expiresAt }),
});
