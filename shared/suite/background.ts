/**
 * Works that go on whoever asks, such as a queue that is emptied: begun once the host can be reached, ended before its
 * parts are closed. One that throws is logged and begun again after a pause, so that a fault of the store or a provider
 * ends no work for good; one that returns has done all that there was.
 */
import type { Clock } from '../clock';
import type { Log } from '../handler';
import { untilAborted } from '../signal';

export type BackgroundWork = (signal: AbortSignal) => Promise<void>;

export interface Background {
  /** Begun at once when the others have, never after the stop. */
  add(work: BackgroundWork): void;
  begin(): void;
  /** Aborts all and waits for them, until the signal aborts that. */
  stop(signal: AbortSignal): Promise<void>;
}

export interface BackgroundOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Before a work that threw begins again, ms. @default 5000 */
  readonly pause?: number;
}

export const createBackground = ({ clock, log, pause = 5_000 }: BackgroundOptions): Background => {
  const waiting: BackgroundWork[] = [];
  const underWay = new Set<Promise<void>>();
  const end = new AbortController();
  let begun = false;

  const run = async (work: BackgroundWork): Promise<void> => {
    while (!end.signal.aborted) {
      try {
        return await work(end.signal);
      } catch (error) {
        if (end.signal.aborted) return;
        log.error('background_failed', { error });
        await clock.sleep(pause, end.signal).catch(() => undefined);
      }
    }
  };
  const start = (work: BackgroundWork): void => {
    const running = run(work).finally(() => underWay.delete(running));
    underWay.add(running);
  };

  return {
    add: (work) => {
      if (begun) start(work);
      else waiting.push(work);
    },
    begin: () => {
      begun = true;
      for (const work of waiting.splice(0)) start(work);
    },
    stop: async (signal) => {
      end.abort();
      await Promise.race([Promise.allSettled(underWay), untilAborted(signal)]);
    },
  };
};
