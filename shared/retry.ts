/** Whether and when a call is tried again: pure decisions over the answer and the time. */
import { parseHttpDate } from './http/date';
import type { Retry } from './pipeline/pipeline';

/** No answer came: refused, reset, timed out, or not HTTP. */
export const NO_ANSWER = 'no_answer';

/** `again`: the same call may succeed later; `failed`: it never will; `gone`: nor will any other to this target. */
export type Verdict = 'delivered' | 'again' | 'failed' | 'gone';

/** Answers below 500 that say "not now": Request Timeout, Conflict, Too Early, Too Many Requests. */
const NOT_NOW: ReadonlySet<number> = new Set([408, 409, 425, 429]);

/**
 * 2xx is delivered. 408, 409 (in progress with this key), 425, 429, 5xx and no answer: again. 410 is gone.
 * All else has failed; a redirect is never followed (CloudEvents webhook section 2.1.3).
 */
export const verdict = (status: number | typeof NO_ANSWER): Verdict => {
  if (status === NO_ANSWER) return 'again';
  if (status >= 200 && status < 300) return 'delivered';
  if (status === 410) return 'gone';
  return NOT_NOW.has(status) || (status >= 500 && status < 600) ? 'again' : 'failed';
};

/**
 * How long to wait before an attempt, in ms: `backoff`, doubled for each attempt after the second, up to `maxBackoff`,
 * and at random up to the part `jitter` of that on top. It only lengthens, so `backoff` is a promise to the receiver,
 * and what failed together still comes back apart at the cap. `random01` is from 0 up to and without 1.
 */
export const delayBefore = (
  attempt: number,
  { backoff, maxBackoff, jitter }: Omit<Retry, 'attempts'>,
  random01: number,
): number => {
  if (attempt <= 1) return 0;
  return Math.round(Math.min(backoff * 2 ** (attempt - 2), maxBackoff) * (1 + random01 * jitter));
};

/** The longest that a receiver can put us off with Retry-After, in ms. */
export const MAX_RETRY_AFTER = 3_600_000;

/**
 * The instant before which the receiver wants no further attempt (RFC 9110 section 10.2.3): seconds or a date, ms since
 * the epoch, at most an hour from now. `undefined` when the field is absent, past, or neither.
 */
export const readRetryAfter = (
  field: string | null | undefined,
  now: number,
): number | undefined => {
  const text = field?.trim() ?? '';
  const at = /^\d+$/.test(text) ? now + Number(text) * 1000 : parseHttpDate(text, now);
  return at === undefined || at <= now ? undefined : Math.min(at, now + MAX_RETRY_AFTER);
};

export interface NextAttemptOptions {
  /** The one that has just ended; the first is 1. */
  readonly attempt: number;
  readonly retry: Retry;
  /** ms since the epoch */
  readonly now: number;
  /** From 0 up to and without 1. */
  readonly random01: number;
  /** The field of the answer. @default none */
  readonly retryAfter?: string | null | undefined;
  /** No attempt begins then or later, ms since the epoch. @default none */
  readonly deadline?: number | undefined;
}

/**
 * When to try again, ms since the epoch: after the delay and not before Retry-After.
 * `undefined`: no attempt is left, or the next would begin too late.
 */
export const nextAttemptAt = (options: NextAttemptOptions): number | undefined => {
  const { attempt, retry, now, random01, retryAfter, deadline } = options;
  if (attempt >= retry.attempts) return undefined;
  const due = now + delayBefore(attempt + 1, retry, random01);
  const at = Math.max(due, readRetryAfter(retryAfter, now) ?? due);
  return at < (deadline ?? Number.POSITIVE_INFINITY) ? at : undefined;
};
