/**
 * One SQLite connection: the only file that knows libsql, which is loaded when the first database is opened.
 *
 * It stands between us and what libsql does not forgive: a lone buffer or a boolean as parameter aborts the whole
 * process, text is cut at a NUL, a statement that failed once fails for ever, and prepared statements keep
 * the locks of a closed connection. Fails closed: a parameter that would not come back as it went in is a TypeError.
 */
import { isArrayBuffer, isUint8Array } from 'node:util/types';
import type Libsql from 'libsql';

/** What a `?` may stand for. Text is well formed and without NUL; anything else goes in as bytes. */
export type Param = string | number | null | Uint8Array;

/** For use inside `read` and `write` only. SQL is constant text, for it is prepared once; values are params. */
export interface Connection {
  /** The first row. Integers are numbers, exact to 2^53; blobs are Uint8Array. */
  get<Row>(sql: string, ...params: Param[]): Row | undefined;
  all<Row>(sql: string, ...params: Param[]): Row[];
  /** The number of rows changed. */
  run(sql: string, ...params: Param[]): number;
  /** Several statements at once, without params. */
  exec(sql: string): void;
}

/** The connection as its owner holds it. */
export interface OwnConnection extends Connection {
  readonly inTransaction: boolean;
  /** Ends an open transaction, if there still is one; never throws. */
  rollback(): void;
  close(): void;
}

/** How long SQLite itself waits for a lock, in ms: this blocks the event loop, so the long wait is ours. */
const BUSY_TIMEOUT = 10;

/** Opens the file, without looking into it yet. */
export const connect = async (path: string): Promise<OwnConnection> => {
  const { default: Database } = await import('libsql');
  const database = new Database(path);
  const statements = new Map<string, Libsql.Statement>();

  const using = <T>(sql: string, params: Param[], use: (statement: Bound) => T): T => {
    const statement = statements.get(sql) ?? database.prepare(sql);
    // Taken out while it runs: one that throws is not put back, because libsql does not reset it.
    statements.delete(sql);
    const result = use(bind(statement, params));
    statements.set(sql, statement);
    return result;
  };

  const connection: OwnConnection = {
    get: <Row>(sql: string, ...params: Param[]) =>
      using(sql, params, (bound) => toRow<Row>(bound.get())),
    all: <Row>(sql: string, ...params: Param[]) =>
      using(sql, params, (bound) => bound.all().map((row) => toRow<Row>(row) as Row)),
    run: (sql, ...params) => using(sql, params, (bound) => bound.run().changes),
    exec: (sql) => void database.exec(sql),
    get inTransaction() {
      return database.inTransaction;
    },
    rollback: () => {
      if (database.inTransaction) attempt(() => database.exec('ROLLBACK'));
    },
    close: () => {
      // Prepared statements keep the connection, and with it the locks of WAL, until they are collected as garbage.
      // Leaving WAL and exclusive locking gives the locks back now; it may fail when others use the file, which is fine.
      connection.rollback();
      attempt(() => connection.get('PRAGMA journal_mode = DELETE'));
      attempt(() => connection.get('PRAGMA locking_mode = NORMAL'));
      attempt(() => connection.get('SELECT 1 FROM sqlite_schema'));
      statements.clear();
      attempt(() => database.close());
    },
  };
  connection.get(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
  return connection;
};

interface Bound {
  get(): unknown;
  all(): unknown[];
  run(): { readonly changes: number };
}

/** Parameters as one array: libsql takes a lone object for a set of named ones. */
const bind = (statement: Libsql.Statement, params: Param[]): Bound => {
  const values = params.map(toSql);
  return {
    get: () => statement.get(values),
    all: () => statement.all(values),
    run: () => statement.run(values),
  };
};

const toSql = (param: Param, index: number): string | number | bigint | null | Uint8Array => {
  if (param === null || isUint8Array(param)) return param;
  // A number is bound as REAL, a bigint as INTEGER.
  if (Number.isSafeInteger(param)) return BigInt(param as number);
  if (Number.isFinite(param)) return param;
  if (typeof param === 'string' && !/\0|\p{Cs}/u.test(param)) return param;
  throw new TypeError(
    `parameter ${index + 1} must be a finite number, bytes, null, or well-formed text without NUL`,
  );
};

const toRow = <Row>(row: unknown): Row | undefined => {
  if (row === undefined) return undefined;
  const { _metadata, ...columns } = row as Record<string, unknown>;
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

/** The file is no SQLite database at all. */
export const isForeign = (error: unknown): boolean => codeOf(error).startsWith('SQLITE_NOTADB');
