/** The limits of messages and money, each with its windows. */
import type { Points } from '../../../shared/limits/counted';
import { createLimiter, type Limiter } from '../../../shared/limits/limiter';
import type { BudgetOptions } from './budgets';
import { DAY } from './guesses';
import { EVERY_OTHER, lookUp } from './prices';
import type { Caps } from './settings';

export interface Limiters {
  readonly user: Limiter;
  readonly destination: Limiter;
  readonly address: Limiter;
  readonly prefix: Limiter;
  /** That of its cap. */
  country(code: string): Limiter;
  readonly spend: Limiter;
  /** What a message costs in each window of `spend`. */
  costOf(code: string): Points;
}

const HOUR = DAY / 24;

export const createLimiters = ({
  store,
  clock,
  limits,
  prices,
}: Pick<BudgetOptions, 'store' | 'clock' | 'limits' | 'prices'>): Limiters => {
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
  return { user, destination, address, prefix, country, spend, costOf };
};
