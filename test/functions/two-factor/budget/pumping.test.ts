import { describe, expect, test } from '@jest/globals';
import {
  type CountryCode,
  getCountries,
  getCountryCallingCode,
  getExampleNumber,
} from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { type PhonePlace, placeOf } from '../../../../functions/two-factor/budget/place';
import { lookUp } from '../../../../functions/two-factor/budget/prices';
import { canonicalPhone } from '../../../../shared/phone';
import { HOUR, handClock, sharedStores, start, tally, verdictOf, wishOf } from './harness';

/** Premium rate, shared cost, satellite. */
const DEAR = ['+19005550100', '+449098790000', '+4990012345678', '+33899700000', '+881612345678'];
const HOME: readonly CountryCode[] = ['US', 'DE'];

/** 200 neighbours in two adjacent ranges, with dear numbers among them. */
const rangesAt = (number: string, i: number): string[] =>
  Array.from({ length: 200 }, (_, n) => {
    if (n % 50 === 49) return DEAR[(i + n) % DEAR.length] as string;
    const last = (Number(number.slice(-5)) + (n % 2) * 10_000 + n) % 100_000;
    return number.slice(0, -5) + String(last).padStart(5, '0');
  });

/** Of 50 countries, each with a calling code of its own. */
const pumpingList = (): string[] => {
  const callingCodes = new Set(HOME.map((country) => getCountryCallingCode(country)));
  const lists: string[][] = [];
  for (const country of getCountries()) {
    const list = rangesAt(getExampleNumber(country, examples)?.number ?? '', lists.length);
    const real = list.filter((number) => canonicalPhone(number) !== undefined);
    const code = getCountryCallingCode(country);
    if (callingCodes.has(code) || real.length < 150) continue;
    callingCodes.add(code);
    lists.push(list);
  }
  return lists.slice(0, 50).flat();
};

test('premium, shared-cost and satellite numbers do not come as far as the budgets', () => {
  expect(DEAR.map((number) => canonicalPhone(number))).toEqual(DEAR.map(() => undefined));
});

const isHome = (country: string): boolean => HOME.some((home) => home === country);

describe.each(['memory', 'sqlite'] as const)('10,000 numbers in 50 countries, over %s', (name) => {
  test.each([
    { cap: 12, purse: '400', ends: 'by the caps of countries' },
    { cap: 100, purse: '300', ends: 'by the purse' },
  ])(
    '$ends: no cap is passed, and no honest country hindered',
    async ({ cap, purse }) => {
      const list = pumpingList();
      expect(list).toHaveLength(10_000);
      const clock = handClock();
      const shared = await sharedStores[name](1, clock);
      const [store] = shared.stores;
      try {
        const { budgets, limits, prices } = start({
          clock,
          ...(store && { store }),
          environment: {
            TWO_FACTOR_PRICES: 'US=0.0079,DE=0.6213,*=0.2345',
            TWO_FACTOR_COUNTRY_HOURLY: `US=5000,DE=5000,*=${cap}`,
            TWO_FACTOR_SPEND_HOURLY: purse,
            TWO_FACTOR_SPEND_DAILY: purse,
          },
        });
        const sent: PhonePlace[] = [];
        const honest: string[] = [];
        const issue = async (phone: PhonePlace, clientAddress?: string): Promise<string> => {
          const grant = await budgets.issue(wishOf({ phone, clientAddress }));
          if (grant.granted) sent.push(phone);
          return verdictOf(grant);
        };
        /** From a client for every few numbers, with people at home who log in meanwhile. */
        const pump = async (numbers: readonly string[], part: number): Promise<void> => {
          for (const [i, number] of numbers.entries()) {
            const to = canonicalPhone(number);
            if (to !== undefined) await issue(placeOf(to), `8.8.${part}.${i >> 1}`);
            if (i % 50 > 1) continue;
            const home = { country: HOME[i % 2] as string, prefix: `+${part}0${i}` };
            honest.push(await issue(home));
            await budgets.converted(home);
          }
        };
        await Promise.all(
          Array.from({ length: 100 }, (_, part) =>
            pump(
              list.filter((_, i) => i % 100 === part),
              part,
            ),
          ),
        );

        const byCountry = tally(sent.map(({ country }) => country));
        const byPrefix = tally(sent.map(({ prefix }) => prefix));
        const pumped = Object.entries(byCountry).filter(([country]) => !isHome(country));
        for (const [, count] of pumped) expect(count).toBeLessThanOrEqual(cap);
        for (const count of Object.values(byPrefix))
          expect(count).toBeLessThanOrEqual(limits.prefix);
        expect(tally(honest)).toEqual({ granted: honest.length });

        const cost = (places: readonly PhonePlace[]): number =>
          places.reduce((total, { country }) => total + lookUp(prices, country), 0);
        const abroad = cost(sent.filter(({ country }) => !isHome(country)));
        const price = lookUp(prices, '*');
        if (cap === 12) expect(pumped.map(([, count]) => count)).toEqual(Array(50).fill(12));
        // To the last message that half of the purse could pay.
        else expect(abroad).toBe(Math.floor(limits.spendUnlisted.hourly / price) * price);

        // The rest is for those at home, to the last message that it can pay, within the day.
        clock.time += HOUR + 60_000;
        const before = cost(sent);
        const left = Math.floor((limits.spend.daily - before) / lookUp(prices, 'DE'));
        const verdicts: string[] = [];
        for (let i = 0; i < left + 3; i++)
          verdicts.push(await issue({ country: 'DE', prefix: `+49${i}` }));
        expect(tally(verdicts)).toEqual({ granted: left, spend: 3 });
        expect(cost(sent)).toBeLessThanOrEqual(limits.spend.daily);
        expect(cost(sent)).toBeGreaterThan(limits.spend.daily - lookUp(prices, 'DE'));
      } finally {
        await shared.close();
      }
    },
    120_000,
  );
});
