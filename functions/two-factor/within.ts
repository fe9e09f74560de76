/** Waits for one piece of work within a bound. What it throws comes out as it is; being late is `send_failed`. */
import type { Clock } from '../../shared/clock';
import { Failure } from '../../shared/failure';

export interface WithinOptions {
  readonly clock: Clock;
  /** ms */
  readonly timeout: number;
}

/**
 * Not bound to the caller's signal: whether a message is out must not depend on who still listens. The work gets a
 * signal of its own that aborts when it is late.
 */
export const within = async <T>(
  { clock, timeout }: WithinOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const late = new AbortController();
  const settled = new AbortController();
  const bound = clock.sleep(timeout, settled.signal).then((): never => {
    late.abort();
    throw new Failure('send_failed');
  });
  try {
    return await Promise.race([work(late.signal), bound]);
  } finally {
    bound.catch(() => {});
    // Without a reason of its own an error with a stack would be made for it.
    settled.abort('settled');
  }
};
