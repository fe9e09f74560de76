/**
 * Lists of runs and of dead letters, newest first, a page at a time: each reads along one index, as far as the page
 * goes, however many there are.
 */
import type { Connection, Param } from '../../sqlite';
import type { DeadLetter, DeadLetterQuery, DisabledTarget, RunQuery } from '../engine';
import type { RunState, RunSummary, StepResult } from '../run';

export interface JournalLists {
  runs(
    db: Connection,
    query: RunQuery,
  ): { readonly runs: readonly RunSummary[]; readonly next?: string };
  deadLetters(
    db: Connection,
    query: DeadLetterQuery,
  ): { readonly deadLetters: readonly DeadLetter[]; readonly next?: string };
  goneTargets(db: Connection): readonly DisabledTarget[];
}

interface ListedRow {
  readonly serial: number;
  readonly id: string;
  readonly hash: string;
  readonly state: RunState;
  readonly created_at: number;
  readonly deadline_at: number;
  readonly ended_at: number | null;
}

interface LetterRow {
  readonly run: number;
  readonly id: string;
  readonly hash: string;
  readonly step: string;
  readonly result: string;
}

const STATES: readonly RunState[] = ['running', 'succeeded', 'failed', 'cancelled'];
const PAGE = 50;
/** After all there are. */
const LAST = Number.MAX_SAFE_INTEGER;

export const journalLists = (): JournalLists => ({
  runs: (db, { pipeline, state, since = 0, until = LAST, after, limit = PAGE }) => {
    const [at, serial] = readCursor(after) ?? [until, 0];
    // One ordered reading for each state, and of all of them the newest: no index would serve all states in order.
    const found = (state ? [state] : STATES)
      .flatMap((one) =>
        db.all<ListedRow>(
          `SELECT runs.serial, id, hash, state, created_at, deadline_at, ended_at
           FROM runs JOIN graphs ON graphs.serial = runs.graph
           WHERE runs.pipeline = ? AND state = ? AND (created_at, runs.serial) < (?, ?) AND created_at >= ?
           ORDER BY created_at DESC, runs.serial DESC LIMIT ?`,
          pipeline,
          one,
          Math.min(at, until),
          at < until ? serial : 0,
          since,
          limit + 1,
        ),
      )
      .sort((a, b) => b.created_at - a.created_at || b.serial - a.serial);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      runs: page.map((row) => ({
        id: row.id,
        pipeline,
        graph: row.hash,
        state: row.state,
        createdAt: iso(row.created_at),
        deadlineAt: iso(row.deadline_at),
        ...(row.ended_at !== null && { endedAt: iso(row.ended_at) }),
      })),
      ...(found.length > limit && last && { next: `${last.created_at}.${last.serial}` }),
    };
  },

  deadLetters: (db, { pipeline, step, code, after, limit = PAGE }) => {
    const [run, behind] = readLetterCursor(after);
    const conditions: [string, Param][] = [];
    if (step !== undefined) conditions.push(['dead_letters.step = ?', step]);
    if (code !== undefined) conditions.push(['code = ?', code]);
    const rows = db.all<LetterRow>(
      `SELECT dead_letters.run, id, hash, dead_letters.step, result
       FROM dead_letters JOIN runs ON runs.serial = dead_letters.run JOIN graphs ON graphs.serial = runs.graph
       JOIN steps ON steps.run = dead_letters.run AND steps.step = dead_letters.step
       WHERE dead_letters.pipeline = ? AND dead_letters.run <= ? AND (dead_letters.run < ? OR dead_letters.step > ?)
       ${conditions.map(([condition]) => `AND ${condition}`).join(' ')}
       ORDER BY dead_letters.run DESC, dead_letters.step LIMIT ?`,
      pipeline,
      run,
      run,
      behind,
      ...conditions.map(([, value]) => value),
      limit + 1,
    );
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      deadLetters: page.map(toLetter),
      ...(rows.length > limit && last && { next: `${last.run}.${last.step}` }),
    };
  },

  goneTargets: (db) =>
    db
      .all<{ name: string; at: number }>('SELECT name, at FROM gone_targets ORDER BY name')
      .map(({ name, at }) => ({ name, at: iso(at) })),
});

const toLetter = ({ id, hash, step, result }: LetterRow): DeadLetter => {
  const whole = JSON.parse(result) as StepResult;
  const { attempts, endedAt, error } = whole.undo?.state === 'failed' ? whole.undo : whole;
  return {
    run: id,
    step,
    graph: hash,
    attempts,
    failedAt: endedAt as string,
    ...(error && { error }),
  };
};

const readCursor = (text: string | undefined): readonly [number, number] | undefined => {
  const [, at, serial] = /^(\d{1,15})\.(\d{1,15})$/.exec(text ?? '') ?? [];
  return at === undefined ? undefined : [Number(at), Number(serial)];
};

const readLetterCursor = (text: string | undefined): readonly [number, string] => {
  const [, run, step = ''] = /^(\d{1,15})\.([a-z0-9-]{1,63})$/.exec(text ?? '') ?? [];
  return run === undefined ? [LAST, ''] : [Number(run), step];
};

const iso = (ms: number): string => new Date(ms).toISOString();
