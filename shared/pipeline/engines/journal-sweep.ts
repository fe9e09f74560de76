/**
 * Takes runs out of a journal when their time is over, with all that is known of them: in small transactions between
 * those of the others, then out of the WAL, and gives the room back to the disk.
 */
import type { Connection, Database } from '../../sqlite';

/** Runs in one transaction: a few ms. */
const BATCH = 200;
/** Pages that go back to the disk in one transaction: a few ms. */
const PAGES = 500;

/** Gives, at each call, the number of runs that it removed. What a crash or a full disk has left undone it does first. */
export const sweeper = (database: Database): ((now: number) => Promise<number>) => {
  let isClean = false;
  return async (now) => {
    const wasClean = isClean;
    isClean = false;
    const removed = await removeExpired(database, now);
    if (removed > 0 || !wasClean) await cleanUp(database);
    isClean = true;
    return removed;
  };
};

const removeExpired = async (database: Database, now: number): Promise<number> => {
  let removed = 0;
  for (;;) {
    const count = await database.write((db) => removeSome(db, now));
    removed += count;
    if (count < BATCH) return removed;
  }
};

const cleanUp = async (database: Database): Promise<void> => {
  await database.write(removeUnusedGraphs);
  for (;;) {
    const free = await database.write((db) => {
      db.exec(`PRAGMA incremental_vacuum(${PAGES})`);
      return db.get<{ freelist_count: number }>('PRAGMA freelist_count')?.freelist_count ?? 0;
    });
    if (free === 0) break;
  }
  // What was deleted stands in the WAL until then.
  await database.checkpoint();
};

const removeSome = (db: Connection, now: number): number => {
  const rows = db.all<{ serial: number; pipeline: string }>(
    'SELECT serial, pipeline FROM runs WHERE expires_at <= ? ORDER BY expires_at LIMIT ?',
    now,
    BATCH,
  );
  for (const { serial, pipeline } of rows) {
    db.run('DELETE FROM dead_letters WHERE pipeline = ? AND run = ?', pipeline, serial);
    db.run('DELETE FROM steps WHERE run = ?', serial);
    db.run('DELETE FROM runs WHERE serial = ?', serial);
  }
  return rows.length;
};

const removeUnusedGraphs = (db: Connection): void =>
  void db.run(
    'DELETE FROM graphs WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.graph = graphs.serial)',
  );
