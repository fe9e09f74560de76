/**
 * The journal of the local engine: what was accepted and how far it came, one commit before each deed.
 *
 * Fails closed: what could not be written was not accepted (`engine_unavailable`).
 */
import { openDatabase } from '../../sqlite';
import type { Pipeline } from '../pipeline';
import type { Results, Run, RunState, StepResult } from '../run';

/** Marks the file as a journal: "run" and a serial number. */
const APPLICATION_ID = 0x72756e01;

const MIGRATIONS = [
  `CREATE TABLE graphs (hash TEXT PRIMARY KEY, pipeline TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE runs (
     id TEXT PRIMARY KEY, pipeline TEXT NOT NULL, graph TEXT NOT NULL, state TEXT NOT NULL, input TEXT NOT NULL,
     traceparent TEXT NOT NULL, key TEXT, fingerprint TEXT NOT NULL, created_at TEXT NOT NULL, ended_at TEXT
   ) WITHOUT ROWID;
   CREATE UNIQUE INDEX runs_key ON runs (pipeline, key) WHERE key IS NOT NULL;
   CREATE INDEX runs_open ON runs (id) WHERE state = 'running';
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

export interface Journal {
  /** Records the run; or gives the one that has the same key, or `mismatch` when that had another input. */
  accept(run: NewRun): Promise<'accepted' | 'mismatch' | Run>;
  /** Records what has changed of a run, in one commit. */
  record(id: string, changes: Results, ended: Ended | undefined): Promise<void>;
  find(pipeline: string, id: string): Promise<Run | undefined>;
  /** Every run that has not ended. */
  open(): Promise<readonly (RunRecord & { readonly results: Results })[]>;
  close(): Promise<void>;
}

interface RunRow {
  readonly id: string;
  readonly pipeline: string;
  readonly graph: string;
  readonly state: RunState;
  readonly input: string;
  readonly traceparent: string;
  readonly fingerprint: string;
  readonly created_at: string;
  readonly ended_at: string | null;
}

interface StepRow {
  readonly step: string;
  readonly result: string;
}

const PUT_STEP = 'INSERT OR REPLACE INTO steps (run, step, result) VALUES (?, ?, ?)';
const STEPS = 'SELECT step, result FROM steps WHERE run = ?';

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
  return {
    accept: (run) =>
      database.write((db) => {
        const { pipeline, key } = run;
        if (key !== undefined) {
          const known = db.get<RunRow>(
            'SELECT * FROM runs WHERE pipeline = ? AND key = ?',
            pipeline.name,
            key,
          );
          if (known && known.fingerprint !== run.fingerprint) return 'mismatch';
          if (known) return toRun(known, db.all<StepRow>(STEPS, known.id));
        }
        db.run(
          'INSERT OR IGNORE INTO graphs (hash, pipeline) VALUES (?, ?)',
          pipeline.hash,
          JSON.stringify(pipeline),
        );
        db.run(
          'INSERT INTO runs (id, pipeline, graph, state, input, traceparent, key, fingerprint, created_at, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
          run.id,
          pipeline.name,
          pipeline.hash,
          run.ended?.state ?? 'running',
          JSON.stringify(run.input),
          run.traceparent,
          key ?? null,
          run.fingerprint,
          run.createdAt,
          run.ended?.endedAt ?? null,
        );
        for (const [step, result] of Object.entries(run.results))
          db.run(PUT_STEP, run.id, step, JSON.stringify(result));
        return 'accepted';
      }),
    record: (id, changes, ended) =>
      database.write((db) => {
        for (const [step, result] of Object.entries(changes))
          db.run(PUT_STEP, id, step, JSON.stringify(result));
        if (ended)
          db.run(
            'UPDATE runs SET state = ?, ended_at = ? WHERE id = ?',
            ended.state,
            ended.endedAt,
            id,
          );
      }),
    find: (pipeline, id) =>
      database.read((db) => {
        // A key with a NUL would not be text to SQLite; no id has one.
        const row = id.includes('\0')
          ? undefined
          : db.get<RunRow>('SELECT * FROM runs WHERE id = ? AND pipeline = ?', id, pipeline);
        return row && toRun(row, db.all<StepRow>(STEPS, id));
      }),
    open: () =>
      database.read((db) => {
        const graphs = new Map<string, Pipeline>();
        const graphOf = (hash: string): Pipeline => {
          const known = graphs.get(hash);
          if (known) return known;
          const row = db.get<{ pipeline: string }>(
            'SELECT pipeline FROM graphs WHERE hash = ?',
            hash,
          );
          const pipeline = JSON.parse(row?.pipeline ?? 'null') as Pipeline;
          graphs.set(hash, pipeline);
          return pipeline;
        };
        return db.all<RunRow>("SELECT * FROM runs WHERE state = 'running'").map((row) => ({
          id: row.id,
          pipeline: graphOf(row.graph),
          input: JSON.parse(row.input) as unknown,
          traceparent: row.traceparent,
          createdAt: row.created_at,
          results: toResults(db.all<StepRow>(STEPS, row.id)),
        }));
      }),
    close: () => database.close(),
  };
};

const toResults = (rows: readonly StepRow[]): Results =>
  Object.fromEntries(rows.map(({ step, result }) => [step, JSON.parse(result) as StepResult]));

const toRun = (row: RunRow, steps: readonly StepRow[]): Run => ({
  id: row.id,
  pipeline: row.pipeline,
  state: row.state,
  steps: toResults(steps),
  createdAt: row.created_at,
  ...(row.ended_at !== null && { endedAt: row.ended_at }),
});
