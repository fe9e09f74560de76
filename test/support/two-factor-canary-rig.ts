/** A real host with a secret in every setting that takes one, its peers, and a record of all that anybody said. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Challenge, challengeKey } from '../../functions/two-factor/challenge';
import { deriveKeys } from '../../shared/keys';
import { open } from '../../shared/seal';
import { openStore } from '../../shared/store/open';
import { bundle } from './bundle';
import { type HostProcess, startHost } from './host-process';
import { type RedisServer, startRedis } from './redis';
import { SHARD_SETTINGS } from './shard-settings';
import { type SmtpPeer, startSmtpPeer } from './smtp-peer';
import { startTwilioPeer, type TwilioPeer } from './twilio-peer';
import type { Canary, Place } from './two-factor-canary-scan';
import { type SinkFault, startServices } from './two-factor-canary-services';

export interface RigOptions {
  readonly environment: 'production' | 'development';
  readonly store: 'sqlite' | 'redis';
  /** More for its environment. @default nothing */
  readonly more?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly body: Record<string, string> & { readonly codes?: readonly string[] };
}

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** @default 'POST' */
  readonly method?: string;
  /** Whether the answer may name what it was given. @default false */
  readonly echoes?: boolean;
}

export interface Rig {
  readonly host: HostProcess;
  readonly twilio: TwilioPeer;
  readonly smtp: SmtpPeer;
  /** @default the store is a file */
  readonly redis: RedisServer | undefined;
  readonly database: string;
  /** What the audit sink does. */
  sink: SinkFault | 'take';
  /** Remembers a secret. */
  secret(kind: string, value: string): void;
  readonly canaries: readonly Canary[];
  /** An object is sent as JSON. What its answer may hold is known by its path. */
  call(path: string, body?: unknown, options?: CallOptions): Promise<Answer>;
  /** Issues, or sends again, and gives challenge and code: the code while its message still waits. */
  sent(path: '/' | '/resend', body: object): Promise<{ challenge: string; code: string }>;
  /** A copy of what the store and the folder hold now. */
  keep(when: string): void;
  readonly places: readonly Place[];
  /** Ends the host by itself, and all that was said after that. */
  close(): Promise<void>;
}

/** What an answer rightly tells its caller, and nobody else, by path and status. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  '/two-factor 202': ['challenge'],
  '/two-factor/resend 202': ['challenge'],
  // In which the challenge is named, for whoever has both.
  '/two-factor/verify 200': ['result token', 'challenge'],
  // Who has verified what, for whoever holds the token.
  '/two-factor/token 200': ['challenge', 'user'],
  // The secret, its URL with the account, and the picture of that.
  '/two-factor/totp 201': ['TOTP secret', 'user'],
  '/two-factor/recovery-codes 201': ['recovery code'],
};

const secretOf = (name: string): string => `${name}-${randomBytes(18).toString('hex')}`;

export const openRig = async ({ environment, store, more = {} }: RigOptions): Promise<Rig> => {
  const folder = await mkdtemp(join(tmpdir(), 'canary-'));
  const canaries = new Map<string, Canary>();
  const places: Place[] = [];
  const secret: Rig['secret'] = (kind, value) =>
    void canaries.set(`${kind} ${value}`, { kind, value });
  const made = (kind: string, value = secretOf(kind.replaceAll(' ', '-'))): string => {
    secret(kind, value);
    return value;
  };
  const heard = (name: string, text: string, may: readonly string[] = []): void =>
    void places.push({ name, bytes: Buffer.from(text), may });

  const services = await startServices(heard, () => rig.sink);
  const authToken = made('Twilio auth token', randomBytes(16).toString('hex'));
  const password = made('SMTP password');
  const redisPassword = made('Redis password');
  const [twilio, smtp, redis] = await Promise.all([
    startTwilioPeer({ authToken }),
    startSmtpPeer({ credentials: { user: 'mailer', password } }),
    store === 'redis'
      ? startRedis({
          args: ['--appendonly', 'yes', '--appendfsync', 'always', '--requirepass', redisPassword],
        })
      : undefined,
  ]);
  const database = join(folder, '.data/faas.db');
  const storeUrl = redis ? redis.url.replace('//', `//:${redisPassword}@`) : `sqlite:${database}`;
  const secretKey = made('SECRET_KEY');
  const [caller, admin] = [made('caller token'), made('admin token')];
  const closePeers = async (): Promise<void> => {
    await Promise.all([twilio.close(), smtp.close(), redis?.stop()]);
    await services.close();
    await rm(folder, { recursive: true, force: true });
  };
  const host = await startHost({
    file: bundle('deploy/entry/node.ts'),
    folder,
    environment: {
      NODE_ENV: environment,
      HOST: '127.0.0.1',
      LOG_LEVEL: 'debug',
      STORE_URL: storeUrl,
      ENGINE_URL: 'local:./.data/runs.db',
      SECRET_KEY: secretKey,
      WEBHOOK_SECRET: `whsec_${made('webhook secret', randomBytes(32).toString('base64'))}`,
      SMTP_URL: smtp.url,
      MAIL_FROM: 'login@example.com',
      TWILIO_ACCOUNT_SID: twilio.accountSid,
      TWILIO_AUTH_TOKEN: authToken,
      TWILIO_FROM: '+15005550006',
      TWILIO_BASE_URL: twilio.url,
      CALLER_TOKENS: caller,
      ADMIN_TOKENS: admin,
      PUBLIC_URL: 'https://login.example.com',
      LOGIN_SERVICE_URL: `${services.url}/codes`,
      LOGIN_SERVICE_SECRET: made('LOGIN_SERVICE_SECRET'),
      TWO_FACTOR_AUDIT_SINK: `${services.url}/audit`,
      TWO_FACTOR_PREFIX_HOURLY: '1000',
      // Of the neighbours, which have no default in production.
      ...SHARD_SETTINGS,
      ADD_DEFAULTS_TARGET: services.url,
      ADD_DEFAULTS_SCHEMA: '{}',
      ...more,
    },
  }).catch(async (error: unknown) => {
    await closePeers();
    throw error;
  });
  const reader = openStore(storeUrl);
  const sealKeys = deriveKeys(secretKey)('two-factor seal');

  const call: Rig['call'] = async (path, body, { headers = {}, method = 'POST', echoes } = {}) => {
    const isRaw = typeof body === 'string' || body === undefined;
    const response = await fetch(`${host.url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(!isRaw && { 'content-type': 'application/json' }),
        authorization: `Bearer ${path.startsWith('/two-factor') ? caller : admin}`,
        ...headers,
      },
      ...(body !== undefined && { body: isRaw ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const said = `${JSON.stringify([...response.headers])}\n${text}`;
    const route = path.replace(/[/]?(?:\?.*)?$/, '');
    if (!echoes)
      heard(`the answer ${response.status} of ${route}`, said, MAY[`${route} ${response.status}`]);
    const parsed = /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : {};
    return { status: response.status, body: parsed };
  };

  const codeOf = async (challenge: string): Promise<string> => {
    const entry = await reader.get<Challenge>(challengeKey(challenge));
    const sends = entry?.value.sends ?? [];
    const n = sends.length - 1;
    const text = open(sealKeys, sends[n]?.message ?? '', 'message', challenge, String(n));
    if (text === undefined) throw new Error('its message was gone before it was read');
    return (JSON.parse(text) as { code: string }).code;
  };

  const rig: Rig = {
    ...{ host, twilio, smtp, redis, database, places, secret, call },
    sink: 'take',
    get canaries() {
      return [...canaries.values()];
    },
    sent: async (path, body) => {
      const { status, body: answer } = await call(`/two-factor${path === '/' ? '' : path}`, body);
      const { challenge = '' } = answer;
      if (status !== 202) throw new Error(`${path}: ${status} ${JSON.stringify(answer)}`);
      secret('challenge', challenge);
      const code = await codeOf(challenge);
      secret('code', code);
      return { challenge, code };
    },
    keep: (when) => {
      // It is the key of a record.
      for (const file of [...filesIn(folder), ...(redis ? filesIn(redis.folder) : [])])
        places.push({ name: `${file} ${when}`, bytes: readFileSync(file), may: ['challenge'] });
    },
    close: async () => {
      await reader.close();
      await host.stop();
      heard('the output of the host', host.output());
      for (const { raw } of smtp.mails) heard('a mail', raw, ['code', 'address']);
      for (const { statusCallback = '', ...sms } of twilio.messages) {
        heard('the address for reports', statusCallback);
        heard('a message', JSON.stringify(sms), ['code', 'phone']);
      }
      rig.keep('at the end');
      await closePeers();
    },
  };
  return rig;
};

const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile());
