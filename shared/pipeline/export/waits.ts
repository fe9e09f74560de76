/** The waits between the attempts of a step, written out: no format doubles, caps and counts them as we do. */
import type { Retry, Step } from '../pipeline';

/** Before the second attempt, the third … up to the last; ms. Without jitter, which only lengthens. */
export const waitsOf = ({ attempts, backoff, maxBackoff }: Retry): readonly number[] =>
  Array.from({ length: attempts - 1 }, (_, index) => Math.min(backoff * 2 ** index, maxBackoff));

/** ms, when each of the waits is rounded so. */
export const longestOf =
  (round: (ms: number) => number) =>
  ({ target, timeout, retry, delay = 0 }: Step): number =>
    round(delay) +
    ('wait' in target
      ? timeout
      : retry.attempts * timeout + waitsOf(retry).reduce((sum, wait) => sum + round(wait), 0));
