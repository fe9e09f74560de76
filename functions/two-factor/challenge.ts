/** A challenge and the rules of its code: ten minutes, five attempts, once. Pure; who calls does the writing. */

/** NIST SP 800-63B and OWASP ASVS 6.5.5: an out-of-band code lives at most 10 minutes. ms */
export const LIFETIME = 600_000;

export const MAX_ATTEMPTS = 5;

/** As it is stored: digests under server keys, nothing that could be read or tried without them. */
export interface Challenge {
  /** Version of the keys that made the digests and the MAC. */
  readonly keyId: string;
  readonly user: string;
  readonly purpose: string;
  readonly destination: string;
  readonly mac: string;
  /** Attempts begun, right or wrong. */
  readonly attempts: number;
  /** ms since the epoch */
  readonly expiresAt: number;
  /** Fencing token of the delivery that drew this code: an overtaken one cannot put its own over it. */
  readonly delivery: number;
}

export const challengeKey = (challenge: string): string => `two-factor/challenge/${challenge}`;

/** The challenge with one more attempt begun; `undefined` when there is none left to begin. */
export const beginAttempt = (challenge: Challenge, now: number): Challenge | undefined =>
  now < challenge.expiresAt && challenge.attempts < MAX_ATTEMPTS
    ? { ...challenge, attempts: challenge.attempts + 1 }
    : undefined;

/**
 * A fresh code in the place of another; `undefined` when a later delivery was there first.
 * Attempts go on counting: a new code does not buy new guesses.
 */
export const replaceCode = (
  existing: Challenge | undefined,
  fresh: Challenge,
): Challenge | undefined => {
  if (!existing) return fresh;
  return existing.delivery > fresh.delivery ? undefined : { ...fresh, attempts: existing.attempts };
};
