/**
 * A run as server-sent events (HTML Standard, section 9.2): each is the whole run, so that whoever comes back after
 * a break needs none of the former ones. Fails closed: without the engine there is no stream.
 */
import type { Clock } from '../clock';
import { Failure } from '../failure';
import type { Handler } from '../handler';
import { empty, stream } from '../http/response';
import type { Engine } from './engine';
import type { CallResult, Run } from './run';

export interface RunEventsOptions {
  readonly pipeline: string;
  readonly engine: Engine;
  readonly clock: Clock;
  /** Between two comments that keep the connection alive, in ms. @default 15000 */
  readonly heartbeat?: number;
  /** How long one stream lasts at most, in ms; the client comes back by itself. @default 900000 */
  readonly lifetime?: number;
}

/** Streams on `GET …/runs/:id/events`. A client that comes back for a run whose end it has seen gets 204: stop asking. */
export const runEvents = ({
  pipeline,
  engine,
  clock,
  heartbeat = 15_000,
  lifetime = 900_000,
}: RunEventsOptions): Handler => {
  async function* frames(id: string, signal: AbortSignal): AsyncGenerator<string> {
    const leaving = new AbortController();
    const leave = () => leaving.abort();
    signal.addEventListener('abort', leave, { once: true });
    const runs = engine.watch(pipeline, id, leaving.signal)[Symbol.asyncIterator]();
    const end = clock.now() + lifetime;
    try {
      yield 'retry: 1000\n\n';
      let next = runs.next();
      while (!leaving.signal.aborted && clock.now() < end) {
        const pause = new AbortController();
        const beat = clock.sleep(heartbeat, pause.signal).catch(() => undefined);
        const found = await Promise.race([next, beat]);
        pause.abort();
        if (!found) yield ':\n\n';
        else if (found.done) return;
        else {
          yield frame(found.value);
          next = runs.next();
        }
      }
    } finally {
      signal.removeEventListener('abort', leave);
      leave();
    }
  }

  return async (request, { params, signal }) => {
    const id = params.id as string;
    const run = await engine.find(pipeline, id);
    if (!run) throw new Failure('not_found');
    const seen = request.headers.get('last-event-id');
    if (run.state !== 'running' && seen === String(progress(run))) return empty();
    return stream(frames(id, signal), {
      headers: {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        // nginx would keep the events back until its buffer is full.
        'x-accel-buffering': 'no',
      },
    });
  };
};

const frame = (run: Run): string =>
  `id: ${progress(run)}\nevent: run\ndata: ${JSON.stringify(run)}\n\n`;

/**
 * Counts what has happened to a run: grows with every change and is the same for the same state, whichever process
 * tells it, so that it can be the id of an event.
 */
export const progress = ({ state, steps, replays = [], cancelled }: Run): number =>
  Object.values(steps).reduce(
    (sum, { undo, ...step }) => sum + count(step) + (undo ? 1 + count(undo) : 0),
    // A replay begins to count anew, and no run counts that far.
    replays.length * ROUND + (cancelled ? 1 : 0) + (state === 'running' ? 0 : 1),
  );

const ROUND = 1_000_000;

const count = ({ attempts, nextAttemptAt, endedAt, startedAt }: CallResult): number =>
  3 * attempts +
  (startedAt === undefined ? 0 : 1) +
  (nextAttemptAt === undefined ? 0 : 1) +
  (endedAt === undefined ? 0 : 3);
