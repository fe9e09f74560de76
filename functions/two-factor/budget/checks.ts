/**
 * What is asked of whom for a wish. What does not apply to it (a decoy has no number, a mail has no price, the client is
 * not known) is counted in the shadow instead: under a key of its user's, or of all such users, that refuses nothing,
 * so that every wish does the same number of store operations.
 */
import type { Points } from '../../../shared/limits/counted';
import type { Limiter, Taken } from '../../../shared/limits/limiter';
import type { BudgetOptions, Budgets, Wish } from './budgets';
import { clientOf } from './client';
import { createLedgers } from './ledger';
import { createLimiters } from './limiters';
import { createPrefixChecks } from './prefix-check';
import { EVERY_OTHER, MILLIONTHS } from './prices';

export type Reason = 'user' | 'destination' | 'address' | 'prefix' | 'country' | 'spend';

export interface Check {
  readonly reason: Reason;
  /** Takes what it counts at this moment (ms since the epoch). `shadow`: as if it did not apply. */
  take(at: number, shadow: boolean): Promise<Taken>;
  /** Of what was taken at this moment. */
  giveBack(at: number): Promise<void>;
}

export interface Checks {
  /** Of the user, and of the destination. */
  guesses(wish: Wish): readonly [Check, Check];
  /** In stages: what is one's own first, then what many share. */
  messages(wish: Wish): readonly (readonly Check[])[];
  converted: Budgets['converted'];
}

/** Where what many share is counted for whom it does not apply to: as full a record, so as long to read and write. */
const OF_NOBODY: readonly string[] = ['shadow'];

/** All but `shadow/…`, which is of users by their digests and can be no key of these. */
const shadowOf = (digests: readonly string[]): readonly string[] =>
  digests.map((digest) => `shadow/${digest}`);

export const createChecks = (options: BudgetOptions): Checks => {
  const ledgers = createLedgers(options);
  const { user, destination, address, prefix, country, spend, costOf } = createLimiters(options);
  const { breaker, converted } = createPrefixChecks(options);
  const guesses = (
    reason: 'user' | 'destination',
    keys: readonly string[] | undefined,
    shadow: readonly string[],
    challenge: string,
  ): Check => ({
    reason,
    take: async (_, inShadow) => {
      const applies = keys !== undefined && !inShadow;
      const named = (applies ? keys : shadow).map((key) => `two-factor/guesses/${reason}/${key}`);
      const reserved = await ledgers.reserve(named, challenge, applies);
      if (reserved.granted || !applies) return { taken: true };
      return { taken: false, retryAfter: reserved.retryAfter };
    },
    // A reservation ends with its challenge only: another delivery of this request may be making it live.
    giveBack: async () => {},
  });

  interface Counting {
    readonly reason: Reason;
    readonly limiter: Limiter;
    /** @default it does not apply */
    readonly keys: readonly string[] | undefined;
    readonly shadow: readonly string[];
    /** @default 1 */
    readonly points?: Points;
  }

  const counting = ({ reason, limiter, keys, shadow, points = 1 }: Counting): Check => ({
    reason,
    take: (at, inShadow) => {
      const applies = keys !== undefined && !inShadow;
      const [key = '', ...formerKeys] = applies ? keys : shadow;
      return limiter.take(key, { points, at, formerKeys, unlimited: !applies });
    },
    giveBack: (at) => limiter.giveBack((keys ?? shadow)[0] ?? '', { points, at }),
  });

  return {
    guesses: ({ userDigests, destinationDigests, decoy, challenge }) => {
      const shadow = shadowOf(userDigests);
      const known = !decoy && destinationDigests.length > 0;
      return [
        guesses('user', userDigests, shadow, challenge),
        guesses('destination', known ? destinationDigests : undefined, shadow, challenge),
      ];
    },
    messages: (wish) => {
      const { userDigests, destinationDigests, decoy, clientAddress } = wish;
      const shadow = shadowOf(userDigests);
      const alone = shadow.slice(0, 1);
      const client = clientOf(clientAddress);
      const phone = decoy ? undefined : wish.phone;
      const known = !decoy && destinationDigests.length > 0;
      const code = phone?.country ?? EVERY_OTHER;
      return [
        [
          counting({ reason: 'user', limiter: user, keys: userDigests, shadow }),
          counting({
            reason: 'destination',
            limiter: destination,
            keys: known ? destinationDigests : undefined,
            shadow,
          }),
          counting({
            reason: 'address',
            limiter: address,
            keys: client === undefined ? undefined : [client],
            shadow: alone,
          }),
          counting({
            reason: 'prefix',
            limiter: prefix,
            keys: phone && [phone.prefix],
            shadow: alone,
          }),
          breaker(phone?.prefix, shadow[0] ?? ''),
        ],
        [
          counting({
            reason: 'country',
            limiter: country(code),
            keys: phone && [code],
            shadow: OF_NOBODY,
          }),
        ],
        [
          counting({
            reason: 'spend',
            limiter: spend,
            keys: phone && ['all'],
            shadow: OF_NOBODY,
            points: phone ? costOf(code) : MILLIONTHS,
          }),
        ],
      ];
    },
    converted,
  };
};
