/**
 * better-auth behind node:http, with the PLUGIN that sends codes. STORE: `memory`, `sqlite:PATH` or a port of Redis,
 * its secondary storage; users are in memory then, which costs nothing. Its limits by address are off, and nothing is
 * checked that these requests do not need. POST /forget forgets all codes, of which its memory adapter reads each.
 */
import { createServer } from 'node:http';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { emailOTP, phoneNumber } from 'better-auth/plugins';
import { Redis } from 'ioredis';
import { SqliteDialect } from 'kysely';
import Database from 'libsql';
import dialects from './dialects.cjs';
import sink from './sink.cjs';

const { PORT, STORE, PLUGIN } = process.env;
const { SEEDS, seedMail, seedPhone } = dialects;

const inMemory = () => memoryAdapter({ user: [], session: [], account: [], verification: [] });

/** As it stands in its documentation, with the command that consumes a code once. */
const secondaryStorage = (port) => {
  const redis = new Redis({ host: '127.0.0.1', port });
  return {
    get: (key) => redis.get(key),
    set: (key, value, ttl) => (ttl ? redis.set(key, value, 'EX', ttl) : redis.set(key, value)),
    delete: (key) => redis.del(key),
    getAndDelete: (key) => redis.getdel(key),
  };
};

/** With the file modes of ours. */
const inFile = (file) => {
  const database = new Database(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  return { dialect: new SqliteDialect({ database }), type: 'sqlite' };
};

const stores = {
  memory: () => ({ database: inMemory() }),
  sqlite: (file) => ({ database: inFile(file) }),
  redis: (port) => ({ database: inMemory(), secondaryStorage: secondaryStorage(Number(port)) }),
};
const [kind, where] = STORE.split(':');
const LIFETIME = 600;
const GUESSES = 5;

const limits = { expiresIn: LIFETIME, allowedAttempts: GUESSES };
const plugins = {
  'phone-number': () =>
    phoneNumber({ ...limits, sendOTP: ({ phoneNumber: to, code }) => sink.tell(to, code) }),
  'email-otp': () =>
    emailOTP({
      ...limits,
      storeOTP: 'hashed',
      sendVerificationOTP: async ({ email, otp }) => sink.tell(email, otp),
    }),
};

const auth = betterAuth({
  ...stores[kind](where),
  baseURL: `http://localhost:${PORT}`,
  secret: 'the secret of a benchmark and of nobody else',
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
  plugins: [plugins[PLUGIN]()],
});

if (kind === 'sqlite') await (await getMigrations(auth.options)).runMigrations();
const { internalAdapter, adapter } = await auth.$context;
for (let i = 0; i < SEEDS; i++)
  await internalAdapter.createUser({
    name: `Seed ${i}`,
    email: seedMail(i),
    emailVerified: true,
    ...(PLUGIN === 'phone-number' && { phoneNumber: seedPhone(i), phoneNumberVerified: true }),
  });

/** In Redis one more key changes nothing. */
const forget = async () => {
  if (kind === 'redis') return;
  const all = [{ field: 'createdAt', operator: 'gt', value: new Date(0) }];
  await adapter.deleteMany({ model: 'verification', where: all });
};

const handle = toNodeHandler(auth);
createServer((request, response) => {
  if (request.url === '/health/readiness') response.end();
  else if (request.url === '/forget') void forget().then(() => response.end());
  else void handle(request, response);
}).listen(Number(PORT), '127.0.0.1');
