/**
 * A rate limit: the generic cell rate algorithm (ITU-T I.371), as a pure function over one instant.
 *
 * That instant is when the next call would come if all came at an even pace; a call may be early by `burst` - 1 paces.
 */

export interface RateLimit {
  /** Calls in a second: any positive number. */
  readonly rate: number;
  /** Calls that may come at once after a pause: in any second at most `rate` + `burst` - 1. @default 1 */
  readonly burst?: number;
}

/** Nothing has been called yet. */
export const NEVER = Number.NEGATIVE_INFINITY;

/** From one call to the next, ms. */
export const paceOf = ({ rate }: RateLimit): number => 1000 / rate;

/**
 * When a call may be made that has `ahead` others before it: now, or later; ms since the epoch.
 * `next` is the instant that `take` gave last.
 */
export const slotAt = (next: number, limit: RateLimit, now: number, ahead = 0): number => {
  const { burst = 1 } = limit;
  const due = Math.max(next, now) + (ahead - (burst - 1)) * paceOf(limit);
  return Math.max(now, Math.ceil(due));
};

/** The instant, once a call is made now. */
export const take = (next: number, limit: RateLimit, now: number): number =>
  Math.max(next, now) + paceOf(limit);
