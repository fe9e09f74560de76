/**
 * The law of delivery: what follows from the end of one attempt, for the call and for its target. Pure.
 *
 * Fails closed: what cannot be told to be delivered is not.
 */
import { type NextAttemptOptions, NO_ANSWER, nextAttemptAt, type Verdict, verdict } from '../retry';
import type { CallOutcome } from './breaker';
import {
  DELIVERY_FAILURE,
  type Delivery,
  type DeliveryAnswer,
  type DeliveryError,
} from './deliver';

/** Of the attempt: a failure code, and the status when there was an answer. */
export interface AttemptError {
  readonly code: string;
  readonly status?: number;
}

export type Judgement =
  | { readonly verdict: 'delivered' }
  /** `at`: when to try again, ms since the epoch. */
  | { readonly verdict: 'again'; readonly error: AttemptError; readonly at: number }
  /** It cannot succeed, or no attempt is left, or the next would begin too late. */
  | { readonly verdict: 'dead'; readonly error: AttemptError };

/** An attempt that was called off has no outcome: it is to be made again, under its number. */
export type Ended = DeliveryAnswer | { readonly error: Exclude<DeliveryError, 'aborted'> };

/** What becomes of the call. A Retry-After counts with any answer that asks for another attempt. */
export const judge = (
  delivery: Ended,
  options: Omit<NextAttemptOptions, 'retryAfter'>,
): Judgement => {
  const told = verdictOf(delivery);
  if (told === 'delivered') return { verdict: 'delivered' };
  const error = errorOf(delivery);
  if (told !== 'again') return { verdict: 'dead', error };
  const retryAfter = 'error' in delivery ? undefined : delivery.headers['retry-after'];
  const at = nextAttemptAt({ ...options, retryAfter });
  return at === undefined ? { verdict: 'dead', error } : { verdict: 'again', error, at };
};

/** What the attempt says of its target: only what was sent says anything. */
export const callOutcome = (delivery: Delivery): CallOutcome => {
  if ('error' in delivery) return isUnsent(delivery.error) ? 'unmade' : 'failed';
  if (delivery.status === 410) return 'gone';
  return delivery.status >= 500 ? 'failed' : 'answered';
};

/** What was refused before it was sent will be refused again. */
const verdictOf = (delivery: Ended): Verdict => {
  if (!('error' in delivery)) return verdict(delivery.status);
  return isUnsent(delivery.error) ? 'failed' : verdict(NO_ANSWER);
};

const errorOf = (delivery: Ended): AttemptError => {
  if ('error' in delivery) return { code: DELIVERY_FAILURE[delivery.error] };
  const { status } = delivery;
  return { code: status === 410 ? 'target_gone' : 'refused', status };
};

const UNSENT: ReadonlySet<DeliveryError> = new Set([
  'aborted',
  'invalid_request',
  'too_large',
  'forbidden_target',
]);

const isUnsent = (error: DeliveryError): boolean => UNSENT.has(error);
