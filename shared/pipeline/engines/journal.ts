/**
 * The journal of the local engine: what was accepted and how far it came, one commit before each deed.
 *
 * Fails closed: what could not be written was not accepted (`engine_unavailable`).
 */
import { type Connection, openDatabase } from '../../sqlite';
import type { Pipeline } from '../pipeline';
import type { Results, Run, RunState } from '../run';
import { journalReader } from './journal-reader';

/** Marks the file as a journal: "run" and a serial number. */
const APPLICATION_ID = 0x72756e01;

const MIGRATIONS = [
  `CREATE TABLE graphs (hash TEXT PRIMARY KEY, pipeline TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE runs (
     serial INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, pipeline TEXT NOT NULL, graph TEXT NOT NULL,
     state TEXT NOT NULL, input TEXT NOT NULL, traceparent TEXT NOT NULL, key TEXT, fingerprint TEXT NOT NULL,
     created_at TEXT NOT NULL, ended_at TEXT
   );
   CREATE UNIQUE INDEX runs_key ON runs (pipeline, key) WHERE key IS NOT NULL;
   CREATE INDEX runs_running ON runs (serial) WHERE state = 'running';
   CREATE TABLE steps (run TEXT NOT NULL, step TEXT NOT NULL, result TEXT NOT NULL, PRIMARY KEY (run, step)) WITHOUT ROWID;`,
];

/** A run with what only the engine may see. */
export interface RunRecord {
  readonly id: string;
  /** The graph it was started with, whatever is deployed by now. */
  readonly pipeline: Pipeline;
  readonly input: unknown;
  readonly traceparent: string;
  readonly createdAt: string;
}

export interface NewRun extends RunRecord {
  /** Digest of the idempotency key. */
  readonly key: string | undefined;
  /** Digest of the input. */
  readonly fingerprint: string;
  readonly results: Results;
  readonly ended: Ended | undefined;
}

export interface Ended {
  readonly state: Exclude<RunState, 'running'>;
  readonly endedAt: string;
}

/** A run that has not ended, as it stands. */
export interface OpenRun {
  readonly record: RunRecord;
  readonly results: Results;
}

/** Everything rejects with `engine_unavailable` when the file cannot be used, and can be tried again. */
export interface Journal {
  /** Records the run; or gives the one that has the same key, or `mismatch` when that had another input. */
  accept(run: NewRun): Promise<'accepted' | 'mismatch' | Run>;
  /** Records what has changed of a run, in one commit. */
  record(id: string, changes: Results, ended: Ended | undefined): Promise<void>;
  /** Steps in the order of the run's own graph. */
  find(pipeline: string, id: string): Promise<Run | undefined>;
  /** Every run that has not ended, in the order of acceptance. */
  unended(): Promise<readonly OpenRun[]>;
  close(): Promise<void>;
}

/** Opens the file for this process alone. Rejects with `engine_unavailable` when another one has it. */
export const openJournal = async (path: string): Promise<Journal> => {
  const database = await openDatabase({
    path,
    applicationId: APPLICATION_ID,
    migrations: MIGRATIONS,
    exclusive: true,
    wait: 1_000,
    code: 'engine_unavailable',
  });
  const reader = journalReader();
  return {
    accept: (run) =>
      database.write((db) => {
        const { key, pipeline, fingerprint } = run;
        const known = key === undefined ? undefined : reader.byKey(db, pipeline.name, key);
        if (!known) insert(db, run);
        else if (known.fingerprint !== fingerprint) return 'mismatch';
        return known ? known.run() : 'accepted';
      }),
    record: (id, changes, ended) =>
      database.write((db) => {
        putSteps(db, id, changes);
        if (!ended) return;
        const { state, endedAt } = ended;
        db.run('UPDATE runs SET state = ?, ended_at = ? WHERE id = ?', state, endedAt, id);
      }),
    find: (pipeline, id) => database.read((db) => reader.byId(db, pipeline, id)),
    unended: () => database.read(reader.unended),
    close: () => database.close(),
  };
};

const insert = (db: Connection, run: NewRun): void => {
  const { hash, name } = run.pipeline;
  if (!db.get('SELECT 1 FROM graphs WHERE hash = ?', hash))
    db.run('INSERT INTO graphs (hash, pipeline) VALUES (?, ?)', hash, JSON.stringify(run.pipeline));
  db.run(
    `INSERT INTO runs (id, pipeline, graph, state, input, traceparent, key, fingerprint, created_at, ended_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    run.id,
    name,
    hash,
    run.ended?.state ?? 'running',
    JSON.stringify(run.input),
    run.traceparent,
    run.key ?? null,
    run.fingerprint,
    run.createdAt,
    run.ended?.endedAt ?? null,
  );
  putSteps(db, run.id, run.results);
};

const putSteps = (db: Connection, run: string, results: Results): void => {
  for (const [step, result] of Object.entries(results))
    db.run(
      'INSERT OR REPLACE INTO steps (run, step, result) VALUES (?, ?, ?)',
      run,
      step,
      JSON.stringify(result),
    );
};
