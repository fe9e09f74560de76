/**
 * Two-factor as a process of its own, to be killed: over a store that outlives it, with the senders of production. Told
 * by lines of JSON what to do; each line that it prints is out at once, so that a kill right behind it loses nothing.
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import twoFactor from '../../functions/two-factor';
import { heldIn, type Ledger } from '../../functions/two-factor/budget/guesses';
import { type Challenge, challengeKey } from '../../functions/two-factor/challenge';
import { QUEUE } from '../../functions/two-factor/delivery';
import { type Clock, systemClock } from '../../shared/clock';
import { readConfig } from '../../shared/config';
import type { Handler, Log } from '../../shared/handler';
import { problem } from '../../shared/http/response';
import { routeTo } from '../../shared/http/routes';
import { deriveKeys, type Keys } from '../../shared/keys';
import { type Slots, sum } from '../../shared/limits/window';
import type { Platform } from '../../shared/platform';
import { systemRandom } from '../../shared/random';
import { smtpSender } from '../../shared/senders/smtp';
import { twilioSender } from '../../shared/senders/twilio';
import { twilioReports } from '../../shared/senders/twilio-reports';
import { openStore } from '../../shared/store/open';
import type { Entry, Store } from '../../shared/store/store';
import { invoke, testContext } from './invoke';
import { arm, boundHttp, boundSenders, boundStore, pointsSoFar } from './two-factor-crash-points';
import type { Ask, Books, Order, Peers, Told } from './two-factor-crash-protocol';

const { twilio, smtp, settings } = JSON.parse(process.argv[2] ?? '') as Peers;
const print = (line: Told): void => void writeSync(1, `${JSON.stringify(line)}\n`);

let ahead = 0;
let round: AbortController | undefined;
const clock: Clock = {
  now: () => Date.now() + ahead,
  // The worker rests after a pass: then the pass is over, and so is the worker until the next.
  sleep: async (ms, signal, options) => {
    if (round && signal === round.signal) round.abort();
    else await systemClock.sleep(ms, signal, options);
  },
};

const derived = deriveKeys('a test secret of at least 32 characters');
const keys: Keys = (label) => {
  const ring = derived(label);
  if (label !== 'two-factor code') return ring;
  const key = {
    id: ring.current.id,
    get bytes() {
      print({ kind: 'mac' });
      return ring.current.bytes;
    },
  };
  return { current: key, all: [key] };
};

const log: Log = {
  ...testContext().log,
  info: (message, { event } = {}) => {
    if (message === 'audit') print({ kind: 'audit', event: String(event) });
  },
};

boundHttp();
const { authToken, ...account } = { ...twilio, from: '+15005550006' };
const senders = boundSenders({
  sms: twilioSender({ ...account, authToken }),
  mail: smtpSender({ url: smtp, from: 'login@example.com' }),
  smsReports: twilioReports({ ...account, authTokens: [authToken] }),
});
const { config } = readConfig(twoFactor.config, settings, { production: false });

let store: Store | undefined;
let handler: Handler;
let works: ((signal: AbortSignal) => Promise<void>)[] = [];

const open = async (url: string): Promise<void> => {
  await store?.close();
  works = [];
  store = openStore(url, { clock });
  const platform: Platform = {
    production: true,
    ...{ clock, log, keys, random: systemRandom },
    ...senders,
    store: boundStore(store),
    freezes: false,
    background: (work) => void works.push(work),
    get engine(): never {
      throw new Error('there is none');
    },
    publicUrl: () => 'https://login.example.com',
  };
  handler = routeTo(twoFactor.create(config, platform));
};

const ask = async ({ path, body, headers = {} }: Ask): Promise<void> => {
  const context = { ...testContext(), log };
  const response = await invoke(handler, path, { method: 'POST', body, headers }, context).catch(
    (thrown: unknown) => problem(thrown, 'x'),
  );
  print({ kind: 'answer', answer: { status: response.status, text: await response.text() } });
  while (context.background.length > 0) await Promise.allSettled(context.background.splice(0));
};

const pass = async (): Promise<void> => {
  round = new AbortController();
  const { signal } = round;
  await Promise.all(works.map((work) => work(signal)));
};

const all = async <T>(prefix: string): Promise<readonly Entry<T>[]> =>
  (await (store as Store).list<T>(prefix, { limit: 1_000 })).entries;

const books = async (challenge: string): Promise<Books> => {
  const entry = await (store as Store).get<Challenge>(challengeKey(challenge));
  const taken: Record<string, number> = {};
  for (const { key, value } of await all<{ windows?: readonly Slots[] }>('two-factor/budget/')) {
    const [, name = '', whose = ''] = /^two-factor\/budget\/(\w+):(.*)$/.exec(key) ?? [];
    if (whose.startsWith('shadow/') || !value.windows) continue;
    taken[name] = (taken[name] ?? 0) + sum(value.windows[0] ?? []);
  }
  const held: Record<string, number> = {};
  for (const { key, value } of await all<Ledger>('two-factor/guesses/')) {
    const [, , kind = '', whose = ''] = key.split('/');
    if (whose !== 'shadow') held[kind] = (held[kind] ?? 0) + heldIn(value);
  }
  return {
    queue: (await all(QUEUE)).length,
    sends: entry?.value.sends?.map(({ state }) => state) ?? [],
    taken,
    held,
  };
};

const fulfil = async (order: Order): Promise<void> => {
  ahead = order.ahead;
  arm(order.killAt);
  if (order.kind === 'open') await open(order.url);
  else if (order.kind === 'ask') await ask(order);
  else if (order.kind === 'pass') await pass();
  else print({ kind: 'books', books: await books(order.challenge) });
  print({ kind: 'done', points: pointsSoFar() });
};

createInterface({ input: process.stdin })
  .on('line', (line) => {
    fulfil(JSON.parse(line) as Order).catch((error: Error) => {
      print({ kind: 'failed', message: String(error.stack) });
      process.exit(1);
    });
  })
  .on('close', () => process.exit(0));
