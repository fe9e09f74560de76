/**
 * What is asked of whom for a wish. What does not apply to it (a decoy has no number, a mail has no price, the client is
 * not known) is counted in the shadow instead: under a key of its user's that refuses nothing, so that every wish does
 * the same number of store operations.
 */
import { combinerOf } from '../../../shared/limits/combine';
import type { Points } from '../../../shared/limits/counted';
import { createLimiter, type Limiter, type Taken } from '../../../shared/limits/limiter';
import { ask, BREAKER_LIFE, convert, type PrefixBreaker, takeBack } from './breaker';
import type { BudgetOptions, Budgets, Wish } from './budgets';
import { clientOf } from './client';
import { DAY } from './guesses';
import { createLedgers } from './ledger';
import { EVERY_OTHER, lookUp, MILLIONTHS } from './prices';
import type { Caps } from './settings';

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

const HOUR = DAY / 24;

/** All but `shadow/…`, which is of users by their digests and can be no key of these. */
const shadowOf = (digests: readonly string[]): readonly string[] =>
  digests.map((digest) => `shadow/${digest}`);

export const createChecks = ({
  store,
  clock,
  log,
  limits,
  prices,
  settle,
}: BudgetOptions): Checks => {
  const ledgers = createLedgers({ store, clock, settle });
  const combiner = combinerOf(store);
  const limiter = (name: string, caps: Caps | number): Limiter => {
    const { hourly, daily } = typeof caps === 'number' ? { hourly: caps, daily: undefined } : caps;
    const hour = { points: hourly, duration: HOUR };
    const windows =
      daily === undefined ? ([hour] as const) : ([hour, { points: daily, duration: DAY }] as const);
    return createLimiter({ store, clock, name: `two-factor/budget/${name}`, windows });
  };
  const user = limiter('user', limits.user);
  const destination = limiter('destination', limits.destination);
  const address = limiter('address', limits.address);
  const prefix = limiter('prefix', limits.prefix);
  /** Of all, and of the countries without a price of their own. */
  const spend = createLimiter({
    store,
    clock,
    name: 'two-factor/budget/spend',
    windows: [
      { points: limits.spend.hourly, duration: HOUR },
      { points: limits.spend.daily, duration: DAY },
      { points: limits.spendUnlisted.hourly, duration: HOUR },
      { points: limits.spendUnlisted.daily, duration: DAY },
    ],
  });
  const costOf = (code: string): Points => {
    const price = lookUp(prices, code);
    return prices.has(code) && code !== EVERY_OTHER ? [price, price, 0, 0] : price;
  };
  const countries = new Map<number, Limiter>();
  const country = (code: string): Limiter => {
    const cap = lookUp(limits.country, code);
    const known = countries.get(cap) ?? limiter('country', cap);
    countries.set(cap, known);
    return known;
  };

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

  const breakerKey = (place: string): string => `two-factor/budget/breaker:${place}`;
  const breaker = (wish: Wish, shadow: string): Check => {
    const place = wish.decoy ? undefined : wish.phone?.prefix;
    return {
      reason: 'prefix',
      take: async (at, inShadow) => {
        const applies = place !== undefined && !inShadow;
        const asked = await combiner.update<PrefixBreaker, ReturnType<typeof ask>['result']>(
          breakerKey(applies ? place : shadow),
          BREAKER_LIFE,
          (before) => ask(before, limits.breaker, at),
        );
        if (asked.passes || !applies) return { taken: true };
        if (asked.opened) log.warn('prefix_breaker_opened', { prefix: place });
        return { taken: false, retryAfter: asked.retryAfter };
      },
      giveBack: (at) =>
        combiner.update<PrefixBreaker, void>(
          breakerKey(place ?? shadow),
          BREAKER_LIFE,
          (before) => ({
            value: takeBack(before, { at, now: clock.now() }),
            result: undefined,
          }),
        ),
    };
  };

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
          breaker(wish, shadow[0] ?? ''),
        ],
        [
          counting({
            reason: 'country',
            limiter: country(code),
            keys: phone && [code],
            shadow: alone,
          }),
        ],
        [
          counting({
            reason: 'spend',
            limiter: spend,
            keys: phone && ['all'],
            shadow: alone,
            points: phone ? costOf(code) : MILLIONTHS,
          }),
        ],
      ];
    },
    converted: async (phone) => {
      if (!phone) return;
      await combiner.update<PrefixBreaker, void>(
        breakerKey(phone.prefix),
        BREAKER_LIFE,
        (before) => ({ value: convert(before, limits.breaker, clock.now()), result: undefined }),
      );
    },
  };
};
