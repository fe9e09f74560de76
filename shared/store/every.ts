/**
 * Housekeeping in real time, for which the process does not stay alive.
 *
 * Fails open: a round that fails is forgotten, and the next one comes in its time.
 */
import { systemClock } from '../clock';

/** How long after its expiry an entry is dropped when nobody writes, in ms. */
export const SWEEP_INTERVAL = 10_000;
/** Between two steps of a sweep, in ms: the turn of everybody else, also in other processes. */
export const SWEEP_REST = 5;

export interface Repeated {
  /** Does nothing when it has begun already. */
  start(): void;
  stop(): void;
}

/** Calls `act`, over and over, `interval` ms after it was done the last time. */
export const every = (interval: number, act: (signal: AbortSignal) => Promise<void>): Repeated => {
  let running: AbortController | undefined;

  const run = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      await pause(interval, signal);
      await act(signal).catch(() => undefined);
    }
  };

  return {
    start: () => {
      if (running) return;
      running = new AbortController();
      // The only way out of it is the signal.
      run(running.signal).catch(() => undefined);
    },
    stop: () => {
      running?.abort();
      running = undefined;
    },
  };
};

/** Rejects with `aborted` as soon as the signal does. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  systemClock.sleep(ms, signal, { ref: false });
