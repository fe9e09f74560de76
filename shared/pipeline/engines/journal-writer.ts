/** Writes runs into a journal. Inside a transaction of the caller. */
import { Failure } from '../../failure';
import type { Connection } from '../../sqlite';
import type { Pipeline } from '../pipeline';
import type { Progress } from '../progress';
import type { Results, StepResult } from '../run';
import { impliedResults } from './implied';
import type { ChangedRun, NewRun } from './journal';

export interface JournalWriter {
  insert(db: Connection, run: NewRun): void;
  update(db: Connection, run: ChangedRun): void;
}

export const journalWriter = (): JournalWriter => ({
  insert: (db, run) => {
    // Nearly always its graph is known: then nothing has to be asked before.
    if (insertRun(db, run) === 0) {
      addGraph(db, run.record.pipeline);
      insertRun(db, run);
    }
    putSteps(db, run, impliedResults(run.record, run.progress.results));
  },
  update: (db, run) => {
    const { serial, record, progress, saved, dueAt, regraphed = false } = run;
    const found = db.run(
      `UPDATE runs SET state = ?, deadline_at = ?, ended_at = ?, due_at = ?, expires_at = ?, notes = ?
       WHERE serial = ?`,
      progress.state,
      Date.parse(progress.deadlineAt),
      endOf(progress),
      dueAt,
      expiryOf(record.pipeline, progress),
      notesOf(progress),
      serial,
    );
    // Its time was over meanwhile: nothing of it comes back.
    if (found === 0) throw new Failure('not_found');
    putSteps(db, run, saved.results);
    if (!regraphed) return;
    addGraph(db, record.pipeline);
    db.run(
      'UPDATE runs SET graph = (SELECT serial FROM graphs WHERE hash = ?) WHERE serial = ?',
      record.pipeline.hash,
      serial,
    );
    for (const step of Object.keys(saved.results))
      if (!Object.hasOwn(progress.results, step)) dropStep(db, run, step);
  },
});

/** 0: its graph is not there yet. */
const insertRun = (db: Connection, run: NewRun): number => {
  const { serial, record, progress, key, fingerprint, dueAt } = run;
  return db.run(
    `INSERT INTO runs (serial, id, pipeline, state, created_at, deadline_at, ended_at, due_at, expires_at,
     key, fingerprint, traceparent, notes, input, graph)
     SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, serial FROM graphs WHERE hash = ?`,
    serial,
    record.id,
    record.pipeline.name,
    progress.state,
    Date.parse(record.createdAt),
    Date.parse(progress.deadlineAt),
    endOf(progress),
    dueAt,
    expiryOf(record.pipeline, progress),
    key ?? null,
    fingerprint,
    record.traceparent,
    notesOf(progress),
    JSON.stringify(record.input),
    record.pipeline.hash,
  );
};

const addGraph = (db: Connection, pipeline: Pipeline): void =>
  void db.run(
    'INSERT OR IGNORE INTO graphs (hash, pipeline) VALUES (?, ?)',
    pipeline.hash,
    JSON.stringify(pipeline),
  );

/** Only what is another object than the one that was saved, in one statement: each costs more than what it writes. */
const putSteps = (
  db: Connection,
  { serial, record, progress }: Pick<NewRun, 'serial' | 'record' | 'progress'>,
  saved: Results,
): void => {
  const changed = Object.entries(progress.results).filter(
    ([step, result]) => !Object.hasOwn(saved, step) || saved[step] !== result,
  );
  if (changed.length === 0) return;
  db.run(
    'INSERT OR REPLACE INTO steps (run, step, result) SELECT ?, key, value FROM json_each(?)',
    serial,
    JSON.stringify(Object.fromEntries(changed)),
  );
  const { name } = record.pipeline;
  for (const [step, result] of changed) {
    const code = deadCode(result);
    const before = Object.hasOwn(saved, step) ? (saved[step] as StepResult) : undefined;
    if (code !== undefined)
      db.run(
        'INSERT OR REPLACE INTO dead_letters (pipeline, run, step, code) VALUES (?, ?, ?, ?)',
        name,
        serial,
        step,
        code,
      );
    else if (before && deadCode(before) !== undefined) dropLetter(db, name, serial, step);
  }
};

const dropStep = (db: Connection, { serial, record }: ChangedRun, step: string): void => {
  db.run('DELETE FROM steps WHERE run = ? AND step = ?', serial, step);
  dropLetter(db, record.pipeline.name, serial, step);
};

const dropLetter = (db: Connection, pipeline: string, run: number, step: string): void =>
  void db.run(
    'DELETE FROM dead_letters WHERE pipeline = ? AND run = ? AND step = ?',
    pipeline,
    run,
    step,
  );

/** Why a step, or taking it back, is a dead letter; `undefined`: it is none. */
const deadCode = ({ state, error, undo }: StepResult): string | undefined => {
  if (undo?.state === 'failed') return undo.error?.code ?? 'internal';
  return state === 'failed' ? (error?.code ?? 'internal') : undefined;
};

const endOf = ({ endedAt }: Progress): number | null =>
  endedAt === undefined ? null : Date.parse(endedAt);

const expiryOf = ({ retention }: Pipeline, progress: Progress): number | null => {
  const endedAt = endOf(progress);
  return endedAt === null ? null : endedAt + retention;
};

/** What few runs have. */
const notesOf = ({ cancelled, replays }: Progress): string | null =>
  cancelled || replays ? JSON.stringify({ cancelled, replays }) : null;
