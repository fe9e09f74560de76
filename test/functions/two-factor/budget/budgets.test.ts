import { describe, expect, test } from '@jest/globals';
import type { Grant, Wish } from '../../../../functions/two-factor/budget/budgets';
import { systemClock } from '../../../../shared/clock';
import { Failure } from '../../../../shared/failure';
import { memoryStore } from '../../../../shared/store/memory';
import type { Store } from '../../../../shared/store/store';
import {
  counting,
  HOUR,
  handClock,
  sharedStores,
  start,
  storeNames,
  tally,
  verdictOf,
  wishOf,
} from './harness';

const US = { country: 'US', prefix: '+1202555' };
/** No breaker in the way. */
const CONVERTING = { TWO_FACTOR_BREAKER_CONVERSIONS: '0', TWO_FACTOR_BREAKER_SENDS: '100' };

const issueMany = async (
  { budgets }: Pick<ReturnType<typeof start>, 'budgets'>,
  count: number,
  wish: () => Wish,
): Promise<Record<string, number>> => {
  const verdicts: string[] = [];
  for (let i = 0; i < count; i++) verdicts.push(verdictOf(await budgets.issue(wish())));
  return tally(verdicts);
};

describe('messages', () => {
  test.each([
    ['user', { userDigests: ['u'] }, 10],
    ['destination', { destinationDigests: ['d'] }, 10],
    ['address', { clientAddress: '8.8.8.8' }, 100],
    ['prefix', { phone: US }, 50],
  ] as const)('for one %s end at its cap in an hour', async (reason, same, cap) => {
    // Ended at once, so that guesses are in nobody's way.
    const settle = async () => ({ state: 'ended', wrongGuesses: 0 }) as const;
    const parts = start({ settle, environment: CONVERTING });
    expect(await issueMany(parts, cap + 7, () => wishOf(same))).toEqual({
      granted: cap,
      [reason]: 7,
    });
    parts.clock.time += HOUR + 60_000;
    if (reason !== 'prefix')
      expect(await issueMany(parts, cap + 7, () => wishOf(same))).toEqual({
        granted: cap,
        [reason]: 7,
      });
  });

  test('of one client are those of its whole /64', async () => {
    const parts = start({ environment: { TWO_FACTOR_ADDRESS_HOURLY: '5' } });
    let host = 0;
    const next = () => wishOf({ clientAddress: `2a00:1450:4001:81b::${(host++).toString(16)}` });
    expect(await issueMany(parts, 20, next)).toEqual({ granted: 5, address: 15 });
    expect(
      await parts.budgets.issue(wishOf({ clientAddress: '2a00:1450:4001:81c::1' })),
    ).toMatchObject({ granted: true });
  });

  test('a thousand addresses do not help for one user and one destination', async () => {
    const settle = async () => ({ state: 'ended', wrongGuesses: 0 }) as const;
    const parts = start({ settle });
    let i = 0;
    const same = { userDigests: ['u'], destinationDigests: ['d'] };
    const next = () => wishOf({ ...same, clientAddress: `8.8.${i >> 8}.${i++ & 255}` });
    expect(await issueMany(parts, 1_000, next)).toEqual({ granted: 10, user: 990 });
  });

  test('resends count as issues do, and reserve no guesses', async () => {
    const { budgets } = start();
    const wish = wishOf({ userDigests: ['u'] });
    expect(verdictOf(await budgets.issue(wish))).toBe('granted');
    const verdicts: string[] = [];
    for (let i = 0; i < 12; i++) verdicts.push(verdictOf(await budgets.send(wish)));
    expect(tally(verdicts)).toEqual({ granted: 9, user: 3 });
    for (let i = 0; i < 3; i++)
      expect(verdictOf(await budgets.issue(wishOf({ userDigests: ['u'], messages: false })))).toBe(
        'granted',
      );
  });

  test('that were not sent after all are free again: place and price', async () => {
    const { budgets, clock } = start({
      environment: { TWO_FACTOR_SPEND_HOURLY: '0.50', TWO_FACTOR_PRICES: '*=0.25' },
    });
    const wish = wishOf({ phone: US });
    const grant = (await budgets.issue(wish)) as Extract<Grant, { granted: true }>;
    for (let i = 0; i < 30; i++) {
      expect(verdictOf(await budgets.send(wish))).toBe('granted');
      await budgets.giveBack(wish);
    }
    clock.time += 59 * 60_000;
    expect(verdictOf(await budgets.send(wish))).toBe('granted');
    expect(verdictOf(await budgets.send(wish))).toBe('spend');
    await budgets.giveBack(wish, grant.at);
    expect(verdictOf(await budgets.send(wish))).toBe('granted');
  });

  test('by mail have no prefix that could be closed', async () => {
    const settle = async () => ({ state: 'ended', wrongGuesses: 0 }) as const;
    const environment = { TWO_FACTOR_USER_HOURLY: '1000', TWO_FACTOR_USER_DAILY: '1000' };
    const parts = start({ settle, environment });
    expect(await issueMany(parts, 200, () => wishOf({ userDigests: ['u'] }))).toEqual({
      granted: 200,
    });
  });

  test('channels without messages take none', async () => {
    const parts = start({ environment: { TWO_FACTOR_USER_HOURLY: '1' } });
    const same = { userDigests: ['u'], messages: false };
    expect(await issueMany(parts, 5, () => wishOf(same))).toEqual({ granted: 4, user: 1 });
  });
});

describe('money', () => {
  test('is spent to the cap and not a millionth further', async () => {
    const parts = start({
      environment: {
        ...CONVERTING,
        TWO_FACTOR_PRICES: 'US=0.0079,*=0.10',
        TWO_FACTOR_SPEND_HOURLY: '0.395',
        TWO_FACTOR_PREFIX_HOURLY: '1000',
      },
    });
    // 50 times 0.0079 is 0.395, which sums of floating-point numbers are not.
    expect(await issueMany(parts, 60, () => wishOf({ phone: US }))).toEqual({
      granted: 50,
      spend: 10,
    });
  });

  test('a message that does not fit leaves room for a cheaper one', async () => {
    const { budgets } = start({
      environment: { TWO_FACTOR_PRICES: 'US=0.01,GB=0.9,*=1', TWO_FACTOR_SPEND_HOURLY: '1' },
    });
    const GB = { country: 'GB', prefix: '+44791112' };
    expect(verdictOf(await budgets.issue(wishOf({ phone: GB })))).toBe('granted');
    expect(verdictOf(await budgets.issue(wishOf({ phone: GB })))).toBe('spend');
    expect(verdictOf(await budgets.issue(wishOf({ phone: US })))).toBe('granted');
  });

  test('countries without a price of their own cannot take what is kept for the others', async () => {
    const parts = start({
      environment: {
        ...CONVERTING,
        TWO_FACTOR_PRICES: 'US=0.01,*=0.10',
        TWO_FACTOR_SPEND_HOURLY: '2',
        TWO_FACTOR_PREFIX_HOURLY: '1000',
      },
    });
    const abroad = ['GB', 'FR', '*'].map((country) => ({ country, prefix: `+${country}` }));
    let i = 0;
    expect(await issueMany(parts, 30, () => wishOf({ phone: abroad[i++ % 3] }))).toEqual({
      granted: 10,
      spend: 20,
    });
    const home = () => wishOf({ phone: { country: 'US', prefix: `+1${i++}` } });
    expect(await issueMany(parts, 110, home)).toEqual({
      granted: 100,
      spend: 10,
    });
  });

  test('has a cap for the day beside that of the hour', async () => {
    const parts = start({
      environment: {
        ...CONVERTING,
        TWO_FACTOR_PRICES: '*=1',
        TWO_FACTOR_SPEND_HOURLY: '10',
        TWO_FACTOR_SPEND_DAILY: '25',
      },
    });
    const spent: number[] = [];
    let prefix = 0;
    for (let hour = 0; hour < 4; hour++) {
      const counts = await issueMany(parts, 15, () =>
        wishOf({ phone: { country: 'US', prefix: `+1${prefix++}` } }),
      );
      spent.push(counts.granted ?? 0);
      parts.clock.time += HOUR + 60_000;
    }
    expect(spent).toEqual([10, 10, 5, 0]);
  });
});

describe('a refusal', () => {
  test('takes nothing from the budgets that would have granted', async () => {
    const parts = start({
      environment: {
        TWO_FACTOR_COUNTRY_HOURLY: 'US=3,*=3',
        TWO_FACTOR_ADDRESS_HOURLY: '5',
        TWO_FACTOR_PRICES: '*=0.10',
        TWO_FACTOR_SPEND_HOURLY: '0.50',
      },
    });
    const from = { clientAddress: '8.8.8.8' };
    expect(await issueMany(parts, 30, () => wishOf({ ...from, phone: US }))).toEqual({
      granted: 3,
      country: 27,
    });
    const GB = { country: 'GB', prefix: '+44791112' };
    expect(await issueMany(parts, 1, () => wishOf({ ...from, phone: GB }))).toEqual({ granted: 1 });
    expect(await issueMany(parts, 2, () => wishOf({ ...from, phone: GB }))).toEqual({
      granted: 1,
      address: 1,
    });
    expect(await issueMany(parts, 1, () => wishOf({ phone: GB }))).toEqual({ spend: 1 });
  });

  test('hinders nobody in other countries, not even while it is decided', async () => {
    const { budgets } = start({
      environment: {
        TWO_FACTOR_COUNTRY_HOURLY: 'GB=1,*=1000',
        TWO_FACTOR_PREFIX_HOURLY: '1000',
        TWO_FACTOR_PRICES: '*=0.10',
        TWO_FACTOR_SPEND_HOURLY: '1.10',
      },
    });
    const GB = (i: number) => ({ country: 'GB', prefix: `+447911${i}` });
    const grants = await Promise.all(
      Array.from({ length: 220 }, (_, i) =>
        budgets
          .issue(wishOf({ phone: i % 22 === 21 ? US : GB(i) }))
          .then((grant) => `${i % 22 === 21 ? 'US' : 'GB'} ${verdictOf(grant)}`),
      ),
    );
    expect(tally(grants)).toEqual({ 'GB granted': 1, 'GB country': 209, 'US granted': 10 });
  });

  test('may leave what it gives back for later', async () => {
    const { budgets } = start({ environment: { TWO_FACTOR_COUNTRY_HOURLY: '*=0' } });
    const later: (() => Promise<unknown>)[] = [];
    const wish = wishOf({ userDigests: ['u'], phone: US });
    const grant = await budgets.issue(wish, (work) => later.push(work));
    expect(verdictOf(grant)).toBe('country');
    expect(later).toHaveLength(1);
    await Promise.all(later.map((work) => work()));
    for (let i = 0; i < 10; i++)
      expect(verdictOf(await budgets.send(wishOf({ userDigests: ['u'] })))).toBe('granted');
  });

  test('tells when to come again', async () => {
    const { budgets, clock } = start({ environment: { TWO_FACTOR_COUNTRY_HOURLY: '*=1' } });
    await budgets.issue(wishOf({ phone: US }));
    const refused = await budgets.issue(wishOf({ phone: US }));
    clock.time += (refused as { retryAfter: number }).retryAfter;
    expect(verdictOf(await budgets.issue(wishOf({ phone: US })))).toBe('granted');
  });
});

describe('a decoy', () => {
  test('counts for its user and its client, and for nobody else', async () => {
    const settle = async () => ({ state: 'ended', wrongGuesses: 0 }) as const;
    const parts = start({ settle, environment: { TWO_FACTOR_PRICES: '*=1' } });
    const same = { destinationDigests: ['d'], phone: US, decoy: true };
    expect(await issueMany(parts, 12, () => wishOf({ ...same, userDigests: ['u'] }))).toEqual({
      granted: 10,
      user: 2,
    });
    expect(
      await issueMany(parts, 103, () => wishOf({ ...same, clientAddress: '8.8.8.8' })),
    ).toEqual({
      granted: 100,
      address: 3,
    });
    expect(await issueMany(parts, 10, () => wishOf({ ...same, decoy: false }))).toEqual({
      granted: 10,
    });
    expect(await issueMany(parts, 41, () => wishOf({ phone: US }))).toEqual({
      granted: 40,
      prefix: 1,
    });
  });

  test('a message, a mail, a decoy, with and without a client: as many reads and writes', async () => {
    const clock = handClock();
    const { store, counts } = counting(memoryStore({ clock }));
    const { budgets } = start({ clock, store });
    const operations = new Set<string>();
    const wishes: Partial<Wish>[] = [
      { phone: US },
      {},
      { phone: US, clientAddress: '8.8.8.8' },
      { decoy: true },
      { decoy: true, phone: US },
      { decoy: true, destinationDigests: [] },
      { phone: { country: '*', prefix: '+888' } },
    ];
    for (const wish of wishes) {
      counts.reads = 0;
      counts.writes = 0;
      expect(verdictOf(await budgets.issue(wishOf(wish)))).toBe('granted');
      operations.add(`${counts.reads} ${counts.writes}`);
    }
    expect([...operations]).toEqual(['9 9']);
  });

  test('until its answer, a refusal does as many reads and writes as a grant', async () => {
    const clock = handClock();
    const { store, counts } = counting(memoryStore({ clock }));
    const { budgets } = start({
      clock,
      store,
      environment: { TWO_FACTOR_DESTINATION_HOURLY: '1' },
    });
    const later: (() => Promise<unknown>)[] = [];
    const operations: string[] = [];
    for (let i = 0; i < 3; i++) {
      counts.reads = 0;
      counts.writes = 0;
      const wish = wishOf({ phone: US, destinationDigests: ['d'] });
      const grant = await budgets.issue(wish, (work) => later.push(work));
      operations.push(verdictOf(grant), `${counts.reads} ${counts.writes}`);
      // What is given back begins behind the answer.
      await Promise.all(later.splice(0).map((work) => work()));
      operations.push(`${counts.reads} ${counts.writes}`);
    }
    // Behind it what was given back: all but the guesses and the one that refused.
    const refused = ['destination', '9 9', '13 13'];
    expect(operations).toEqual(['granted', '9 9', '9 9', ...refused, ...refused]);
  });
});

describe('without the store', () => {
  const failing = (fails: (key: string, write: boolean) => boolean): Store => {
    const inner = memoryStore();
    return {
      ...inner,
      get: async (key) => {
        if (fails(key, false)) throw new Failure('store_unavailable');
        return inner.get(key);
      },
      compareAndSwap: async (key, ...rest) => {
        if (fails(key, true)) throw new Failure('store_unavailable');
        return inner.compareAndSwap(key, ...rest);
      },
    };
  };

  test('nothing is granted: neither an issue nor a message nor a conversion', async () => {
    const { budgets } = start({ store: failing(() => true) });
    const refused = { code: 'store_unavailable' };
    for (let i = 0; i < 3; i++) {
      await expect(budgets.issue(wishOf({ phone: US }))).rejects.toMatchObject(refused);
      await expect(budgets.send(wishOf())).rejects.toMatchObject(refused);
      await expect(budgets.issue(wishOf({ decoy: true }))).rejects.toMatchObject(refused);
      await expect(budgets.converted(US)).rejects.toMatchObject(refused);
    }
  });

  test.each([
    'two-factor/guesses/user',
    'two-factor/guesses/destination',
    'two-factor/budget/user',
    'two-factor/budget/destination',
    'two-factor/budget/address',
    'two-factor/budget/prefix',
    'two-factor/budget/breaker',
    'two-factor/budget/country',
    'two-factor/budget/spend',
  ])('nothing is granted when only %s cannot be written', async (part) => {
    const { budgets } = start({ store: failing((key, write) => write && key.startsWith(part)) });
    const wish = wishOf({ phone: US, clientAddress: '8.8.8.8' });
    await expect(budgets.issue(wish)).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  test('what was taken before it failed is given back', async () => {
    let down = true;
    const store = failing((key) => down && key.startsWith('two-factor/budget/spend'));
    const { budgets } = start({ store, environment: { TWO_FACTOR_COUNTRY_HOURLY: '*=1' } });
    for (let i = 0; i < 5; i++)
      await expect(budgets.issue(wishOf({ phone: US }))).rejects.toMatchObject({
        code: 'store_unavailable',
      });
    down = false;
    expect(verdictOf(await budgets.issue(wishOf({ phone: US })))).toBe('granted');
  });

  test('what cannot be given back stays counted, and the log says how much', async () => {
    let down = false;
    const store = failing(() => down);
    const { budgets, lines } = start({ store });
    const wish = wishOf({ phone: US });
    await budgets.issue(wish);
    down = true;
    await budgets.giveBack(wish);
    expect(lines.map(({ message, fields }) => [message, fields])).toEqual([
      ['budget_not_given_back', { count: 7 }],
    ]);
  });
});

describe.each(storeNames)('over %s, by four processes at once', (name) => {
  test('1,000 issues to one country end exactly at its cap, and soon', async () => {
    const shared = await sharedStores[name](4);
    try {
      const parts = shared.stores.map((store) =>
        start({
          store,
          clock: systemClock,
          environment: {
            TWO_FACTOR_COUNTRY_HOURLY: '*=300',
            TWO_FACTOR_PRICES: '*=0.10',
            TWO_FACTOR_SPEND_HOURLY: '50',
          },
        }),
      );
      const began = performance.now();
      const grants = await Promise.all(
        Array.from({ length: 1_000 }, (_, i) =>
          (parts[i % 4] as (typeof parts)[number]).budgets.issue(
            wishOf({ phone: { country: 'US', prefix: `+1202${i % 100}` } }),
          ),
        ),
      );
      expect(tally(grants.map(verdictOf))).toEqual({ granted: 300, country: 700 });
      // Measured: below 2 s on two cores.
      expect(performance.now() - began).toBeLessThan(20_000);
    } finally {
      await shared.close();
    }
  });
});
