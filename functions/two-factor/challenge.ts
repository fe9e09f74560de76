/** A challenge and its rules: ten minutes a code, five attempts, five messages, once. Pure; who calls does the writing. */
import type { Send } from './delivery';

/** NIST SP 800-63B section 5.1.3 and OWASP ASVS 6.5.5: an out-of-band code lives at most 10 minutes. ms */
export const LIFETIME = 600_000;

/** Of a challenge, over all of its codes: a fresh code buys no fresh guesses. */
export const MAX_ATTEMPTS = 5;

/** Messages of a challenge, the first included. */
export const MAX_SENDS = 5;

/** How long a challenge is remembered: its key answers the same, and its guesses count for the day. ms */
export const REMEMBER = 86_400_000;

/** How long issuing, and asking for another message, may take before a repeat takes it over, ms. */
export const LEASE = 15_000;

/** How long after each message no other is sent: 30 s, and twice as long each time. ms */
export const cooldown = (sends: number): number => 30_000 * 2 ** (sends - 1);

export type Channel = 'sms' | 'mail' | 'totp' | 'recovery';

/** Being issued: its key is taken, and nothing can be verified yet. */
export interface Claim {
  readonly state: 'issuing';
  readonly fingerprint: string;
  /** ms since the epoch */
  readonly leaseUntil: number;
}

/** As it is stored: digests under server keys and sealed texts, nothing that could be read or tried without them. */
export interface Challenge {
  /** `closed`: its guesses were settled, nothing will ever be right again. */
  readonly state: 'open' | 'verified' | 'redeemed' | 'closed';
  /** Of the wish, for repeats of its idempotency key. */
  readonly fingerprint: string;
  /** Version of the keys that made the digests and the MAC. */
  readonly keyId: string;
  /** Digest. */
  readonly user: string;
  readonly purpose: string;
  /** As it was asked for: `auto` tells nobody what the user has. */
  readonly asked: Channel | 'auto';
  /** Of the code that counts now. */
  readonly channel: Channel;
  /** Digest of channel and address. */
  readonly destination: string;
  /** User, address and language, sealed: for the next message, and for whom the result is. */
  readonly sealed: string;
  /** There is nobody behind it: every step is done as for others, no message goes out, no code is right. */
  readonly decoy: boolean;
  /** The code record that counts; those of former codes are void. */
  readonly codeId: string;
  /** Attempts begun, right or wrong. */
  readonly attempts: number;
  /** The messages, the latest last; none for channels without. */
  readonly sends: readonly Send[];
  /** Of the code, ms since the epoch. */
  readonly expiresAt: number;
  /** When the next message may be asked for, ms since the epoch. */
  readonly resendAt: number;
  /** Until when somebody is at another message, ms since the epoch. @default nobody is */
  readonly resendingUntil?: number;
  /** Of the result token, once verified. */
  readonly token?: string;
  /** ms since the epoch */
  readonly verifiedAt?: number;
}

export const challengeKey = (challenge: string): string => `two-factor/challenge/${challenge}`;

/** A code's MAC, in a record of its own: the store's clock ends it, whatever the clock of a process says. */
export interface CodeRecord {
  readonly mac: string;
}

export const codeKey = (challenge: string, codeId: string): string =>
  `two-factor/code/${challenge}/${codeId}`;

export const isLive = ({ state, expiresAt }: Challenge, now: number): boolean =>
  state === 'open' && now < expiresAt;

/** The challenge with one more attempt begun; `undefined` when there is none left to begin. */
export const beginAttempt = (challenge: Challenge, now: number): Challenge | undefined =>
  isLive(challenge, now) && challenge.attempts < MAX_ATTEMPTS
    ? { ...challenge, attempts: challenge.attempts + 1 }
    : undefined;

/** Verified with the code `codeId`; `undefined` when somebody has used it or a fresh code has taken its place. */
export const consume = (
  challenge: Challenge,
  { codeId, token, now }: { readonly codeId: string; readonly token: string; readonly now: number },
): Challenge | undefined =>
  challenge.state === 'open' && challenge.codeId === codeId
    ? { ...challenge, state: 'verified', token, verifiedAt: now }
    : undefined;

/** Whether another message may be asked for now. */
export type ResendVerdict =
  | { readonly verdict: 'send' }
  | { readonly verdict: 'too_soon' | 'in_progress'; readonly wait: number }
  | { readonly verdict: 'exhausted' }
  | { readonly verdict: 'ended' };

export const judgeResend = (challenge: Challenge, now: number): ResendVerdict => {
  const { sends, attempts, resendAt, resendingUntil = 0 } = challenge;
  if (!isLive(challenge, now) || sends.length === 0) return { verdict: 'ended' };
  if (sends.length >= MAX_SENDS || attempts >= MAX_ATTEMPTS) return { verdict: 'exhausted' };
  if (now < resendAt) return { verdict: 'too_soon', wait: resendAt - now };
  return now < resendingUntil
    ? { verdict: 'in_progress', wait: resendingUntil - now }
    : { verdict: 'send' };
};

/** What the day's budget still has to count of a challenge that nobody can use any more. */
export const wrongGuesses = ({ state, attempts }: Challenge): number =>
  state === 'verified' || state === 'redeemed' ? attempts - 1 : attempts;
