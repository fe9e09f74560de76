/** A wait with a bound and a signal, for what has neither. */
import type { Clock } from '../../clock';

export interface WithinOptions {
  readonly clock: Clock;
  /** ms */
  readonly timeout: number;
  /** @default nobody leaves early */
  readonly signal?: AbortSignal;
}

/** `undefined`: the time is over. Rejects as the work does, and with `aborted` as the signal aborts. */
export const within = async <T>(
  work: Promise<T>,
  { clock, timeout, signal }: WithinOptions,
): Promise<T | undefined> => {
  const over = new AbortController();
  const end = () => over.abort();
  if (signal?.aborted) end();
  signal?.addEventListener('abort', end);
  try {
    const late = clock.sleep(timeout, over.signal, { ref: false }).then(() => undefined);
    return await Promise.race([work, late]);
  } finally {
    signal?.removeEventListener('abort', end);
    end();
  }
};
