/**
 * The file of the store: opened at the first call, swept as long as it is open, polled while somebody watches.
 *
 * Fails closed: what cannot be opened rejects with `store_unavailable`, and the next call tries again.
 */
import type { Clock } from '../clock';
import { Failure } from '../failure';
import { type Database, openDatabase } from '../sqlite';
import { every, pause, type Repeated, SWEEP_REST } from './every';
import { APPLICATION_ID, hasExpired, MIGRATIONS, sweepMore } from './sqlite-entries';

export interface StoreFileOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly sweepInterval: number;
  readonly pollInterval: number;
  /** Called by the polling when another process has written, or when that cannot be told. */
  readonly onChanged: () => void;
}

export interface StoreFile {
  database(): Promise<Database>;
  readonly polling: Repeated;
  close(): Promise<void>;
}

export const storeFile = ({
  path,
  clock,
  sweepInterval,
  pollInterval,
  onChanged,
}: StoreFileOptions): StoreFile => {
  let opening: Promise<Database> | undefined;
  let closed = false;

  const open = async (): Promise<Database> => {
    try {
      const options = { path, applicationId: APPLICATION_ID, migrations: MIGRATIONS };
      const opened = await openDatabase(options);
      sweeping.start();
      return opened;
    } catch (error) {
      opening = undefined;
      throw error;
    }
  };

  // The promise itself, not one more around it: whoever came before `close` has to go on before it does.
  const database = (): Promise<Database> => {
    if (closed)
      return Promise.reject(new Failure('store_unavailable', { detail: 'The store is closed.' }));
    opening ??= open();
    return opening;
  };

  /** The commits whose traces are out of the WAL. */
  let checkpointed = 0;
  // Not only after own writes with a ttl: the process that wrote may have ended before its entries.
  const sweeping = every(sweepInterval, async (signal) => {
    const db = await database();
    while (await db.read((connection) => hasExpired(connection, clock.now()))) {
      await db.write((connection) => sweepMore(connection, clock.now()));
      await pause(SWEEP_REST, signal);
    }
    const { commits } = db;
    if (commits !== checkpointed && (await db.checkpoint())) checkpointed = commits;
  });

  let stamp: string | undefined;
  const polling = every(pollInterval, async () => {
    const last = stamp;
    stamp = await database()
      .then((db) => db.stamp())
      .catch(() => undefined);
    // When it cannot be told, those who watch read, and hear why.
    if (stamp === undefined || stamp !== last) onChanged();
  });

  return {
    database,
    polling,
    close: async () => {
      closed = true;
      // A file that could not be opened has nothing to close.
      const opened = await opening?.catch(() => undefined);
      sweeping.stop();
      await opened?.close();
    },
  };
};
