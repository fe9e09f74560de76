/** Reads runs out of a journal, each with the graph that it was started with. */
import type { Connection } from '../../sqlite';
import type { Pipeline } from '../pipeline';
import type { Progress } from '../progress';
import type { Results, RunState, StepResult } from '../run';
import { withImplied } from './implied';
import type { DuePage, StoredRun } from './journal';

export interface JournalReader {
  byId(db: Connection, pipeline: string, id: string): StoredRun | undefined;
  byKey(
    db: Connection,
    pipeline: string,
    key: string,
  ): { readonly fingerprint: string; run(): StoredRun } | undefined;
  due(db: Connection, page: DuePage): readonly (StoredRun & { readonly dueAt: number })[];
}

interface RunRow {
  readonly serial: number;
  readonly id: string;
  readonly graph: number;
  readonly state: RunState;
  readonly created_at: number;
  readonly deadline_at: number;
  readonly ended_at: number | null;
  readonly due_at: number;
  readonly fingerprint: string;
  readonly traceparent: string;
  readonly notes: string | null;
  readonly input: string;
}

interface StepRow {
  readonly step: string;
  readonly result: string;
}

const COLUMNS =
  'serial, id, graph, state, created_at, deadline_at, ended_at, due_at, fingerprint, traceparent, notes, input';

/** Nothing else is an id, and not everything can be asked for: SQLite has no text with a NUL. */
export const isRunId = (id: string): boolean => /^[\w-]{1,64}$/.test(id);

export const journalReader = (): JournalReader => {
  /** By their serial numbers, which stand for one digest for ever. */
  const graphs = new Map<number, Pipeline>();

  const graphOf = (db: Connection, serial: number): Pipeline => {
    const known = graphs.get(serial);
    if (known) return known;
    const row = db.get<{ pipeline: string }>(
      'SELECT pipeline FROM graphs WHERE serial = ?',
      serial,
    );
    if (!row) throw new Error(`the journal holds runs of the graph ${serial}, but not the graph`);
    const pipeline = JSON.parse(row.pipeline) as Pipeline;
    graphs.set(serial, pipeline);
    return pipeline;
  };

  const toStored = (db: Connection, row: RunRow): StoredRun => {
    const { serial, id, graph, state, traceparent, notes, input } = row;
    const record = {
      id,
      pipeline: graphOf(db, graph),
      input: JSON.parse(input) as unknown,
      traceparent,
      createdAt: iso(row.created_at),
    };
    return {
      serial,
      record,
      progress: {
        state,
        results: withImplied(record, resultsOf(db, serial)),
        deadlineAt: iso(row.deadline_at),
        ...(row.ended_at !== null && { endedAt: iso(row.ended_at) }),
        ...(notes !== null && (JSON.parse(notes) as Pick<Progress, 'cancelled' | 'replays'>)),
      },
    };
  };

  return {
    byId: (db, pipeline, id) => {
      if (!isRunId(id)) return undefined;
      const row = db.get<RunRow>(
        `SELECT ${COLUMNS} FROM runs WHERE id = ? AND pipeline = ?`,
        id,
        pipeline,
      );
      return row && toStored(db, row);
    },
    byKey: (db, pipeline, key) => {
      const row = db.get<RunRow>(
        `SELECT ${COLUMNS} FROM runs WHERE pipeline = ? AND key = ?`,
        pipeline,
        key,
      );
      return row && { fingerprint: row.fingerprint, run: () => toStored(db, row) };
    },
    due: (db, { until, limit, after = { dueAt: -1, serial: 0 } }) =>
      db
        .all<RunRow>(
          `SELECT ${COLUMNS} FROM runs WHERE state = 'running' AND due_at <= ? AND (due_at, serial) > (?, ?)
           ORDER BY due_at, serial LIMIT ?`,
          until,
          after.dueAt,
          after.serial,
          limit,
        )
        .map((row) => ({ ...toStored(db, row), dueAt: row.due_at })),
  };
};

const resultsOf = (db: Connection, serial: number): Results =>
  Object.fromEntries(
    db
      .all<StepRow>('SELECT step, result FROM steps WHERE run = ?', serial)
      .map(({ step, result }): [string, StepResult] => [step, JSON.parse(result) as StepResult]),
  );

const iso = (ms: number): string => new Date(ms).toISOString();
