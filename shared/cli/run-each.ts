/** A run for each line: several at once, told in the order of the lines; a refused line is no reason to stop. */
import type { RunState } from '../pipeline/run';
import { ApiError } from './client';
import { inOrder } from './in-order';
import { jsonMistake, type Line, readLines } from './input';
import { readCount } from './names';
import type { RunCall } from './pipeline-run';
import { explainError, type Problem } from './problem';
import { awaitEnd, readKey, start } from './start';
import { count, oneLine } from './text';

/** One line of `--json`. */
export type LineResult =
  | {
      readonly line: number;
      readonly id: string;
      readonly location: string;
      readonly state: RunState;
    }
  | { readonly line: number; readonly error: Problem };

const CONCURRENCY = 8;

export const runEach = async (
  pipeline: string,
  { values, io, connect }: RunCall,
  wait: number | undefined,
): Promise<number> => {
  const client = connect();
  const key = readKey(values['idempotency-key']);
  let fatal: ApiError | undefined;

  const work = async ({ number: line, text }: Line): Promise<LineResult> => {
    const wrong = jsonMistake(text);
    if (wrong !== undefined) return { line, error: { code: 'invalid_json', detail: wrong } };
    try {
      const { run, location } = await start(client, pipeline, text, {
        key: key && `${key}:${line}`,
        io,
      });
      const last =
        wait === undefined
          ? run
          : await awaitEnd(run, { client, io, wait, show: () => undefined, note: () => undefined });
      return { line, id: run.id, location, state: last.state };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // The next line would fare no better.
      if (!error.isNo) fatal ??= error;
      return { line, error: error.problem };
    }
  };

  const wanted = async function* (): AsyncGenerator<Line> {
    for await (const line of readLines(values.input as string, io)) {
      if (fatal || io.signal.aborted) return;
      yield line;
    }
  };

  let done = 0;
  let bad = 0;
  const limit = readCount('concurrency', values.concurrency) ?? CONCURRENCY;
  for await (const result of inOrder(wanted(), limit, work)) {
    done += 1;
    if (!isGood(result, wait !== undefined)) bad += 1;
    io.stdout(values.json ? `${JSON.stringify(result)}\n` : lineOf(result));
    await io.drained();
  }
  if (!values.json) io.stdout(`${count(done, 'line')}, ${bad} refused or failed\n`);
  if (io.signal.aborted) io.stderr(`interrupted after ${count(done, 'line')}\n`);
  if (fatal && fatal.problem.code !== 'interrupted') {
    io.stderr(`stopped: ${explainError(fatal)}`);
    return fatal.exitCode;
  }
  return bad > 0 || io.signal.aborted ? 1 : 0;
};

const isGood = (result: LineResult, isEndWanted: boolean): boolean =>
  !('error' in result) && (!isEndWanted || result.state === 'succeeded');

const lineOf = (result: LineResult): string => {
  const { line } = result;
  if (!('error' in result))
    return `${oneLine(`${line}  ${result.id}  ${result.state}  ${result.location}`)}\n`;
  const { code, detail, errors = [] } = result.error;
  const mistakes = errors.map(({ pointer, message }) => `${pointer} ${message}`).join(', ');
  return `${oneLine(`${line}  refused  ${code}: ${mistakes || detail}`)}\n`;
};
