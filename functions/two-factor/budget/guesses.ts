/**
 * The guesses of a day, for one user or one destination: pure. A challenge reserves all of its guesses when it is
 * issued, so a live one is never refused for want of budget; what it did not use comes back once it has ended for good.
 *
 * Nothing is taken out of a ledger but what has ended for good or is too old to matter: a reservation whose issue
 * failed halfway stays until then, since another delivery of the same request may have made it live.
 */
import { MAX_ATTEMPTS } from '../challenge';

/** Wrong guesses in a day, over all challenges (NIST SP 800-63B section 5.2.2 allows 100 in a row). */
export const MAX_GUESSES = 20;

/** ms */
export const DAY = 86_400_000;

/**
 * No challenge takes a guess later than this after its reservation, ms: five codes of ten minutes each, and more than
 * an hour for whatever holds its issue up.
 */
export const LONGEST_CHALLENGE = 7_200_000;

/** By how much the clocks of two instances may differ, ms. */
export const SKEW = 60_000;

export type Reservation = {
  readonly challenge: string;
  /** ms since the epoch */
  readonly at: number;
} & (
  | { readonly state: 'reserved' }
  /** Ended; what was guessed counts until then. */
  | { readonly state: 'used'; readonly guesses: number; readonly until: number }
);

export interface Ledger {
  readonly reservations: readonly Reservation[];
  /** How often there was no room: a refusal is written as a reservation is. */
  readonly refused: number;
}

/** How long a ledger lives after it was last written, ms. */
export const LEDGER_LIFE = LONGEST_CHALLENGE + DAY + SKEW;

/** A challenge that has ended for good. */
export interface Ended {
  readonly wrongGuesses: number;
  /** No guess was compared later, ms since the epoch. */
  readonly endedAt: number;
}

const isOver = (reservation: Reservation, now: number): boolean =>
  now >= (reservation.state === 'used' ? reservation.until : reservation.at + LEDGER_LIFE);

const heldBy = (reservation: Reservation): number =>
  reservation.state === 'used' ? reservation.guesses : MAX_ATTEMPTS;

/** The ledger as it is now, with what is known to have ended. */
export const settled = (
  ledger: Ledger | undefined,
  ended: ReadonlyMap<string, Ended>,
  now: number,
): Ledger => {
  const reservations = (ledger?.reservations ?? []).map((reservation): Reservation => {
    const end = reservation.state === 'reserved' ? ended.get(reservation.challenge) : undefined;
    if (!end) return reservation;
    const { challenge, at } = reservation;
    const until = Math.min(end.endedAt, at + LONGEST_CHALLENGE) + DAY + SKEW;
    return { challenge, at, state: 'used', guesses: end.wrongGuesses, until };
  });
  return {
    reservations: reservations.filter(
      (reservation) => heldBy(reservation) > 0 && !isOver(reservation, now),
    ),
    refused: ledger?.refused ?? 0,
  };
};

/** Guesses that were made or still may be. */
export const heldIn = ({ reservations }: Ledger): number =>
  reservations.reduce((total, reservation) => total + heldBy(reservation), 0);

export const has = ({ reservations }: Ledger, challenge: string): boolean =>
  reservations.some((reservation) => reservation.challenge === challenge);

/** Challenges that were not seen to end. */
export const unsettledIn = ({ reservations }: Ledger): readonly string[] =>
  reservations.filter(({ state }) => state === 'reserved').map(({ challenge }) => challenge);

export type Reserved =
  | { readonly granted: true }
  /** ms, at the earliest */
  | { readonly granted: false; readonly retryAfter: number };

export interface ReserveFacts {
  readonly challenge: string;
  /** Guesses held in ledgers under former keys. */
  readonly besides: number;
  /** Whether one of those has this challenge already. */
  readonly isKnown: boolean;
  readonly ended: ReadonlyMap<string, Ended>;
  /** ms since the epoch */
  readonly now: number;
}

/** Once for a challenge: a second time is granted without another. */
export const reserve = (
  before: Ledger | undefined,
  { challenge, besides, isKnown, ended, now }: ReserveFacts,
): { readonly value: Ledger; readonly result: Reserved } => {
  const ledger = settled(before, ended, now);
  const { reservations, refused } = ledger;
  if (isKnown || has(ledger, challenge)) return { value: ledger, result: { granted: true } };
  if (heldIn(ledger) + besides + MAX_ATTEMPTS > MAX_GUESSES)
    return {
      value: { reservations, refused: refused + 1 },
      result: { granted: false, retryAfter: retryAfter(ledger, besides, now) },
    };
  const fresh: Reservation = { challenge, at: now, state: 'reserved' };
  return { value: { reservations: [...reservations, fresh], refused }, result: { granted: true } };
};

/** A live challenge ends by itself ten minutes after its last message: the next try may find it so. */
const WHILE_LIVE = 600_000;

const retryAfter = (ledger: Ledger, besides: number, now: number): number => {
  const ends = ledger.reservations
    .map((reservation) => ({
      held: heldBy(reservation),
      at:
        reservation.state === 'used'
          ? reservation.until
          : Math.max(now + SKEW, reservation.at + WHILE_LIVE),
    }))
    .sort((a, b) => a.at - b.at);
  let held = heldIn(ledger) + besides;
  for (const end of ends) {
    held -= end.held;
    if (held + MAX_ATTEMPTS <= MAX_GUESSES) return end.at - now;
  }
  return WHILE_LIVE;
};
