/** The tables of the store file, and what is done with them inside a transaction. */
import type { Connection } from '../sqlite';
import { isExpired } from './limits';
import type { Entry, Version } from './store';

/** "fpst" */
export const APPLICATION_ID = 0x66707374;

/** Versions come from a counter of their own, so that they grow over deletes and restarts as well. */
export const MIGRATIONS = [
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
const SWEPT_PER_STEP = 500;
/** Few, for each may be as large as a value can be. */
const SWEPT_AT_ONCE = 10;
/** How long a step goes on, in ms. */
const STEP = 5;

export interface Row {
  readonly key: Uint8Array;
  readonly version: Version;
  readonly value: string;
  readonly expiresAt: number | null;
}

const COLUMNS = 'key, version, value, expires_at AS expiresAt';

const EMPTY = Buffer.alloc(0);

/** The first bytes behind all keys with this prefix; UTF-8 has no byte 0xff, so the last one can grow. */
const endOf = (prefix: Buffer): Buffer => {
  if (prefix.length === 0) return Buffer.of(0xff);
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) as number) + 1;
  return end;
};

export const alive = (db: Connection, key: Buffer, now: number): Row | undefined => {
  const row = db.get<Row>(`SELECT ${COLUMNS} FROM entries WHERE key = ?`, key);
  return row && !isExpired(row.expiresAt, now) ? row : undefined;
};

export const versionOf = (db: Connection, key: Buffer, now: number): Version | undefined =>
  db.get<{ version: Version }>(
    'SELECT version FROM entries WHERE key = ? AND (expires_at IS NULL OR expires_at > ?)',
    key,
    now,
  )?.version;

/** Writes the entry under the next version of all. */
export const write = (
  db: Connection,
  key: Buffer,
  value: string,
  expiresAt: number | undefined,
): Row => {
  const row: Row = { key, value, version: nextVersion(db), expiresAt: expiresAt ?? null };
  db.run(
    `INSERT INTO entries VALUES (?, ?, ?, ?) ON CONFLICT (key)
     DO UPDATE SET version = excluded.version, value = excluded.value, expires_at = excluded.expires_at`,
    row.key,
    row.version,
    row.value,
    row.expiresAt,
  );
  return row;
};

/** The living entries with this prefix behind `after`, in the order of their keys. */
export const listed = (
  db: Connection,
  prefix: Buffer,
  after: Buffer | undefined,
  now: number,
  limit: number,
): Row[] =>
  db.all<Row>(
    `SELECT ${COLUMNS} FROM entries
     WHERE key >= ? AND key > ? AND key < ? AND (expires_at IS NULL OR expires_at > ?)
     ORDER BY key LIMIT ?`,
    prefix,
    after ?? EMPTY,
    endOf(prefix),
    now,
    limit,
  );

const nextVersion = (db: Connection): Version => {
  const row = db.get<{ version: Version }>(
    'UPDATE counter SET version = version + 1 RETURNING version',
  );
  if (!row) throw new Error('the counter of versions is missing');
  return row.version;
};

/** Drops so many expired entries at most, those first that expired first; how many it were. */
const drop = (db: Connection, now: number, most: number): number =>
  db.run(
    `DELETE FROM entries WHERE rowid IN
     (SELECT rowid FROM entries WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
    now,
    most,
  );

/** Along with each write. */
export const sweep = (db: Connection, now: number): void => void drop(db, now, SWEPT_PER_WRITE);

/** One step when nobody writes: within a few milliseconds, and a commit that is no larger than it has to be. */
export const sweepMore = (db: Connection, now: number): void => {
  const end = performance.now() + STEP;
  for (let left = SWEPT_PER_STEP; left > 0 && performance.now() < end; left -= SWEPT_AT_ONCE)
    if (drop(db, now, SWEPT_AT_ONCE) < SWEPT_AT_ONCE) return;
};

export const hasExpired = (db: Connection, now: number): boolean =>
  db.get('SELECT 1 FROM entries WHERE expires_at <= ? LIMIT 1', now) !== undefined;

export const toEntry = <T>({ key, version, value, expiresAt }: Row): Entry<T> => ({
  key: Buffer.from(key).toString(),
  value: JSON.parse(value) as T,
  version,
  ...(expiresAt !== null && { expiresAt }),
});
