/** The breaker of prefixes, in the store. Fails closed: `store_unavailable`. */
import { combinerOf } from '../../../shared/limits/combine';
import { ask, BREAKER_LIFE, convert, type PrefixBreaker, takeBack } from './breaker';
import type { BudgetOptions, Budgets } from './budgets';
import type { Check } from './checks';

export interface PrefixChecks {
  /** `prefix`: @default it does not apply */
  breaker(prefix: string | undefined, shadow: string): Check;
  converted: Budgets['converted'];
}

const keyOf = (prefix: string): string => `two-factor/budget/breaker:${prefix}`;

export const createPrefixChecks = ({
  store,
  clock,
  log,
  limits,
}: Pick<BudgetOptions, 'store' | 'clock' | 'log' | 'limits'>): PrefixChecks => {
  const combiner = combinerOf(store);
  const change = (prefix: string, how: (before: PrefixBreaker | undefined) => PrefixBreaker) =>
    combiner.update<PrefixBreaker, void>(keyOf(prefix), BREAKER_LIFE, (before) => ({
      value: how(before),
      result: undefined,
    }));

  return {
    breaker: (prefix, shadow) => ({
      reason: 'prefix',
      take: async (at, inShadow) => {
        const applies = prefix !== undefined && !inShadow;
        const asked = await combiner.update<PrefixBreaker, ReturnType<typeof ask>['result']>(
          keyOf(applies ? prefix : shadow),
          BREAKER_LIFE,
          (before) => ask(before, limits.breaker, at),
        );
        if (asked.passes || !applies) return { taken: true };
        if (asked.opened) log.warn('prefix_breaker_opened', { prefix });
        return { taken: false, retryAfter: asked.retryAfter };
      },
      giveBack: (at) =>
        change(prefix ?? shadow, (before) => takeBack(before, { at, now: clock.now() })),
    }),
    converted: async (phone) => {
      if (phone)
        await change(phone.prefix, (before) => convert(before, limits.breaker, clock.now()));
    },
  };
};
