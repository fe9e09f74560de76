/** A run to its end, over the network: after a break it comes back by itself, since each event is the whole run. */
import type { Clock } from '../clock';
import type { Run } from '../pipeline/run';
import { ApiError, type Client } from './client';
import { interrupted } from './problem';

export interface FollowOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** Ends it, with an ApiError `interrupted`. */
  readonly signal: AbortSignal;
  /** Told of each break, with what comes next. @default nobody */
  readonly onBreak?: (error: ApiError, ms: number) => void;
}

/** Tries without an event in between: a minute or so. */
const MAX_BREAKS = 10;
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 10_000;

/** The run as it is, then after changes (states may be skipped), at last as it ended. Rejects with an ApiError. */
export async function* follow(
  pipeline: string,
  id: string,
  { client, clock, signal, onBreak }: FollowOptions,
): AsyncGenerator<Run> {
  let breaks = 0;
  for (;;) {
    let error = new ApiError({ code: 'unreachable', detail: 'the stream of events has ended' });
    try {
      for await (const run of client.stream(`/${pipeline}/runs/${id}/events`, signal)) {
        breaks = 0;
        yield run;
        if (run.state !== 'running') return;
      }
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || !mayPass(thrown)) throw thrown;
      error = thrown;
    }
    breaks += 1;
    if (breaks > MAX_BREAKS) throw error;
    const ms = Math.min(FIRST_PAUSE * 2 ** (breaks - 1), LONGEST_PAUSE);
    onBreak?.(error, ms);
    await clock.sleep(ms, signal).catch(() => {
      throw interrupted();
    });
  }
}

/** A server that starts anew is away for a moment, or says so. */
const mayPass = ({ problem: { code, status = 0 } }: ApiError): boolean =>
  code === 'unreachable' || status >= 500;
