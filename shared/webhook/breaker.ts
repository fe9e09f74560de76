/**
 * A circuit breaker for one target: pure decisions over what its calls came to, and the time.
 *
 * A target that fails again and again is left alone for a while, then tried with one call. It fails open: what it does
 * not know lets calls through, since it spares work and is no guard.
 */

/**
 * How a call ended. `answered`: with anything below 500, 429 too: it lives. `failed`: with 5xx or no answer.
 * `gone`: with 410. `unmade`: it was not sent, or called off, which says nothing.
 */
export type CallOutcome = 'answered' | 'failed' | 'gone' | 'unmade';

export type Breaker =
  /** Calls pass. `failures`: in a row, up to now. */
  | { readonly state: 'closed'; readonly failures: number }
  /** None passes before `until`. `trips`: how often in a row it has opened. */
  | {
      readonly state: 'open';
      readonly trips: number;
      readonly until: number;
      readonly gone: boolean;
    }
  /** One call is under way that decides. */
  | { readonly state: 'half-open'; readonly trips: number; readonly gone: boolean };

export type Decision =
  /** `probe`: the call that decides; its outcome is to be told as that. */
  | { readonly passes: true; readonly probe: boolean; readonly breaker: Breaker }
  /** To be asked again at `at`, ms since the epoch. `gone`: the target has said that it will not be back. */
  | { readonly passes: false; readonly at: number; readonly gone: boolean };

export const CLOSED: Breaker = { state: 'closed', failures: 0 };

/** Failures in a row that open it. */
export const FAILURES_TO_OPEN = 10;
/** How long it stays open at first, ms; doubled each time that the probe fails. */
export const COOL_DOWN = 5_000;
/** Where the doubling ends, ms. */
export const MAX_COOL_DOWN = 60_000;
/** How long a target that said it is gone is taken at its word, ms. */
export const GONE_FOR = 3_600_000;

/** Whether a call may be made now. */
export const ask = (breaker: Breaker, now: number): Decision => {
  if (breaker.state === 'closed') return { passes: true, probe: false, breaker };
  const { trips, gone } = breaker;
  if (breaker.state === 'half-open') return { passes: false, at: now + COOL_DOWN, gone };
  if (now < breaker.until) return { passes: false, at: breaker.until, gone };
  return { passes: true, probe: true, breaker: { state: 'half-open', trips, gone } };
};

/** What follows from the end of a call, which may have begun in an earlier state. */
export const tell = (
  breaker: Breaker,
  { outcome, probe }: { readonly outcome: CallOutcome; readonly probe: boolean },
  now: number,
): Breaker => {
  if (outcome === 'gone')
    return { state: 'open', trips: tripsOf(breaker) + 1, until: now + GONE_FOR, gone: true };
  if (breaker.state === 'closed') return afterCall(breaker.failures, outcome, now);
  const { trips, gone } = breaker;
  // What began before is old news, except that the target lives; and one that is gone may have answered before.
  if (!probe) return outcome === 'answered' && !gone ? CLOSED : breaker;
  if (outcome === 'answered') return CLOSED;
  if (outcome === 'unmade') return { state: 'open', trips, until: now, gone };
  return opened(trips + 1, now);
};

const afterCall = (failures: number, outcome: CallOutcome, now: number): Breaker => {
  if (outcome === 'unmade') return { state: 'closed', failures };
  if (outcome === 'answered') return CLOSED;
  return failures + 1 < FAILURES_TO_OPEN
    ? { state: 'closed', failures: failures + 1 }
    : opened(1, now);
};

const opened = (trips: number, now: number): Breaker => ({
  state: 'open',
  trips,
  until: now + Math.min(COOL_DOWN * 2 ** (trips - 1), MAX_COOL_DOWN),
  gone: false,
});

const tripsOf = (breaker: Breaker): number => (breaker.state === 'closed' ? 0 : breaker.trips);
