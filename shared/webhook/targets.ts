/**
 * One door for all calls that a process makes. It bounds how many are made at once and shares the places, so that a
 * target that is slow to answer cannot take them all; leaves alone for a while what keeps failing; and keeps to the
 * pace of a target. A free place goes to the target that holds the fewest; among equals, to who has waited longest.
 *
 * Of this process only, and forgotten with it. Fails open: it spares work, and is no guard.
 */
import type { Clock } from '../clock';
import { Failure } from '../failure';
import type { Signal } from '../signal';
import { ask, type CallOutcome, tell } from './breaker';
import { knownTargets } from './known-targets';
import { type RateLimit, slotAt, take } from './rate';
import { headOf, isBefore, promiseSlot, type Target, type Waiter } from './target';

export interface TargetsOptions {
  /** Places, in all. @default 256 */
  readonly limit?: number;
  /** Places that one target may hold. @default 64 */
  readonly share?: number;
  readonly clock: Clock;
}

export interface EnterOptions {
  /** Calls of this target in a second, at most. @default no limit */
  readonly rate?: number | undefined;
  /** Ends the wait. */
  readonly signal: Signal;
}

export interface Pass {
  /** To be called when the call has ended, however. A second time does nothing. */
  leave(outcome: CallOutcome): void;
}

/** Not now. No attempt has been made. */
export interface Refusal {
  /** When to come back, ms since the epoch. */
  readonly at: number;
  /** The target has said that it will not be back: nobody need wait for it. */
  readonly gone: boolean;
}

export interface Targets {
  /**
   * Resolves as soon as the call may be made, or when it is clear that it may not be soon; answers at once where nobody
   * has to wait. Rejects with `aborted`, and
   * with a TypeError for a rate that is none.
   */
  enter(target: string, options: EnterOptions): Promise<Pass | Refusal> | Pass | Refusal;
}

/** The longest that a call waits inside for its turn at the pace of its target, ms. */
export const MAX_WAIT = 5_000;

/** Throws a TypeError for places that are no positive whole number. */
export const createTargets = ({ limit = 256, share = 64, clock }: TargetsOptions): Targets => {
  if (![limit, share].every((places) => Number.isSafeInteger(places) && places > 0))
    throw new TypeError('places are a positive whole number');
  const { recall, forget } = knownTargets(clock);
  /** Those that somebody waits for. */
  const wanted = new Set<Target>();
  let inside = 0;
  let arrivals = 0;

  const admit = (): void => {
    while (inside < limit) {
      const target = fairest();
      if (!target) return;
      const waiter = headOf(target);
      remove(target, waiter);
      waiter.enter(pass(target, waiter));
    }
  };

  const fairest = (): Target | undefined => {
    let best: Target | undefined;
    for (const target of wanted)
      if (target.inside < share && isDue(target) && (!best || isBefore(target, best)))
        best = target;
    return best;
  };

  /** Whether the pace lets the first in line go; if not, a bell is set for when it does. */
  const isDue = (target: Target): boolean => {
    const { limit: pace } = headOf(target);
    const now = clock.now();
    const at = pace ? slotAt(target.next, pace, now) : now;
    if (at <= now) return true;
    if (!target.alarm) {
      const alarm = new AbortController();
      target.alarm = alarm;
      const ring = () => {
        target.alarm = undefined;
        admit();
      };
      clock.sleep(at - now, alarm.signal).then(ring, () => {});
    }
    return false;
  };

  const remove = (target: Target, waiter: Waiter): void => {
    target.waiting.splice(target.waiting.indexOf(waiter), 1);
    if (target.waiting.length > 0) return;
    wanted.delete(target);
    target.alarm?.abort();
    target.alarm = undefined;
  };

  /** What happened while it waited counts: the state is asked again. */
  const pass = (target: Target, { limit: pace }: Pick<Waiter, 'limit'>): Pass | Refusal => {
    const now = clock.now();
    const decision = ask(target.breaker, now);
    if (!decision.passes) {
      forget(target);
      return { at: decision.at, gone: decision.gone };
    }
    target.breaker = decision.breaker;
    if (pace) target.next = take(target.next, pace, now);
    inside += 1;
    target.inside += 1;
    let isInside = true;
    return {
      leave: (outcome) => {
        if (!isInside) return;
        isInside = false;
        inside -= 1;
        target.inside -= 1;
        const call = { outcome, probe: decision.probe };
        target.breaker = tell(target.breaker, call, clock.now());
        forget(target);
        admit();
      },
    };
  };

  /** For who need not wait in line to hear that it is in vain. */
  const refusal = (target: Target, pace: RateLimit | undefined): Refusal | undefined => {
    const now = clock.now();
    const decision = ask(target.breaker, now);
    if (!decision.passes) return { at: decision.at, gone: decision.gone };
    const at = pace ? slotAt(target.next, pace, now, target.waiting.length) : now;
    if (!pace || at <= now + MAX_WAIT) return undefined;
    return { at: promiseSlot(target, pace, at), gone: false };
  };

  return {
    enter: (name, { rate, signal }) => {
      if (rate !== undefined && !(rate > 0 && rate < Number.POSITIVE_INFINITY))
        return Promise.reject(new TypeError('a rate is a positive number of calls in a second'));
      if (signal.aborted) return Promise.reject(new Failure('aborted'));
      const pace = rate === undefined ? undefined : { rate };
      const target = recall(name);
      const refused = refusal(target, pace);
      if (refused) return refused;
      // Nobody is in line, so there is none to stand in.
      if (!pace && wanted.size === 0 && inside < limit && target.inside < share)
        return pass(target, { limit: pace });
      return new Promise((resolve, reject) => {
        const abort = () => {
          remove(target, waiter);
          forget(target);
          reject(new Failure('aborted'));
          // The next in line may have another pace.
          admit();
        };
        const enter = (entrance: Pass | Refusal) => {
          signal.removeEventListener('abort', abort);
          resolve(entrance);
        };
        const waiter = { since: arrivals++, limit: pace, enter };
        signal.addEventListener('abort', abort, { once: true });
        target.waiting.push(waiter);
        wanted.add(target);
        admit();
      });
    },
  };
};
