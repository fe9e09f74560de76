import type { Clock } from '../../shared/clock';
import { Failure } from '../../shared/failure';

export interface ManualClock extends Clock {
  /** Moves time on and wakes, in order, whoever slept until then. */
  advance(ms: number): Promise<void>;
}

/** Time that stands still until a test moves it. */
export const manualClock = (start = Date.UTC(2026, 0, 1)): ManualClock => {
  let now = start;
  const sleepers = new Set<{ at: number; wake: () => void }>();
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const stop = () => {
          sleepers.delete(sleeper);
          reject(new Failure('aborted'));
        };
        const wake = () => {
          signal?.removeEventListener('abort', stop);
          resolve();
        };
        const sleeper = { at: now + ms, wake };
        sleepers.add(sleeper);
        if (signal?.aborted) stop();
        else signal?.addEventListener('abort', stop, { once: true });
      }),
    advance: async (ms) => {
      const target = now + ms;
      for (;;) {
        await settle();
        const [first] = [...sleepers].filter(({ at }) => at <= target).sort((a, b) => a.at - b.at);
        if (!first) break;
        sleepers.delete(first);
        now = Math.max(now, first.at);
        first.wake();
      }
      now = target;
      await settle();
    },
  };
};

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
