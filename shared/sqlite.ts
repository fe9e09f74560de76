/**
 * An embedded SQLite database file, safe for several processes and for a crash at any moment: WAL, an fsync for
 * every commit (`synchronous = FULL`), and one commit for all that is written in the same turn of the event loop.
 *
 * Fails closed: without the file there is no answer, and nothing is acknowledged before it is on the disk.
 */
import { resolve } from 'node:path';
import { systemClock } from './clock';
import { Failure, type FailureCode } from './failure';
import { connect, isBusy, isOutage, type OwnConnection } from './sqlite/connection';
import { groupCommit, type Work } from './sqlite/group-commit';
import { explain, makeFile, prepare } from './sqlite/prepare';

export type { Connection, Param } from './sqlite/connection';

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
  /** How long to wait for a lock of another process, in ms; the event loop goes on meanwhile. @default 5000 */
  readonly wait?: number;
  /** The code of the failure when the file cannot be used. @default 'store_unavailable' */
  readonly code?: FailureCode;
}

/**
 * All methods reject with a `Failure` of `code` when the file cannot be used: disk full, read-only, an I/O error,
 * locked for longer than `wait`, or after `close`. The database can be used again once the trouble is over.
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
  write<T>(work: Work<T>): Promise<T>;
  /** Transactions committed by `write` until now: one fsync each. */
  readonly commits: number;
  /** Takes nothing more, commits what is queued and gives the file back. Resolves also the second time. */
  close(): Promise<void>;
}

/** Opens the file and brings its schema up to date. Rejects with a `Failure` of `code` that says why. */
export const openDatabase = async ({
  path,
  applicationId,
  migrations,
  exclusive = false,
  wait = 5000,
  code = 'store_unavailable',
}: DatabaseOptions): Promise<Database> => {
  if (path === '' || path.includes('\0')) throw new TypeError('path must be the path of a file');
  const file = resolve(path);
  const unavailable = (error: unknown, cause = error) =>
    new Failure(code, { detail: explain(error), cause });

  /** Tries again while another process is in the way; everything it is used for may run twice. */
  const patiently = async <T>(act: () => T): Promise<T> => {
    const end = performance.now() + wait;
    for (let pause = 1; ; pause = Math.min(pause * 2, 25)) {
      try {
        return act();
      } catch (error) {
        if (!isBusy(error) || performance.now() >= end) throw error;
        await systemClock.sleep(pause);
      }
    }
  };

  const connectTo = async (): Promise<OwnConnection> => {
    let connection: OwnConnection | undefined;
    try {
      await makeFile(file);
      const opened = await connect(file);
      connection = opened;
      await patiently(() => prepare(opened, { applicationId, migrations, exclusive }));
      return opened;
    } catch (error) {
      connection?.close();
      throw unavailable(error, new Error(`cannot open ${file}`, { cause: error }));
    }
  };

  const connection = await connectTo();
  const group = groupCommit({ connection, wait, unavailable });
  let closing: Promise<void> | undefined;

  const refuseClosed = () => {
    if (closing) throw new Failure(code, { detail: 'The database is closed.' });
  };

  return {
    read: async (work) => {
      refuseClosed();
      try {
        return await patiently(() => {
          refuseClosed();
          return snapshot(connection, work);
        });
      } catch (error) {
        throw isOutage(error) ? unavailable(error) : error;
      }
    },
    write: async (work) => {
      refuseClosed();
      return group.write(work);
    },
    get commits() {
      return group.commits;
    },
    close: () => {
      closing ??= group.flush().then(() => connection.close());
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
