/** The budgets as settings, and as the limits that they mean. */
import type { ConfigOf, Settings } from '../../../shared/config';
import { isPhoneCountry } from '../../../shared/phone';
import type { BreakerLimits } from './breaker';
import { type Prices, parseCount, parseMoney, readTable, type Table } from './prices';

/** What may be taken in an hour and in a day, sliding. */
export interface Caps {
  readonly hourly: number;
  readonly daily: number;
}

export interface Limits {
  /** Messages. */
  readonly user: Caps;
  readonly destination: Caps;
  /** Messages in an hour. */
  readonly address: number;
  readonly prefix: number;
  /** Messages in an hour, by country. */
  readonly country: Table;
  /** Millionths of the currency unit. */
  readonly spend: Caps;
  /** What countries without a price of their own may take of it together. */
  readonly spendUnlisted: Caps;
  readonly breaker: BreakerLimits;
}

const count = { type: 'integer', minimum: 1, maximum: 1_000_000_000 } as const;
const money = { type: 'string', pattern: '^\\d{1,9}(?:\\.\\d{1,6})?$' } as const;

export const BUDGET_SETTINGS = {
  TWO_FACTOR_USER_HOURLY: {
    ...count,
    default: 10,
    description: 'Messages for one user in any hour.',
  },
  TWO_FACTOR_USER_DAILY: {
    ...count,
    default: 30,
    description: 'Messages for one user in any 24 hours.',
  },
  TWO_FACTOR_DESTINATION_HOURLY: {
    ...count,
    default: 10,
    description: 'Messages to one number or mail address in any hour.',
  },
  TWO_FACTOR_DESTINATION_DAILY: {
    ...count,
    default: 30,
    description: 'Messages to one number or mail address in any 24 hours.',
  },
  TWO_FACTOR_ADDRESS_HOURLY: {
    ...count,
    default: 100,
    description:
      'Messages asked for from one public IPv4 address or IPv6 /64 in any hour; see TRUSTED_PROXY_HOPS.',
  },
  TWO_FACTOR_PREFIX_HOURLY: {
    ...count,
    default: 50,
    description:
      'Messages by SMS in any hour to numbers that differ in their last four digits only.',
  },
  TWO_FACTOR_COUNTRY_HOURLY: {
    type: 'string',
    format: 'list',
    default: '*=500',
    description: 'Messages by SMS to a country in any hour, with * for each other country.',
    example: 'US=5000,DE=2000,*=100',
  },
  TWO_FACTOR_PRICES: {
    type: 'string',
    format: 'list',
    default: '*=0.10',
    description:
      'What a message by SMS costs, by country and with * for the others, in the currency of your bill.',
    example: 'US=0.0079,DE=0.075,*=0.20',
  },
  TWO_FACTOR_SPEND_HOURLY: {
    ...money,
    default: '50',
    description: 'What messages by SMS may cost in any hour.',
  },
  TWO_FACTOR_SPEND_DAILY: {
    ...money,
    default: '300',
    description: 'What messages by SMS may cost in any 24 hours.',
  },
  TWO_FACTOR_SPEND_UNLISTED: {
    type: 'integer',
    minimum: 0,
    maximum: 100,
    default: 50,
    description:
      'Percentage of that for all countries together without a price of their own, so that they cannot starve the others.',
  },
  TWO_FACTOR_BREAKER_SENDS: {
    type: 'integer',
    minimum: 10,
    maximum: 100,
    default: 50,
    description: 'Messages by SMS to a prefix in a day before too few entered codes close it.',
  },
  TWO_FACTOR_BREAKER_CONVERSIONS: {
    type: 'number',
    minimum: 0,
    maximum: 100,
    default: 2,
    description:
      'Percentage of codes sent to a prefix that must be entered, or it is closed for a while.',
  },
} as const satisfies Settings;

export type BudgetConfig = ConfigOf<typeof BUDGET_SETTINGS>;

/** Throws one TypeError with all mistakes. */
export const readLimits = (
  config: BudgetConfig,
): { readonly limits: Limits; readonly prices: Prices } => {
  const mistakes: string[] = [];
  const money = (name: 'TWO_FACTOR_SPEND_HOURLY' | 'TWO_FACTOR_SPEND_DAILY'): number => {
    const amount = parseMoney(config[name]);
    if (amount === undefined) mistakes.push(`${name}: must be an amount such as 50 or 12.50`);
    return amount ?? 0;
  };
  const table = (
    name: 'TWO_FACTOR_PRICES' | 'TWO_FACTOR_COUNTRY_HOURLY',
    parse: (text: string) => number | undefined,
    example: string,
  ): Table => {
    const reading = readTable(config[name], { parse, isCountry: isPhoneCountry, example });
    mistakes.push(...reading.mistakes.map((mistake) => `${name}: ${mistake}`));
    return reading.table;
  };
  const caps = (what: string, { hourly, daily }: Caps): Caps => {
    if (daily < hourly) mistakes.push(`TWO_FACTOR_${what}_DAILY: is less than an hour's`);
    return { hourly, daily };
  };
  const spend = caps('SPEND', {
    hourly: money('TWO_FACTOR_SPEND_HOURLY'),
    daily: money('TWO_FACTOR_SPEND_DAILY'),
  });
  const prices = table('TWO_FACTOR_PRICES', parseMoney, '0.0079');
  // Where no country is named there is none to keep anything for.
  const share = prices.size > 1 ? config.TWO_FACTOR_SPEND_UNLISTED : 100;
  const limits: Limits = {
    user: caps('USER', {
      hourly: config.TWO_FACTOR_USER_HOURLY,
      daily: config.TWO_FACTOR_USER_DAILY,
    }),
    destination: caps('DESTINATION', {
      hourly: config.TWO_FACTOR_DESTINATION_HOURLY,
      daily: config.TWO_FACTOR_DESTINATION_DAILY,
    }),
    address: config.TWO_FACTOR_ADDRESS_HOURLY,
    prefix: config.TWO_FACTOR_PREFIX_HOURLY,
    country: table('TWO_FACTOR_COUNTRY_HOURLY', parseCount, '500'),
    spend,
    spendUnlisted: {
      hourly: Math.floor((spend.hourly * share) / 100),
      daily: Math.floor((spend.daily * share) / 100),
    },
    breaker: {
      sends: config.TWO_FACTOR_BREAKER_SENDS,
      conversions: config.TWO_FACTOR_BREAKER_CONVERSIONS,
    },
  };
  if (mistakes.length > 0) throw new TypeError(mistakes.join('\n'));
  return { limits, prices };
};
