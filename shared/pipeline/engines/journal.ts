/**
 * The journal of the local engine: what was accepted and how far it came, one commit before each deed.
 *
 * Fails closed: what could not be written was not accepted (`engine_unavailable`).
 */
import { openDatabase, type WriteOptions } from '../../sqlite';
import type { DeadLetter, DeadLetterQuery, DisabledTarget, RunQuery } from '../engine';
import type { Progress, RunRecord } from '../progress';
import type { RunSummary } from '../run';
import { journalLists } from './journal-lists';
import { journalReader } from './journal-reader';
import { APPLICATION_ID, MIGRATIONS } from './journal-schema';
import { sweeper } from './journal-sweep';
import { journalWriter } from './journal-writer';

/** A run as the journal has it. */
export interface StoredRun {
  /** Its place in the journal. */
  readonly serial: number;
  readonly record: RunRecord;
  readonly progress: Progress;
}

export interface NewRun extends StoredRun {
  /** Digest of the idempotency key. */
  readonly key: string | undefined;
  /** Digest of the input. */
  readonly fingerprint: string;
  /** When the run needs to be looked at, ms since the epoch; 0: now. */
  readonly dueAt: number;
}

export interface ChangedRun extends Omit<NewRun, 'key' | 'fingerprint'> {
  /** As the journal has it: only what differs is written. */
  readonly saved: Progress;
  /** When that record began to be on another graph. @default it is as it was */
  readonly regraphed?: boolean;
}

export interface DuePage {
  /** Runs that need to be looked at until then, ms since the epoch. */
  readonly until: number;
  readonly limit: number;
  /** Behind this one. @default from the first */
  readonly after?: { readonly dueAt: number; readonly serial: number } | undefined;
}

/** Everything rejects with `engine_unavailable` when the file cannot be used, and can be tried again. */
export interface Journal {
  /** The highest serial number that is in use; 0 without any. */
  lastSerial(): Promise<number>;
  /** Records the run; or gives the one that has the same key, or `mismatch` when that had another input. */
  accept(run: NewRun): Promise<'accepted' | 'mismatch' | StoredRun>;
  /**
   * Records what has changed of a run, in one commit: what `compose` says just then, which is also what it resolves
   * with. Rejects with `not_found` when its time was over meanwhile.
   */
  record(compose: () => ChangedRun, options?: WriteOptions): Promise<ChangedRun>;
  /** What waits patiently waits no more. */
  hurry(): void;
  find(pipeline: string, id: string): Promise<StoredRun | undefined>;
  /** Runs that have not ended, the most urgent first. */
  due(page: DuePage): Promise<readonly (StoredRun & { readonly dueAt: number })[]>;
  list(query: RunQuery): Promise<{ readonly runs: readonly RunSummary[]; readonly next?: string }>;
  deadLetters(
    query: DeadLetterQuery,
  ): Promise<{ readonly deadLetters: readonly DeadLetter[]; readonly next?: string }>;
  goneTargets(): Promise<readonly DisabledTarget[]>;
  addGoneTarget(name: string, at: number): Promise<void>;
  /** Whether it was there. */
  removeGoneTarget(name: string): Promise<boolean>;
  /**
   * Removes runs that were to be kept until then, ms since the epoch, with all that is known of them, from the file and
   * from what stands beside it; gives room back to the disk. The number of runs.
   */
  sweep(now: number): Promise<number>;
  close(): Promise<void>;
}

/** Opens the file for this process alone. Rejects with `engine_unavailable` when another one has it. */
export const openJournal = async (path: string): Promise<Journal> => {
  const database = await openDatabase({
    path,
    applicationId: APPLICATION_ID,
    migrations: MIGRATIONS,
    exclusive: true,
    compactable: true,
    wait: 1_000,
    code: 'engine_unavailable',
  });
  const reader = journalReader();
  const writer = journalWriter();
  const lists = journalLists();
  return {
    lastSerial: () =>
      database.read(
        (db) => db.get<{ last: number | null }>('SELECT max(serial) AS last FROM runs')?.last ?? 0,
      ),
    accept: (run) =>
      database.write((db) => {
        const { key, record, fingerprint } = run;
        const known = key === undefined ? undefined : reader.byKey(db, record.pipeline.name, key);
        if (!known) writer.insert(db, run);
        else if (known.fingerprint !== fingerprint) return 'mismatch';
        return known ? known.run() : 'accepted';
      }),
    record: (compose, options) =>
      database.write((db) => {
        const run = compose();
        writer.update(db, run);
        return run;
      }, options),
    hurry: () => database.hurry(),
    find: (pipeline, id) => database.read((db) => reader.byId(db, pipeline, id)),
    due: (page) => database.read((db) => reader.due(db, page)),
    list: (query) => database.read((db) => lists.runs(db, query)),
    deadLetters: (query) => database.read((db) => lists.deadLetters(db, query)),
    goneTargets: () => database.read(lists.goneTargets),
    addGoneTarget: (name, at) =>
      database.write((db) => {
        db.run('INSERT OR IGNORE INTO gone_targets (name, at) VALUES (?, ?)', name, at);
      }),
    removeGoneTarget: (name) =>
      database.write((db) => db.run('DELETE FROM gone_targets WHERE name = ?', name) > 0),
    sweep: sweeper(database),
    close: () => database.close(),
  };
};
