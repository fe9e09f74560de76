/** Time that moves on as soon as nothing is left to do at this instant, and not before. */
import type { Clock } from '../../../../shared/clock';
import { Failure } from '../../../../shared/failure';

export interface VirtualClock extends Clock {
  /** Goes on until it is done. Rejects when that is not so within `most` ms of this time. */
  runUntil(isDone: () => boolean, most: number): Promise<void>;
}

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** So many turns of the event loop without work mean that there is none: a socket needs more than one. */
const QUIET_TURNS = 4;

/** `isBusy`: whether somebody works who does not sleep. */
export const virtualClock = (isBusy: () => boolean, start = Date.UTC(2026, 0, 1)): VirtualClock => {
  let now = start;
  let changes = 0;
  const sleepers = new Set<Sleeper>();

  const quiet = async (): Promise<void> => {
    let seen = changes;
    for (let turns = 0; turns < QUIET_TURNS; turns += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!isBusy() && changes === seen) continue;
      seen = changes;
      turns = -1;
    }
  };

  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        changes += 1;
        if (signal?.aborted) return reject(new Failure('aborted'));
        const stop = () => {
          sleepers.delete(sleeper);
          changes += 1;
          reject(new Failure('aborted'));
        };
        const sleeper = {
          at: now + ms,
          wake: () => {
            sleepers.delete(sleeper);
            signal?.removeEventListener('abort', stop);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', stop, { once: true });
      }),
    runUntil: async (isDone, most) => {
      const end = now + most;
      for (;;) {
        await quiet();
        if (isDone()) return;
        const at = Math.min(...[...sleepers].map((sleeper) => sleeper.at));
        if (!(at <= end)) throw new Error(`not done after ${most} ms`);
        now = Math.max(now, at);
        for (const sleeper of [...sleepers]) if (sleeper.at <= now) sleeper.wake();
      }
    },
  };
};
