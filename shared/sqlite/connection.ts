/**
 * One SQLite connection: the only file that knows libsql, which is loaded when the first database is opened.
 *
 * It stands between us and what libsql does not forgive: a lone buffer or a boolean as parameter aborts the whole
 * process, text is cut at a NUL, a statement that met a lock or was left before its last row is never
 * done, and prepared statements keep the locks of a closed connection.
 *
 * Fails closed: a parameter that would not come back as it went in is a TypeError.
 */
import { isArrayBuffer, isUint8Array } from 'node:util/types';
import type Libsql from 'libsql';

/** What a `?` may stand for. Text is well formed and without NUL; anything else goes in as bytes. */
export type Param = string | number | null | Uint8Array;

/** For use inside `read` and `write` only. SQL is constant text, for it is prepared once; values are params. */
export interface Connection {
  /** The first row; ask for one only. Integers are numbers, exact to 2^53; blobs are Uint8Array. */
  get<Row>(sql: string, ...params: Param[]): Row | undefined;
  all<Row>(sql: string, ...params: Param[]): Row[];
  /** The number of rows changed. Throws a TypeError for a statement that gives rows. */
  run(sql: string, ...params: Param[]): number;
  /** Several statements at once, without params. */
  exec(sql: string): void;
}

/** The connection as its owner holds it. */
export interface OwnConnection extends Connection {
  readonly inTransaction: boolean;
  /** Begins to read one snapshot. */
  snapshot(): void;
  /** Ends an open transaction, if there still is one; never throws. */
  rollback(): void;
  /** Moves all of the WAL into the file and empties it; `false` when others were in the way. */
  checkpoint(): boolean;
  close(): void;
}

/** How long SQLite itself waits for a lock, in ms: this blocks the event loop, so the long wait is ours. */
const BUSY_TIMEOUT = 10;

/** Opens the file, without looking into it yet. */
export const connect = async (path: string): Promise<OwnConnection> => {
  const { default: Database } = await import('libsql');
  const database = new Database(path);
  const statements = new Map<string, Libsql.Statement>();

  const prepared = (sql: string): Libsql.Statement => {
    const statement = statements.get(sql) ?? database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  // Parameters go in as one array: libsql takes a lone object for a set of named ones.
  const all = <Row>(sql: string, ...params: Param[]): Row[] =>
    prepared(sql)
      .all(params.map(toSql))
      .map((row) => toRow<Row>(row));

  const connection: OwnConnection = {
    // Not with get() of libsql: a statement that was run before or failed would stay as it is.
    get: <Row>(sql: string, ...params: Param[]) => all<Row>(sql, ...params)[0],
    all,
    run: (sql, ...params) => {
      const statement = prepared(sql);
      if (statement.reader) throw new TypeError('a statement that gives rows is for get or all');
      return statement.run(params.map(toSql)).changes;
    },
    exec: (sql) => void database.exec(sql),
    get inTransaction() {
      return database.inTransaction;
    },
    // Takes the lock here: a prepared statement that finds the file locked stays active, and in everybody's way.
    snapshot: () => connection.exec('BEGIN; SELECT 1 FROM sqlite_schema'),
    rollback: () => {
      if (database.inTransaction) attempt(() => database.exec('ROLLBACK'));
    },
    checkpoint: () =>
      connection.get<{ busy: number }>('PRAGMA wal_checkpoint(TRUNCATE)')?.busy === 0,
    close: () => {
      // Prepared statements keep the connection, and with it the locks of WAL, until they are collected as garbage.
      // Leaving WAL and exclusive locking gives the locks back now; it may fail when others use the file, which is fine.
      connection.rollback();
      attempt(() => connection.exec('PRAGMA journal_mode = DELETE'));
      attempt(() => connection.exec('PRAGMA locking_mode = NORMAL'));
      attempt(() => connection.exec('SELECT 1 FROM sqlite_schema'));
      statements.clear();
      attempt(() => database.close());
    },
  };
  // What is deleted is overwritten with zeros: it may be about people.
  connection.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}; PRAGMA secure_delete = ON`);
  return connection;
};

type SqlValue = string | number | bigint | null | Uint8Array;

const toSql = (param: Param, index: number): SqlValue => {
  if (param === null || isUint8Array(param)) return param;
  // A number is bound as REAL, a bigint as INTEGER.
  if (Number.isSafeInteger(param)) return BigInt(param as number);
  if (Number.isFinite(param)) return param;
  if (typeof param === 'string' && !/\0|\p{Cs}/u.test(param)) return param;
  throw new TypeError(
    `parameter ${index + 1} must be a finite number, bytes, null, or well-formed text without NUL`,
  );
};

const toRow = <Row>(row: unknown): Row => {
  const columns = row as Record<string, unknown>;
  for (const [name, value] of Object.entries(columns))
    if (isArrayBuffer(value)) columns[name] = new Uint8Array(value);
  return columns as Row;
};

const attempt = (act: () => unknown): void => {
  try {
    act();
  } catch {
    // Nothing depends on it.
  }
};

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '');

/** Another connection holds the lock: the same may work a little later. */
export const isBusy = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error));

/** The file itself is in trouble (full, read-only, unreadable, in use), not one statement. */
export const isOutage = (error: unknown): boolean =>
  /^SQLITE_(BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|NOMEM|PERM|PROTOCOL|AUTH|NOLFS)/.test(
    codeOf(error),
  );

/** No room, or no right to write: reading may work all the same. */
export const isUnwritable = (error: unknown): boolean =>
  /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN)/.test(codeOf(error));

export const isFull = (error: unknown): boolean => codeOf(error).startsWith('SQLITE_FULL');

export const isReadOnly = (error: unknown): boolean => codeOf(error).startsWith('SQLITE_READONLY');

/** What stands in the file does not fit together. */
export const isDamaged = (error: unknown): boolean => codeOf(error).startsWith('SQLITE_CORRUPT');

/** The file is no SQLite database at all. */
export const isForeign = (error: unknown): boolean => codeOf(error).startsWith('SQLITE_NOTADB');
