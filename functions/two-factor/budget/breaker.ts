/**
 * A breaker for prefixes whose codes nobody ever enters, as when messages are sent for the price of them (SMS pumping):
 * pure. It opens on a share of conversions that is too small, or on too many messages in a row without one; after a
 * while a trickle tries whether people have come. Fails closed: while it is open, nothing but the trickle passes.
 */
import { add, alive, lifeOf, type Slots, subtract, sum } from '../../../shared/limits/window';
import { DAY } from './guesses';

export interface BreakerLimits {
  /** So many messages in a day before the share says anything. */
  readonly sends: number;
  /** The least share of them whose code must be entered, in percent. */
  readonly conversions: number;
}

export interface PrefixBreaker {
  readonly sends: Slots;
  readonly conversions: Slots;
  /** Messages since the last conversion. */
  readonly row: number;
  /** @default it is closed */
  readonly open?: {
    /** When one more message may pass, ms since the epoch. */
    readonly until: number;
    /** How often in a row it has opened. */
    readonly trips: number;
    /** Messages of the trickle. */
    readonly probes: number;
  };
}

/** Messages in a row without a conversion that open it, whatever the share is. */
export const MAX_ROW = 100;
/** How long it stays open at first; doubled each time that the trickle comes to nothing, up to a day. ms */
export const COOL_DOWN = 3_600_000;
/** The trickle: so many messages, with so much time between two, ms. */
export const PROBES = 5;
export const PROBE_PAUSE = 600_000;

/** How long its record must live, ms. */
export const BREAKER_LIFE = lifeOf(DAY) + DAY;

const NEW: PrefixBreaker = { sends: [], conversions: [], row: 0 };

const current = (breaker: PrefixBreaker = NEW, now: number): PrefixBreaker => {
  const sends = alive(breaker.sends, DAY, now);
  const conversions = alive(breaker.conversions, DAY, now);
  return { ...breaker, sends, conversions, row: Math.min(breaker.row, sum(sends)) };
};

const isTripped = (
  { sends, conversions, row }: PrefixBreaker,
  { sends: enough, conversions: share }: BreakerLimits,
): boolean => {
  const sent = sum(sends);
  return row >= MAX_ROW || (sent >= enough && sum(conversions) * 100 < sent * share);
};

const coolDown = (trips: number): number => Math.min(COOL_DOWN * 2 ** (trips - 1), DAY);

export interface Asked {
  readonly value: PrefixBreaker;
  readonly result:
    | { readonly passes: true }
    /** `opened`: just now. `retryAfter`: ms. */
    | { readonly passes: false; readonly retryAfter: number; readonly opened: boolean };
}

/** Whether one more message may go there; if so, it is counted. */
export const ask = (
  before: PrefixBreaker | undefined,
  limits: BreakerLimits,
  now: number,
): Asked => {
  const breaker = current(before, now);
  const { open } = breaker;
  if (!open)
    return isTripped(breaker, limits) ? trip(breaker, 1, now) : pass(breaker, now, undefined);
  if (now < open.until)
    return {
      value: breaker,
      result: { passes: false, retryAfter: open.until - now, opened: false },
    };
  if (open.probes >= PROBES) return trip(breaker, open.trips + 1, now);
  return pass(breaker, now, { ...open, probes: open.probes + 1, until: now + PROBE_PAUSE });
};

const pass = (
  { open: _, ...breaker }: PrefixBreaker,
  now: number,
  open: PrefixBreaker['open'],
): Asked => ({
  value: {
    ...breaker,
    sends: add(breaker.sends, DAY, now, 1),
    row: breaker.row + 1,
    ...(open && { open }),
  },
  result: { passes: true },
});

const trip = (breaker: PrefixBreaker, trips: number, now: number): Asked => {
  const retryAfter = coolDown(trips);
  return {
    value: { ...breaker, open: { until: now + retryAfter, trips, probes: 0 } },
    result: { passes: false, retryAfter, opened: true },
  };
};

/** A code that was sent there has been entered. */
export const convert = (
  before: PrefixBreaker | undefined,
  limits: BreakerLimits,
  now: number,
): PrefixBreaker => {
  const { open, ...breaker } = current(before, now);
  const conversions = add(breaker.conversions, DAY, now, 1);
  // People have come: what was sent before them is not held against the prefix any more.
  if (open && open.probes > 0) return { sends: [], conversions, row: 0 };
  const converted = { ...breaker, conversions, row: 0 };
  // Codes entered late, of messages sent before it opened, may show that it was wrong to open.
  return open && isTripped(converted, limits) ? { ...converted, open } : converted;
};

/** A message that passed at `at` was not sent. */
export const takeBack = (
  before: PrefixBreaker | undefined,
  { at, now }: { readonly at: number; readonly now: number },
): PrefixBreaker => {
  const { open, ...breaker } = current(before, now);
  return {
    ...breaker,
    sends: subtract(breaker.sends, DAY, { at, points: 1 }),
    row: Math.max(0, breaker.row - 1),
    ...(open && { open: { ...open, probes: Math.max(0, open.probes - 1) } }),
  };
};
