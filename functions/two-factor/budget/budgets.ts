/**
 * The budgets of two-factor: guesses, messages and money, counted by whom they are for and not by challenge, channel or
 * caller, so that none of those buys more. A budget refuses new challenges and messages, never the verifying of a live
 * challenge. Fails closed: without the store nothing is granted; what a crash leaves behind counts too much, never
 * too little.
 */
import type { Clock } from '../../../shared/clock';
import type { Log } from '../../../shared/handler';
import type { Store } from '../../../shared/store/store';
import { type Check, createChecks, type Reason } from './checks';
import type { PhonePlace } from './place';
import type { Prices } from './prices';
import type { Limits } from './settings';

export type { PhonePlace } from './place';

export interface Wish {
  readonly challenge: string;
  /** Keyed digests under every version of the key, the current one first. */
  readonly userDigests: readonly string[];
  readonly destinationDigests: readonly string[];
  /** Nobody gets a message: the same store operations, counted for the user and the client only. */
  readonly decoy: boolean;
  /** @default it is no message by SMS */
  readonly phone?: PhonePlace | undefined;
  /** @default the client is not known, and not counted */
  readonly clientAddress: string | undefined;
  /** `false` for channels without messages: guesses only. */
  readonly messages: boolean;
}

export type Grant =
  /** `at`: for `giveBack`, ms since the epoch. */
  | { readonly granted: true; readonly at: number }
  /** `retryAfter`: ms, at the earliest. */
  | { readonly granted: false; readonly reason: Reason; readonly retryAfter: number };

/** `live`: can still be verified. */
export type Settled =
  | { readonly state: 'live' }
  | {
      readonly state: 'ended';
      /** Of those compared, the ones that were not right. */
      readonly wrongGuesses: number;
      /** No guess was compared later, ms since the epoch. @default now */
      readonly endedAt?: number;
    };

/** Takes work that is to begin after the answer. */
export type Later = (work: () => Promise<unknown>) => void;

/** All reject with `store_unavailable`. */
export interface Budgets {
  /**
   * Reserves the guesses of a challenge for its user and destination, and one message for all that applies. Repeated
   * for the same challenge it reserves no more guesses. `later`: does what is to be given back after a refusal, so that
   * a refusal is answered as soon as a grant. @default it is waited for
   */
  issue(wish: Wish, later?: Later): Promise<Grant>;
  /** One more message of a live challenge, whose guesses it reserves for a destination that is new to it. */
  send(wish: Wish, later?: Later): Promise<Grant>;
  /**
   * A message that surely was not sent: its place and price are free again. Once only; `at` is that of its grant.
   * @default `at`: now, right for what was granted a moment ago
   */
  giveBack(wish: Wish, at?: number): Promise<void>;
  /** A code that was sent there has been entered. */
  converted(phone: PhonePlace | undefined): Promise<void>;
}

export interface BudgetOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: Limits;
  readonly prices: Prices;
  /**
   * What a challenge has really used. One that cannot be verified any more is closed first, in the store and for good;
   * one that was never stored too, so that whoever is about to store it comes too late.
   */
  readonly settle: (challenge: string) => Promise<Settled>;
}

export const createBudgets = (options: BudgetOptions): Budgets => {
  const { clock, log } = options;
  const { guesses, messages, converted } = createChecks(options);

  const giveBackAll = (checks: readonly Check[], at: number): Promise<void> =>
    Promise.allSettled(checks.map(({ giveBack }) => giveBack(at))).then((ended) => {
      const failed = ended.filter(({ status }) => status === 'rejected').length;
      // It stays counted, until its window has passed.
      if (failed > 0) log.warn('budget_not_given_back', { count: failed });
    });

  /**
   * Stage by stage: what many share is asked for only once what is one's own is granted, else a flood that is refused
   * would hold, for moments, what others are refused for. After a refusal the rest is gone through as for a decoy.
   */
  const take = async (stages: readonly (readonly Check[])[], later?: Later): Promise<Grant> => {
    const at = clock.now();
    const taken: Check[] = [];
    let refusal: Grant | undefined;
    for (const stage of stages) {
      const outcomes = await Promise.allSettled(
        stage.map((check) => check.take(at, refusal !== undefined)),
      );
      for (const [i, outcome] of outcomes.entries()) {
        const check = stage[i] as Check;
        if (outcome.status === 'rejected' || refusal) continue;
        if (outcome.value.taken) taken.push(check);
      }
      const broken = outcomes.find((outcome) => outcome.status === 'rejected');
      if (broken) {
        await giveBackAll(taken, at);
        throw broken.reason;
      }
      refusal ??= firstRefusal(stage, outcomes);
    }
    if (!refusal) return { granted: true, at };
    const giveBack = () => giveBackAll(taken, at);
    if (later) later(giveBack);
    else await giveBack();
    return refusal;
  };

  return {
    issue: (wish, later) => {
      const [own = [], country = [], spend = []] = wish.messages ? messages(wish) : [];
      // Guesses late, for they are not given back; and of one ledger after the other, so that of many issues for the
      // same user and destination those that were first in one are not refused by the other.
      const [user, destination] = guesses(wish);
      return take([own, [user, ...country], [destination, ...spend]], later);
    },
    send: (wish, later) => {
      if (!wish.messages) return take([], later);
      const [own = [], country = [], spend = []] = messages(wish);
      const [, destination] = guesses(wish);
      return take([own, country, [destination, ...spend]], later);
    },
    giveBack: async (wish, at = clock.now()) => {
      if (wish.messages) await giveBackAll(messages(wish).flat(), at);
    },
    converted,
  };
};

const firstRefusal = (
  stage: readonly Check[],
  outcomes: readonly PromiseSettledResult<Awaited<ReturnType<Check['take']>>>[],
): Grant | undefined => {
  for (const [i, outcome] of outcomes.entries())
    if (outcome.status === 'fulfilled' && !outcome.value.taken)
      return {
        granted: false,
        reason: (stage[i] as Check).reason,
        retryAfter: outcome.value.retryAfter,
      };
  return undefined;
};
