/**
 * Replays of many runs, paced. Nothing is remembered of it here: a run that was replayed has no dead letter any more,
 * or is under way, so that the same command again goes on where this one has ended.
 */
import type { DeadLetter } from '../pipeline/engine';
import { ApiError } from './client';
import { UsageError } from './flags';
import { inOrder } from './in-order';
import { readLines } from './input';
import type { FullIo } from './io';
import { isRunId, readCount, stepName } from './names';
import { pages } from './pages';
import type { ReplayCall } from './pipeline-replay';
import { explainError, type Problem } from './problem';
import { tally } from './tally';
import { oneLine } from './text';

/** One line of `--json`. */
export interface ReplayResult {
  readonly run: string;
  readonly outcome: 'replayed' | 'skipped' | 'refused';
  readonly error?: Problem;
}

/** Replays of which the answer is waited for at once. */
const AT_ONCE = 8;
const DEFAULT_RATE = '10/s';
/** It cannot be replayed, and need not be. */
const SKIPPED: ReadonlySet<string> = new Set(['run_not_ended', 'nothing_to_replay']);

export const replayMany = async (
  name: string,
  order: string,
  call: ReplayCall,
): Promise<number> => {
  const { values, io, connect } = call;
  const interval = readInterval(values.rate ?? DEFAULT_RATE);
  const client = connect();
  const progress = tally(io);
  let fatal: ApiError | undefined;

  const replay = async (run: string): Promise<ReplayResult> => {
    if (!isRunId(run))
      return {
        run,
        outcome: 'refused',
        error: { code: 'invalid_id', detail: 'not the id of a run' },
      };
    try {
      const path = `/${name}/runs/${run}/replay`;
      await client.call({ method: 'POST', path, body: order, callers: 'admin' });
      return { run, outcome: 'replayed' };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { problem, isNo } = error;
      // The next one would fare no better.
      if (!isNo || (problem.status ?? 0) >= 500) fatal ??= error;
      const outcome = SKIPPED.has(problem.code) ? 'skipped' : 'refused';
      return { run, outcome, error: problem };
    }
  };

  const isOver = () => fatal !== undefined || io.signal.aborted;
  const ids = values.ids === undefined ? deadLetters(name, call) : idsOf(readLines(values.ids, io));
  try {
    const limit = readCount('limit', values.limit) ?? Number.POSITIVE_INFINITY;
    for await (const result of inOrder(
      paced(ids, { limit, interval, io, isOver }),
      AT_ONCE,
      replay,
    )) {
      progress.count(result.outcome);
      if (values.json) io.stdout(`${JSON.stringify(result)}\n`);
      else if (result.outcome === 'refused') io.stdout(refusal(result));
      await io.drained();
    }
  } finally {
    progress.end(io.signal.aborted ? 'interrupted: ' : fatal ? 'stopped: ' : '');
  }
  if (fatal) {
    io.stderr(explainError(fatal));
    return fatal.exitCode;
  }
  return progress.refused() > 0 || io.signal.aborted ? 1 : 0;
};

interface PaceOptions {
  /** How many at most. */
  readonly limit: number;
  /** Between two of them, ms. */
  readonly interval: number;
  readonly io: FullIo;
  readonly isOver: () => boolean;
}

/** Each once, and none sooner than its turn. */
async function* paced(
  ids: AsyncIterable<string>,
  { limit, interval, io, isOver }: PaceOptions,
): AsyncGenerator<string> {
  const { clock, signal } = io;
  const seen = new Set<string>();
  let turn = clock.now();
  for await (const id of ids) {
    if (seen.has(id)) continue;
    seen.add(id);
    const early = turn - clock.now();
    if (early > 0) await clock.sleep(early, signal).catch(() => undefined);
    if (isOver()) return;
    turn = Math.max(turn, clock.now()) + interval;
    yield id;
    if (seen.size >= limit) return;
  }
}

async function* deadLetters(
  name: string,
  { values, io, connect }: ReplayCall,
): AsyncGenerator<string> {
  const { step, code } = values;
  const filters = { step: step && stepName(step), code };
  const options = { path: 'dead-letters', member: 'deadLetters', filters, signal: io.signal };
  for await (const { items } of pages<DeadLetter>(connect(), name, options))
    for (const { run } of items) yield run;
}

/** What is neither an id nor JSON with one is given as it is, and refused as such. */
async function* idsOf(lines: AsyncIterable<{ readonly text: string }>): AsyncGenerator<string> {
  for await (const { text } of lines) yield idOf(text.trim());
}

const idOf = (text: string): string => {
  if (!text.startsWith('{') && !text.startsWith('"')) return text;
  try {
    const value = JSON.parse(text) as string | { readonly run?: unknown; readonly id?: unknown };
    const id = typeof value === 'string' ? value : (value.run ?? value.id);
    return typeof id === 'string' ? id : text;
  } catch {
    return text;
  }
};

/** `10/s`, `600/m`, or a number of them in a second; ms between two. Throws a UsageError for anything else. */
const readInterval = (text: string): number => {
  const [, many = '', unit] = /^(\d{1,6}(?:\.\d{1,3})?)(?:\/(s|m|h))?$/.exec(text) ?? [];
  const rate = Number(many);
  if (many === '' || rate <= 0) throw new UsageError('--rate must be a rate such as 10/s or 600/m');
  return (unit === 'm' ? 60_000 : unit === 'h' ? 3_600_000 : 1_000) / rate;
};

const refusal = ({ run, error }: ReplayResult): string => {
  const { code = '', detail = '', errors = [] } = error ?? {};
  const mistakes = errors.map(({ pointer, message }) => `; ${pointer || '/'} ${message}`).join('');
  return `${oneLine(`${run}  refused  ${code}: ${detail}${mistakes}`)}\n`;
};
