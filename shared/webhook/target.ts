/** What a process knows of one target of its calls. */
import { type Breaker, CLOSED } from './breaker';
import { NEVER, paceOf, type RateLimit } from './rate';
import type { Pass, Refusal } from './targets';

export interface Waiter {
  /** Grows from one arrival to the next. */
  readonly since: number;
  readonly limit: RateLimit | undefined;
  readonly enter: (entrance: Pass | Refusal) => void;
}

export interface Target {
  readonly name: string;
  /** Calls under way. */
  inside: number;
  /** First come, first served. */
  readonly waiting: Waiter[];
  breaker: Breaker;
  /** As `take` gave it last. */
  next: number;
  /** The latest slot that somebody was told to come back for. */
  promised: number;
  /** Set while it is known when the first in line may go; aborted when nobody is in line any more. */
  alarm: AbortController | undefined;
}

export const newTarget = (name: string): Target => ({
  name,
  inside: 0,
  waiting: [],
  breaker: CLOSED,
  next: NEVER,
  promised: NEVER,
  alarm: undefined,
});

/** Nobody is there. */
export const isIdle = ({ inside, waiting }: Target): boolean =>
  inside === 0 && waiting.length === 0;

/** Forgetting it changes nothing. */
export const isBlank = ({ breaker, next, promised }: Target, now: number): boolean =>
  breaker.state === 'closed' && breaker.failures === 0 && next <= now && promised <= now;

/** Whether it is its turn before the other's: it holds fewer places, or has waited longer. Somebody waits for both. */
export const isBefore = (a: Target, b: Target): boolean =>
  a.inside < b.inside || (a.inside === b.inside && headOf(a).since < headOf(b).since);

export const headOf = ({ waiting }: Target): Waiter => waiting[0] as Waiter;

/** A slot to come back for, not before `at`: each one another, so that they do not come back all at once. */
export const promiseSlot = (target: Target, limit: RateLimit, at: number): number => {
  target.promised = Math.max(target.promised + paceOf(limit), at);
  return Math.ceil(target.promised);
};
