/** People of every kind, in a store that no host has opened yet. */
import { createRequire } from 'node:module';
import { bundled } from './bundles.mjs';

const WIDTH = 64;

/** Wide enough for so many messages in an hour. */
export const SETTINGS = { TWO_FACTOR_COUNTRY_HOURLY: '*=100000', TWO_FACTOR_PRICES: '*=0.0001' };

const inParallel = async (items, work) => {
  const left = [...items];
  const lane = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: WIDTH }, lane));
};

/** Mobile numbers, so few to a prefix that its budget is no matter. */
function* numbers(canonicalPhone) {
  for (let last = 0; last < 20; last++)
    for (let area = 201; area < 990; area++)
      for (let exchange = 220; exchange < 990; exchange += 70) {
        const number = `+1${area}${exchange}${String(2_000 + 37 * last).padStart(4, '0')}`;
        if (canonicalPhone(number) === number) yield number;
      }
}

/** `samples` users of each kind, by kind. */
export const prepare = async ({ store: file, secret, samples }) => {
  const parts = createRequire(import.meta.url)(bundled('parts'));
  const store = parts.sqliteStore({ path: file });
  const platform = {
    ...{ store, clock: parts.systemClock, random: parts.systemRandom },
    keys: parts.deriveKeys(secret),
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    production: false,
    mail: async () => ({}),
    sms: async () => ({}),
    freezes: false,
    background: () => {},
    publicUrl: () => 'http://localhost:8080',
  };
  const { config: budgetConfig } = parts.readConfig(
    parts.BUDGET_SETTINGS,
    {},
    { production: false },
  );
  const factors = parts.createFactors(platform);
  const records = parts.createRecords(platform);
  const phones = numbers(parts.canonicalPhone);
  const users = (kind) => Array.from({ length: samples }, (_, i) => `${kind}-${10_000 + i}`);
  const people = Object.fromEntries(
    ['unknown', 'known', 'locked', 'busy', 'phoneless'].map((kind) => [kind, users(kind)]),
  );
  const numbersOf = new Map();
  for (const user of [...people.known, ...people.locked, ...people.busy])
    numbersOf.set(user, phones.next().value);
  await inParallel(numbersOf, ([user, number]) =>
    factors.enrolDestination(user, { channel: 'sms', to: number }),
  );

  /** What twenty wrong guesses leave behind. */
  const { limits, prices } = parts.readLimits(budgetConfig);
  const settle = async () => ({ state: 'ended', wrongGuesses: 5 });
  const budgets = parts.createBudgets({ ...platform, limits, prices, settle });
  await inParallel(people.locked, async (user) => {
    for (let n = 0; n < 5; n++)
      await budgets.issue({
        challenge: Buffer.from(platform.random.bytes(16)).toString('base64url'),
        userDigests: records.userDigests(user),
        destinationDigests: records.destinationDigests('sms', numbersOf.get(user)),
        ...{ decoy: false, phone: undefined, clientAddress: undefined, messages: false },
      });
  });

  const { config } = parts.readConfig(parts.twoFactor.config, SETTINGS, { production: false });
  const issue = parts.routeTo(parts.twoFactor.create(config, platform));
  const call = async (path, body) => {
    const work = [];
    const context = {
      ...{ id: 'prepare', path, params: {}, clientAddress: undefined, log: platform.log },
      ...{ signal: new AbortController().signal, waitUntil: (one) => work.push(one) },
    };
    const request = new Request(`http://localhost${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const { status } = await issue(request, context);
    if (status >= 300) throw new Error(`${path} answered ${status}`);
    await Promise.all(work);
  };
  await inParallel(people.busy, async (user) => {
    for (let n = 0; n < 4; n++) await call('/', { user });
  });
  // Ten slow hashes each would take minutes: who has recovery codes has the same record with one field more.
  await inParallel(people.phoneless, (user) => call('/totp', { user }));
  await store.close();
  return people;
};
