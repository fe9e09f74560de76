import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { lookUp, parseMoney } from '../../../../functions/two-factor/budget/prices';
import { BUDGET_SETTINGS, readLimits } from '../../../../functions/two-factor/budget/settings';
import { readConfig } from '../../../../shared/config';
import { configOf } from './harness';

describe('money', () => {
  test.each([
    ['0.0079', 7_900],
    ['0.075', 75_000],
    ['12', 12_000_000],
    ['0', 0],
    ['999999999.999999', 999_999_999_999_999],
  ])('%s is %d millionths', (text, millionths) => {
    expect(parseMoney(text)).toBe(millionths);
  });

  test.each(['', '.5', '1.', '-1', '+1', '1,50', '1e3', '0.1234567', '1234567890', ' 1', 'NaN'])(
    '%j is none',
    (text) => {
      expect(parseMoney(text)).toBeUndefined();
    },
  );

  test('is read as it is written, to the last digit', () => {
    fc.assert(
      fc.property(fc.nat({ max: 999_999_999 }), fc.nat({ max: 999_999 }), (units, parts) => {
        const text = `${units}.${String(parts).padStart(6, '0')}`;
        expect(parseMoney(text)).toBe(units * 1_000_000 + parts);
      }),
    );
  });
});

describe('the settings', () => {
  test('have defaults that are limits', () => {
    const { limits, prices } = readLimits(configOf());
    expect(limits).toMatchObject({
      user: { hourly: 10, daily: 30 },
      destination: { hourly: 10, daily: 30 },
      address: 100,
      prefix: 50,
      spend: { hourly: 50_000_000, daily: 300_000_000 },
      breaker: { sends: 50, conversions: 2 },
    });
    expect(lookUp(limits.country, 'FR')).toBe(500);
    expect(lookUp(prices, 'FR')).toBe(100_000);
  });

  test('give each country its own price and cap, and the others that of *', () => {
    const { limits, prices } = readLimits(
      configOf({
        TWO_FACTOR_PRICES: 'US=0.0079,DE=0.075,*=0.20',
        TWO_FACTOR_COUNTRY_HOURLY: 'US=5000, *=0',
      }),
    );
    expect(['US', 'DE', 'GB', '*'].map((country) => lookUp(prices, country))).toEqual([
      7_900, 75_000, 200_000, 200_000,
    ]);
    expect(['US', 'GB'].map((country) => lookUp(limits.country, country))).toEqual([5_000, 0]);
  });

  test('keep a share of the purse for countries that have a price of their own', () => {
    const shareOf = (environment: Record<string, string>) =>
      readLimits(configOf(environment)).limits.spendUnlisted;
    expect(shareOf({ TWO_FACTOR_PRICES: 'US=0.01,*=0.1' })).toEqual({
      hourly: 25_000_000,
      daily: 150_000_000,
    });
    expect(
      shareOf({ TWO_FACTOR_PRICES: 'US=0.01,*=0.1', TWO_FACTOR_SPEND_UNLISTED: '1' }).hourly,
    ).toBe(500_000);
    // There is none to keep it for.
    expect(shareOf({ TWO_FACTOR_PRICES: '*=0.1' }).hourly).toBe(50_000_000);
  });

  test('tell all mistakes at once', () => {
    const config = {
      ...configOf(),
      TWO_FACTOR_PRICES: ['US=cheap', 'usa=0.1', 'DE=0.1', 'DE=0.2'],
      TWO_FACTOR_COUNTRY_HOURLY: ['*=1.5'],
      TWO_FACTOR_SPEND_HOURLY: '1e9',
      TWO_FACTOR_USER_DAILY: 5,
    };
    expect(() => readLimits(config)).toThrow(TypeError);
    expect(() => readLimits(config)).toThrow(
      [
        'TWO_FACTOR_SPEND_HOURLY: must be an amount such as 50 or 12.50',
        'TWO_FACTOR_PRICES: "US=cheap" must end like 0.0079',
        'TWO_FACTOR_PRICES: "usa=0.1" does not begin with a country such as US, or *, and =',
        'TWO_FACTOR_PRICES: "DE" stands there twice',
        'TWO_FACTOR_PRICES: must have a line for all other countries, such as *=…',
        "TWO_FACTOR_USER_DAILY: is less than an hour's",
        'TWO_FACTOR_COUNTRY_HOURLY: "*=1.5" must end like 500',
        'TWO_FACTOR_COUNTRY_HOURLY: must have a line for all other countries, such as *=…',
      ].join('\n'),
    );
  });

  test('that are no numbers are refused where they are read', () => {
    const { mistakes } = readConfig(
      BUDGET_SETTINGS,
      {
        TWO_FACTOR_SPEND_DAILY: '1.0000001',
        TWO_FACTOR_BREAKER_SENDS: '101',
        TWO_FACTOR_USER_HOURLY: '0',
      },
      { production: true },
    );
    expect(mistakes.map(({ name }) => name)).toEqual([
      'TWO_FACTOR_USER_HOURLY',
      'TWO_FACTOR_SPEND_DAILY',
      'TWO_FACTOR_BREAKER_SENDS',
    ]);
  });
});
