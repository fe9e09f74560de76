/**
 * An embedded SQLite database file, safe for several processes and for a crash at any moment: WAL, an fsync for
 * every commit (`synchronous = FULL`), and one commit for all that is written in the same turn of the event loop. What
 * is deleted is overwritten (`secure_delete`), and out of the WAL as well after the next checkpoint.
 *
 * Fails closed: without the file there is no answer, and nothing is acknowledged before it is on the disk.
 */
import { resolve } from 'node:path';
import { Failure, type FailureCode } from './failure';
import { isOutage, type OwnConnection } from './sqlite/connection';
import type { Work, WriteOptions } from './sqlite/group-commit';
import { explain } from './sqlite/prepare';
import { openSession, patiently } from './sqlite/session';

export type { Connection, Param } from './sqlite/connection';
export type { WriteOptions } from './sqlite/group-commit';

export interface DatabaseOptions {
  /** The file; it is made (0600) with its folders (0700) when it does not exist. */
  readonly path: string;
  /** Marks the file as ours: a file that holds something else is refused. An integer from 1 to 2^31 - 1. */
  readonly applicationId: number;
  /**
   * SQL scripts; the n-th takes the schema from version n - 1 to n (`PRAGMA user_version`). Scripts are only ever
   * added. A file with a higher version is refused.
   */
  readonly migrations: readonly string[];
  /** Whether this process alone may use the file, from now until `close`. @default false */
  readonly exclusive?: boolean;
  /**
   * Whether a new file can give room back to the disk while it is in use (`PRAGMA incremental_vacuum`).
   * @default false
   */
  readonly compactable?: boolean;
  /** How long to wait for a lock of another process, in ms; the event loop goes on meanwhile. @default 5000 */
  readonly wait?: number;
  /** The code of the failure when the file cannot be used. @default 'store_unavailable' */
  readonly code?: FailureCode;
}

/**
 * All methods reject with a `Failure` of `code` when the file cannot be used: disk full, read-only, an I/O error,
 * locked for longer than `wait`, or after `close`. The database can be used again once the trouble is over.
 * A file that is opened while nothing can be written (no right, no room) can be read, unless it is to be exclusive or
 * its schema is old; each write then tries anew.
 */
export interface Database {
  /**
   * Runs the work, at once, on one snapshot of all that is committed, also by other processes. What it writes is
   * undone. Rejects with what the work throws.
   */
  read<T>(work: Work<T>): Promise<T>;
  /**
   * Queues the work for the transaction at the end of this turn and resolves when that is on the disk, in the order of
   * the calls. A work sees what those before it wrote. When it throws, its own changes are undone, no others, and
   * this rejects with what it threw.
   *
   * A work may run more than once before it is committed: it returns at once and touches nothing but the database.
   * After a failure of `code` it is unknown whether it was committed, as with any database.
   */
  write<T>(work: Work<T>, options?: WriteOptions): Promise<T>;
  /** What waits patiently for the commit of others waits no more. */
  hurry(): void;
  /** Transactions committed by `write` until now: one fsync each. */
  readonly commits: number;
  /** Another text than before when somebody else has committed meanwhile; own commits do not count. */
  stamp(): Promise<string>;
  /** Empties the WAL, so that what was deleted is in no file any more; `false` when others read just now. */
  checkpoint(): Promise<boolean>;
  /** Takes nothing more, commits what is queued and gives the file back. Resolves also the second time. */
  close(): Promise<void>;
}

/** Opens the file and brings its schema up to date. Rejects with a `Failure` of `code` that says why. */
export const openDatabase = async ({
  path,
  applicationId,
  migrations,
  exclusive = false,
  compactable = false,
  wait = 5000,
  code = 'store_unavailable',
}: DatabaseOptions): Promise<Database> => {
  if (path === '' || path.includes('\0')) throw new TypeError('path must be the path of a file');
  const file = resolve(path);
  const unavailable = (error: unknown, cause = error) =>
    new Failure(code, { detail: explain(error), cause });
  const options = { file, applicationId, migrations, exclusive, compactable, wait, unavailable };

  let session = await openSession(options);
  let generation = 0;
  let renewing: Promise<void> | undefined;
  let closing: Promise<void> | undefined;

  const refuseClosed = () => {
    if (closing) throw new Failure(code, { detail: 'The database is closed.' });
  };

  /** In place of a session that can only read, one that can write. */
  const renew = async (): Promise<void> => {
    const next = await openSession(options);
    if (next.refusal !== undefined) {
      next.connection.close();
      throw unavailable(next.refusal);
    }
    session.connection.close();
    session = next;
    generation += 1;
  };

  const read = async <T>(work: Work<T>): Promise<T> => {
    refuseClosed();
    try {
      return await patiently(wait, () => {
        refuseClosed();
        return snapshot(session.connection, work);
      });
    } catch (error) {
      throw isOutage(error) ? unavailable(error) : error;
    }
  };

  return {
    read,
    write: (work, options) => {
      try {
        refuseClosed();
      } catch (error) {
        return Promise.reject(error);
      }
      if (session.refusal === undefined) return session.group.write(work, options);
      renewing ??= renew().finally(() => {
        renewing = undefined;
      });
      return renewing.then(() => session.group.write(work, options));
    },
    hurry: () => session.group.hurry(),
    get commits() {
      return session.group.commits;
    },
    stamp: async () => {
      const row = await read((db) => db.get<{ data_version: number }>('PRAGMA data_version'));
      return `${generation}:${row?.data_version}`;
    },
    checkpoint: async () => {
      refuseClosed();
      try {
        return session.connection.checkpoint();
      } catch (error) {
        throw isOutage(error) ? unavailable(error) : error;
      }
    },
    close: () => {
      closing ??= Promise.resolve(renewing)
        .catch(() => undefined)
        .then(() => session.group.flush())
        .then(() => session.connection.close());
      return closing;
    },
  };
};

const snapshot = <T>(connection: OwnConnection, work: Work<T>): T => {
  try {
    connection.snapshot();
    return work(connection);
  } finally {
    connection.rollback();
  }
};
