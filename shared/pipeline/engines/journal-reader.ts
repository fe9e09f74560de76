/** Reads runs out of a journal, each with the graph that it was started with. */
import type { Connection } from '../../sqlite';
import type { Pipeline } from '../pipeline';
import type { Results, Run, RunState, StepResult } from '../run';
import type { OpenRun } from './journal';

export interface JournalReader {
  byId(db: Connection, pipeline: string, id: string): Run | undefined;
  byKey(
    db: Connection,
    pipeline: string,
    key: string,
  ): { readonly fingerprint: string; run(): Run } | undefined;
  unended(db: Connection): readonly OpenRun[];
}

interface RunRow {
  readonly id: string;
  readonly pipeline: string;
  readonly graph: string;
  readonly state: RunState;
  readonly fingerprint: string;
  readonly created_at: string;
  readonly ended_at: string | null;
}

interface OpenRow extends RunRow {
  readonly input: string;
  readonly traceparent: string;
}

interface StepRow {
  readonly step: string;
  readonly result: string;
}

/** Without the input, which may be large and is shown to nobody. */
const SELECT = 'SELECT id, pipeline, graph, state, fingerprint, created_at, ended_at FROM runs';

export const journalReader = (): JournalReader => {
  /** By their digests, which say all of them. */
  const graphs = new Map<string, Pipeline>();

  const graphOf = (db: Connection, hash: string): Pipeline => {
    const known = graphs.get(hash);
    if (known) return known;
    const row = db.get<{ pipeline: string }>('SELECT pipeline FROM graphs WHERE hash = ?', hash);
    if (!row) throw new Error(`the journal holds runs of the graph ${hash}, but not the graph`);
    const pipeline = JSON.parse(row.pipeline) as Pipeline;
    graphs.set(hash, pipeline);
    return pipeline;
  };

  /** In the order of the graph: readers see them as they were written. */
  const resultsOf = (db: Connection, { id, graph }: RunRow): Results => {
    const rows = db.all<StepRow>('SELECT step, result FROM steps WHERE run = ?', id);
    const results = new Map(rows.map(({ step, result }) => [step, result]));
    return Object.fromEntries(
      graphOf(db, graph).steps.flatMap(({ name }): [string, StepResult][] => {
        const result = results.get(name);
        return result === undefined ? [] : [[name, JSON.parse(result) as StepResult]];
      }),
    );
  };

  const toRun = (db: Connection, row: RunRow): Run => ({
    id: row.id,
    pipeline: row.pipeline,
    state: row.state,
    steps: resultsOf(db, row),
    createdAt: row.created_at,
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
  });

  return {
    byId: (db, pipeline, id) => {
      // Nothing else is an id, and not everything can be asked for: SQLite has no text with a NUL.
      if (!/^[\w-]{1,64}$/.test(id)) return undefined;
      const row = db.get<RunRow>(`${SELECT} WHERE id = ? AND pipeline = ?`, id, pipeline);
      return row && toRun(db, row);
    },
    byKey: (db, pipeline, key) => {
      const row = db.get<RunRow>(`${SELECT} WHERE pipeline = ? AND key = ?`, pipeline, key);
      return row && { fingerprint: row.fingerprint, run: () => toRun(db, row) };
    },
    unended: (db) =>
      db.all<OpenRow>("SELECT * FROM runs WHERE state = 'running' ORDER BY serial").map((row) => ({
        record: {
          id: row.id,
          pipeline: graphOf(db, row.graph),
          input: JSON.parse(row.input) as unknown,
          traceparent: row.traceparent,
          createdAt: row.created_at,
        },
        results: resultsOf(db, row),
      })),
  };
};
