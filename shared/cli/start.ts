/** One run, from its start to its end. */
import type { Run } from '../pipeline/run';
import { randomId } from '../random';
import { ApiError, type Client } from './client';
import { UsageError } from './flags';
import { follow } from './follow';
import type { FullIo } from './io';

export interface Started {
  readonly run: Run;
  /** Where it can be read. */
  readonly location: string;
}

/** Of HTTP (printable ASCII), with room for `:` and the number of a line. Throws a UsageError for any other. */
export const readKey = (key: string | undefined): string | undefined => {
  if (key === undefined || /^[\x20-\x7e]{1,240}$/.test(key)) return key;
  throw new UsageError('--idempotency-key must be 1 to 240 printable ASCII characters');
};

/** A key of its own makes the call safe to repeat. Rejects with an ApiError. */
export const start = async (
  client: Client,
  pipeline: string,
  text: string,
  { key, io }: { readonly key: string | undefined; readonly io: Pick<FullIo, 'random'> },
): Promise<Started> => {
  const { body, location } = await client.call({
    method: 'POST',
    path: `/${pipeline}`,
    body: text,
    headers: { 'idempotency-key': JSON.stringify(key ?? randomId(io.random)) },
    callers: 'backend',
  });
  const run = body as Run | undefined;
  if (typeof run?.id !== 'string' || run.steps === undefined)
    throw new ApiError({
      code: 'not_the_suite',
      detail: `${client.url}/${pipeline} is no pipeline: it answers without a run`,
    });
  return { run, location: `${client.url}${location ?? `/${pipeline}/runs/${run.id}`}` };
};

export interface AwaitOptions {
  readonly client: Client;
  readonly io: Pick<FullIo, 'clock' | 'signal'>;
  /** ms; may be infinite: the run's own deadline ends it. */
  readonly wait: number;
  /** Given each state that is seen. */
  readonly show: (run: Run) => void;
  /** Told of each break of the connection, in one line. */
  readonly note: (text: string) => void;
}

/** The run as it ended, or as it was seen last when the time is over. Rejects with an ApiError. */
export const awaitEnd = async (
  first: Run,
  { client, io, wait, show, note }: AwaitOptions,
): Promise<Run> => {
  const late = new AbortController();
  const patience = new AbortController();
  const stop = () => late.abort();
  io.signal.addEventListener('abort', stop, { once: true });
  if (io.signal.aborted) stop();
  if (wait !== Number.POSITIVE_INFINITY)
    io.clock.sleep(wait, patience.signal).then(stop, () => undefined);
  let last = first;
  try {
    const runs = follow(first.pipeline, first.id, {
      client,
      clock: io.clock,
      signal: late.signal,
      onBreak: ({ problem }, ms) =>
        note(`the connection is lost (${problem.code}); again in ${ms / 1000} s`),
    });
    for await (const run of runs) {
      last = run;
      show(run);
    }
    return last;
  } catch (error) {
    if (late.signal.aborted && !io.signal.aborted) return last;
    throw error;
  } finally {
    io.signal.removeEventListener('abort', stop);
    patience.abort();
  }
};
