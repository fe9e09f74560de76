/** Time as an option, so that tests can hold it still. */
import { Failure } from './failure';

export interface Clock {
  /** Wall time, ms since the epoch. */
  now(): number;
  /** Resolves after `ms`; rejects with `aborted` as soon as the signal does. */
  sleep(ms: number, signal?: AbortSignal, options?: SleepOptions): Promise<void>;
}

export interface SleepOptions {
  /** Whether the process stays alive for it. @default true */
  readonly ref?: boolean;
}

/** setTimeout holds 31 bits of milliseconds; a longer wait would fire at once. */
const MAX_TIMER = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal, options) => {
    for (let left = ms; left > 0; left -= MAX_TIMER)
      await timer(Math.min(left, MAX_TIMER), signal, options);
  },
};

const timer = (
  ms: number,
  signal: AbortSignal | undefined,
  { ref = true }: SleepOptions = {},
): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(pending);
      reject(new Failure('aborted', { cause: signal?.reason }));
    };
    const pending = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    // At the edge a timer is a number, and there is no process to keep.
    if (!ref) pending.unref?.();
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
