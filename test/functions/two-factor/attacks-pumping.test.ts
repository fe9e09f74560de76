/** A17, A18: messages for the price of them: sends stay within the caps, spend to the cent, and others are not hindered. */
import { expect, test } from '@jest/globals';
import { placeOf } from '../../../functions/two-factor/budget/place';
import { testContext } from '../../support/invoke';
import { DEAR, HOME, pumpingList } from './attack-numbers';
import { lastCode, start } from './harness';

const PRICES: Readonly<Record<string, number>> = { US: 7_900, DE: 62_130, '*': 234_500 };
const MILLIONTHS = 1_000_000;
const CAP = 20;
const PREFIX_CAP = 8;
const PURSE = 300;

const tally = (words: readonly string[]) => {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
};

/** In millionths. */
const costOf = (numbers: readonly string[]): number =>
  numbers.reduce((sum, number) => sum + (PRICES[placeOf(number).country] ?? PRICES['*'] ?? 0), 0);

test('A17: 10,000 numbers of 50 countries, one after the other, at POST /', async () => {
  const lists = pumpingList();
  const list = Array.from({ length: 200 }, (_, n) => lists.map((one) => one[n] as string)).flat();
  expect(list).toHaveLength(10_000);
  const { platform, issue, verify, context } = start(
    {},
    {
      TWO_FACTOR_PRICES: 'US=0.0079,DE=0.06213,*=0.2345',
      TWO_FACTOR_COUNTRY_HOURLY: `US=5000,DE=5000,*=${CAP}`,
      TWO_FACTOR_PREFIX_HOURLY: String(PREFIX_CAP),
      TWO_FACTOR_SPEND_HOURLY: String(PURSE),
      TWO_FACTOR_SPEND_DAILY: String(PURSE),
    },
  );
  const answers: string[] = [];
  const dear: number[] = [];
  let honest = 0;
  for (const [n, phoneNumber] of list.entries()) {
    Object.assign(context, { clientAddress: `198.51.${n >> 8}.${n & 255}` });
    const { status } = await issue({ user: `bot-${n}`, phoneNumber });
    if (DEAR.includes(phoneNumber)) dear.push(status);
    else answers.push(String(status));
    if (n % 50 !== 0) continue;
    // Somebody at home logs in meanwhile.
    const own =
      n % 100 === 0 ? `+1212${220 + n / 50}4567` : `+49151${20_000_000 + (10_001 * n) / 50}`;
    const sent = platform.messages.length;
    const { challenge } = (await issue({ user: `home-${n}`, phoneNumber: own })).body;
    expect(platform.messages.slice(sent).map(({ to }) => to)).toEqual([own]);
    expect((await verify(challenge, lastCode(platform))).status).toBe(200);
    honest += 1;
    await platform.clock.advance(1_000);
  }
  // Refused as what they are, before any budget.
  expect([new Set(dear), dear.length]).toEqual([new Set([400]), 200]);
  expect([...tally(answers).keys()].sort()).toEqual(['202', '429']);

  const numbers = platform.messages.map(({ to }) => to);
  const isHome = (number: string) => HOME.some((home) => home === placeOf(number).country);
  const pumped = numbers.filter((number) => !isHome(number));
  expect([numbers.length - pumped.length, honest]).toEqual([200, 200]);
  for (const [, count] of tally(pumped.map((number) => placeOf(number).prefix)))
    expect(count).toBeLessThanOrEqual(PREFIX_CAP);
  const byCountry = tally(pumped.map((number) => placeOf(number).country));
  for (const [, count] of byCountry) expect(count).toBeLessThanOrEqual(CAP);
  expect(byCountry.size).toBeGreaterThan(20);
  // Half of the purse is what countries without a price of their own may have, to the last message that it pays.
  const price = PRICES['*'] as number;
  expect(costOf(pumped)).toBe(Math.floor((PURSE * MILLIONTHS) / 2 / price) * price);
  expect(costOf(numbers)).toBeLessThanOrEqual(PURSE * MILLIONTHS);
}, 180_000);

test('A17: 1,000 neighbours are so many messages as their prefix may have, and the purse at zero sends none', async () => {
  for (const [settings, messages] of [
    [{ TWO_FACTOR_PREFIX_HOURLY: '30' }, 30],
    [{ TWO_FACTOR_SPEND_HOURLY: '0', TWO_FACTOR_SPEND_DAILY: '0' }, 0],
    [{ TWO_FACTOR_COUNTRIES: 'DE' }, 0],
  ] as const) {
    const { platform, issue, context } = start({}, settings);
    for (let n = 0; n < 1_000; n++) {
      Object.assign(context, { clientAddress: `198.51.${n >> 8}.${n & 255}` });
      await issue({ user: `bot-${n}`, phoneNumber: `+1202555${4_000 + n}` });
    }
    expect(platform.messages).toHaveLength(messages);
  }
}, 60_000);

test('A18: a prefix where nobody enters a code is closed after fifty messages, and no other is', async () => {
  const { log, lines } = testContext();
  const settings = { TWO_FACTOR_PREFIX_HOURLY: '1000' };
  const { platform, issue, verify, context } = start({ log }, settings);
  const messagesTo = (prefix: string) =>
    platform.messages.filter(({ to }) => to.startsWith(prefix)).length;
  for (let n = 0; n < 100; n++) {
    Object.assign(context, { clientAddress: `198.51.100.${n}` });
    await issue({ user: `bot-${n}`, phoneNumber: `+1202555${4_000 + n}` });
    const { body } = await issue({ user: `home-${n}`, phoneNumber: `+1303555${4_000 + n}` });
    if (n % 10 === 0) expect((await verify(body.challenge, lastCode(platform))).status).toBe(200);
  }
  expect([messagesTo('+1202555'), messagesTo('+1303555')]).toEqual([50, 100]);
  const opened = lines.filter(({ message }) => message === 'prefix_breaker_opened');
  expect(opened.map(({ fields }) => fields.prefix)).toEqual(['+1202555']);
  // An hour later a trickle tries whether people have come.
  await platform.clock.advance(3_600_000);
  for (let n = 0; n < 20; n++) {
    await issue({ user: `late-${n}`, phoneNumber: `+1202555${5_000 + n}` });
    await platform.clock.advance(60_000);
  }
  expect(messagesTo('+1202555')).toBeGreaterThan(50);
  expect(messagesTo('+1202555')).toBeLessThanOrEqual(55);
});
