/** Makes a database file ready: ours, in WAL with an fsync for every commit, with the schema of this version. */
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  isBusy,
  isDamaged,
  isForeign,
  isFull,
  isReadOnly,
  isUnwritable,
  type OwnConnection,
} from './connection';

export interface Shape {
  readonly file: string;
  readonly applicationId: number;
  readonly migrations: readonly string[];
  readonly exclusive: boolean;
  readonly compactable: boolean;
}

/** Not with a plain open of an existing file: closing it would drop the locks that SQLite holds in this process. */
export const makeFile = async (file: string): Promise<void> => {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    refuseRemnant(file);
  }
};

/** Every page of a database is a multiple of that. */
const LEAST = 512;

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** SQLite takes a file without a whole page for a new one, and wipes out what is left, and a WAL that holds all. */
const refuseRemnant = (file: string): void => {
  const size = sizeOf(file);
  if (size > 0 ? size < LEAST : sizeOf(`${file}-wal`) > 0) throw new Refusal(DAMAGED);
};

/** What is missing at the end SQLite reads as zeros. Beside a WAL the last page may be on its way. */
const refuseTorn = (file: string): void => {
  if (sizeOf(`${file}-wal`) === 0 && sizeOf(file) % LEAST !== 0) throw new Refusal(DAMAGED);
};

const DAMAGED = 'The database file is damaged.';

/**
 * Changes nothing in a file that is not ours. May run again after it failed. Gives what is in the way of writing when
 * the file can only be read.
 */
export const prepare = (connection: OwnConnection, shape: Shape): unknown => {
  const version = look(connection, shape);
  refuseTorn(shape.file);
  try {
    makeWritable(connection, shape);
    return undefined;
  } catch (error) {
    if (shape.exclusive || version < shape.migrations.length || !isUnwritable(error)) throw error;
    return error;
  }
};

/** The version of the schema, read without a change to the file. */
const look = (connection: OwnConnection, shape: Shape): number => {
  try {
    connection.snapshot();
    return checkOwner(connection, shape);
  } finally {
    connection.rollback();
  }
};

const makeWritable = (connection: OwnConnection, shape: Shape): void => {
  const { applicationId, migrations, exclusive, compactable } = shape;
  // Only a file without any table takes this, and only before it is in WAL.
  if (compactable) connection.exec('PRAGMA auto_vacuum = INCREMENTAL');
  connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  // After the change to WAL: only then can the lock be given back at close.
  if (exclusive) connection.exec('PRAGMA locking_mode = EXCLUSIVE');
  connection.exec('BEGIN IMMEDIATE');
  try {
    // Once more, now that nobody else can change it.
    const version = checkOwner(connection, shape);
    if (connection.get<{ journal_mode: string }>('PRAGMA journal_mode')?.journal_mode !== 'wal')
      throw new Refusal('The database file cannot be put into WAL mode.');
    for (const script of migrations.slice(version)) connection.exec(script);
    if (version < migrations.length)
      connection.exec(
        `PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`,
      );
    connection.exec('COMMIT');
  } finally {
    connection.rollback();
  }
};

/** The version of the schema in the file; throws when the file is not ours or from the future. */
const checkOwner = (connection: OwnConnection, { applicationId, migrations }: Shape): number => {
  const number = (sql: string) => Object.values(connection.get<object>(sql) ?? {})[0] as number;
  const owner = number('PRAGMA application_id');
  const version = number('PRAGMA user_version');
  const isNew = owner === 0 && version === 0 && number('SELECT count(*) FROM sqlite_schema') === 0;
  if (owner !== applicationId && !isNew)
    throw new Refusal('The database file belongs to something else.');
  if (version > migrations.length)
    throw new Refusal(
      `The database file has schema version ${version}; the last one known here is ${migrations.length}.`,
    );
  return version;
};

/** Why a file is not opened, in a sentence that may be shown. */
class Refusal extends Error {}

/** What may be said about an outage: never the path, never the text of SQLite. */
export const explain = (error: unknown): string | undefined => {
  if (error instanceof Refusal) return error.message;
  if (isForeign(error)) return 'The database file is not a database.';
  if (isDamaged(error)) return DAMAGED;
  if (isFull(error)) return 'The disk is full.';
  if (isReadOnly(error)) return 'The database file may not be written.';
  if (isBusy(error)) return 'The database is held by another process.';
  return undefined;
};
