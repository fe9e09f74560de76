/**
 * What is measured: each row is { name, driver, pids, forget, stop }, a client that is told what to do, and the processes
 * whose CPU time counts: the server, and Redis where there is one.
 */
import path from 'node:path';
import { build } from 'esbuild';
import { bundleOptions } from '../../deploy/build/bundle.mjs';
import { compiledSchemas } from '../../deploy/build/compiled-schemas.mjs';
import { freePort, root } from '../machine.mjs';
import { startRedis } from '../pipelines/databases.mjs';
import { startHost } from '../pipelines/hosts.mjs';
import { answerOf, OTHERS, scratch, startNode } from '../pipelines/process.mjs';

const SOURCES = path.join(root, 'bench/servers/two-factor');
const HOST = path.join(root, 'bench/node_modules/.cache/two-factor/node.cjs');
const PEER = path.join(SOURCES, 'better-auth.mjs');
const TOKEN = 'a-caller-token-of-the-benchmark-0123456789';

const sender = {
  name: 'sender',
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/senders\/twilio$/ }, () => ({ path: path.join(SOURCES, 'sender.ts') }));
  },
};

/** `dist/node.cjs` with another sender, and nothing else changed. */
export const bundleHost = async () => {
  const options = await bundleOptions();
  await build({
    ...options,
    entryPoints: ['deploy/entry/node.ts'],
    outfile: HOST,
    legalComments: 'none',
    plugins: [sender, ...options.plugins, compiledSchemas],
  });
};

const MANY = '999999999';

/** In production, with budgets that a load from one place does not use up. */
const OURS = {
  NODE_ENV: 'production',
  HOST: '127.0.0.1',
  FUNCTION_TARGET: 'two-factor',
  SECRET_KEY: 'the secret of a benchmark and of nobody else',
  CALLER_TOKENS: TOKEN,
  PUBLIC_URL: 'https://login.example.com',
  SMTP_URL: 'smtps://user:password@mail.example.com',
  MAIL_FROM: 'login@example.com',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'a token that nobody asks for',
  TWILIO_FROM: '+12025550100',
  TWO_FACTOR_ADDRESS_HOURLY: MANY,
  TWO_FACTOR_PREFIX_HOURLY: MANY,
  TWO_FACTOR_COUNTRY_HOURLY: `*=${MANY}`,
  TWO_FACTOR_PRICES: '*=0.01',
  TWO_FACTOR_SPEND_HOURLY: MANY,
  TWO_FACTOR_SPEND_DAILY: MANY,
  TWO_FACTOR_BREAKER_CONVERSIONS: '0',
};

const memory = async () => ({ ours: 'memory:', theirs: 'memory' });
const sqlite = async (folder) => {
  const url = `sqlite:${path.join(folder, 'store.db')}`;
  return { ours: url, theirs: url };
};
const redis = (appendfsync) => async () => {
  const { port, pid, stop } = await startRedis({ appendfsync });
  const ours = `redis://127.0.0.1:${port}/0?prefix=bench`;
  return { ours, theirs: `redis:${port}`, pids: [pid], stop };
};

const STORES = {
  memory,
  SQLite: sqlite,
  'Redis, everysec': redis('everysec'),
  'Redis, always': redis('always'),
};

const row = (name, dialect, openStore, serve) => async () => {
  const { folder, remove } = scratch();
  const store = await openStore(folder);
  const sinkPort = `${await freePort()}`;
  const { file, environment } = serve(store, dialect);
  const host = await startHost(file, {
    environment: { ...environment, SINK_PORT: sinkPort },
    folder,
  });
  const driver = startNode([path.join(SOURCES, 'client.cjs'), `${host.port}`, dialect], {
    core: OTHERS,
    environment: { CALLER_TOKEN: TOKEN, SINK_PORT: sinkPort },
    ipc: true,
  });
  await answerOf(driver);
  return {
    name,
    driver,
    pids: [host.pid, ...(store.pids ?? [])],
    forget: () => file === PEER && fetch(`http://127.0.0.1:${host.port}/forget`),
    stop: async () => {
      await Promise.all([driver.kill(), host.kill()]);
      await store.stop?.();
      remove();
    },
  };
};

const ours = ({ ours }) => ({ file: HOST, environment: { ...OURS, STORE_URL: ours } });
const theirs = ({ theirs }, plugin) => ({
  file: PEER,
  environment: { NODE_ENV: 'production', STORE: theirs, PLUGIN: plugin },
});

const STORE_NAMES = Object.keys(STORES);
export const oursOn = (store) => `node host, two-factor, ${store}`;
export const phoneOn = (store) => `better-auth, phone number, ${store}`;
export const mailOn = (store) => `better-auth, email OTP hashed, signs in, ${store}`;

/** Ours ÷ theirs. */
export const PAIRS = [
  ...STORE_NAMES.map((store) => [oursOn(store), phoneOn(store)]),
  [oursOn('SQLite'), mailOn('SQLite')],
];

/** Each starts a row. */
export const ROWS = [
  ...STORE_NAMES.map((store) => row(oursOn(store), 'ours', STORES[store], ours)),
  ...STORE_NAMES.map((store) => row(phoneOn(store), 'phone-number', STORES[store], theirs)),
  row(mailOn('SQLite'), 'email-otp', sqlite, theirs),
];
