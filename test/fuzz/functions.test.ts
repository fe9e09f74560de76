/** Every route of every function, in the real suite, under requests that nobody has thought of. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { catalogue } from '../../functions';
import signupSchema from '../../pipelines/signup.schema.json';
import { systemClock } from '../../shared/clock';
import { systemRandom } from '../../shared/random';
import { createSuite, type Suite } from '../../shared/suite/suite';
import { testContext } from '../support/invoke';
import { SHARD_SETTINGS } from '../support/shard-settings';
import { checkAnswer, inTime, leakIn, settle } from './properties';
import { type Asked, type Ground, requests } from './requests';
import { announceSeed, parameters, TIMEOUT } from './settings';

const PIPELINES = path.resolve(__dirname, '../../pipelines');
const pipelineNames = readdirSync(PIPELINES).flatMap(
  (file) => /^(.+)\.yaml$/.exec(file)?.[1] ?? [],
);

/** Bodies that work, by function; what a function's own example says comes on top. */
const BODIES: Readonly<Record<string, readonly unknown[]>> = {
  signup: signupSchema.examples,
  'two-factor': [{ user: 'ada', email: 'ada@example.com', purpose: 'login', locale: 'de' }],
};

const create = async (environment: Record<string, string>): Promise<[Suite, string]> => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'faas-'));
  const suite = await createSuite({
    catalogue,
    environment: {
      PIPELINES_DIR: PIPELINES,
      STORE_URL: 'memory:',
      ENGINE_URL: 'local:./runs.db',
      ...environment,
    },
    folder,
    // Nobody listens there: steps fail at once and wait for their next attempt.
    ownUrl: () => 'http://127.0.0.1:1',
    log: testContext().log,
    clock: systemClock,
    random: systemRandom,
  });
  await suite.open();
  return [suite, folder];
};

const close = async (suite: Suite, folder: string): Promise<void> => {
  await suite.stop(AbortSignal.timeout(2_000));
  await suite.close();
  rmSync(folder, { recursive: true, force: true });
};

/** As a host would ask: the path raw beside a URL that is well formed. */
const ask = (suite: Suite, { method, target, headers, body }: Asked): Promise<Response> =>
  settle(() => {
    const bodiless = body === undefined || method === 'GET' || method === 'HEAD';
    const rooted = target.startsWith('/') ? target : `/${target}`;
    const request = new Request(`http://localhost${rooted.replaceAll('#', '%23')}`, {
      method,
      headers,
      ...(!bodiless && { body: new Uint8Array(body) }),
    });
    const [at = '/'] = rooted.split('?');
    return suite.application(request, {
      ...testContext({ signal: AbortSignal.timeout(300) }),
      path: at,
    });
  });

const post = (target: string, body: unknown): Asked => ({
  method: 'POST',
  target,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify(body)),
});

/** Things that exist, so that requests get past the first door. */
const settleIn = async (suite: Suite): Promise<Record<string, string>> => {
  await ask(suite, post('/subscribe-user', { email: 'ada@example.com' }));
  const issued = await ask(suite, post('/two-factor', BODIES['two-factor']?.[0]));
  const { challenge = '' } = (await issued.json()) as { challenge?: string };
  const run = await ask(suite, post('/signup', signupSchema.examples[0]));
  const { id = '' } = (await run.json()) as { id?: string };
  const outbox = await ask(suite, {
    method: 'GET',
    target: '/outbox',
    headers: { accept: 'application/json' },
    body: undefined,
  });
  const text = await outbox.text();
  return {
    username: 'ada',
    user: 'ada',
    email: 'ada@example.com',
    phoneNumber: '+12025550123',
    locale: 'de-AT',
    list: 'newsletter',
    purpose: 'login',
    company: 'Example',
    name: 'ada',
    challenge,
    code: /\b\d{6}\b/.exec(text)?.[0] ?? '000000',
    token: /token=([\w.-]+)/.exec(text)?.[1] ?? 'none',
    id,
  };
};

const groundsOf = (
  suite: Suite,
  values: Ground['values'],
): ReadonlyMap<string, readonly Ground[]> =>
  new Map(
    suite.describe().map(({ name, routes }) => [
      name,
      routes.map(({ method, path: at, curl }) => ({
        method,
        path: at,
        values,
        bodies: [
          ...(curl ? [JSON.parse(/-d '(.*)'$/.exec(curl)?.[1] ?? '{}')] : []),
          ...(BODIES[name] ?? []),
          { challenge: values.challenge, code: values.code },
          { email: values.email },
        ],
      })),
    ]),
  );

const PRODUCTION = {
  NODE_ENV: 'production',
  SECRET_KEY: 'a production secret of 32 characters or more',
  SMTP_URL: 'smtps://u:p@127.0.0.1:1',
  MAIL_FROM: 'hello@example.com',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'token',
  TWILIO_FROM: '+15005550006',
  TWILIO_BASE_URL: 'http://127.0.0.1:1',
  PUBLIC_URL: 'https://api.example.com',
  ...SHARD_SETTINGS,
  ADD_DEFAULTS_TARGET: 'http://127.0.0.1:1',
  ADD_DEFAULTS_SCHEMA: '{"type":"object"}',
  CALLER_TOKENS: 'a caller token',
  ADMIN_TOKENS: 'an admin token',
};

let suite: Suite;
let production: Suite;
let values: Ground['values'];
const folders: string[] = [];
const statuses = new Set<number>();

beforeAll(async () => {
  announceSeed();
  for (const environment of [{}, PRODUCTION]) {
    const [made, folder] = await create(environment);
    folders.push(folder);
    if (environment === PRODUCTION) production = made;
    else suite = made;
  }
  values = await settleIn(suite);
});

afterAll(async () => {
  await close(suite, folders[0] as string);
  await close(production, folders[1] as string);
});

const hold = (grounds: readonly Ground[], of: Suite, share: number): Promise<void> =>
  grounds.reduce(
    (before, ground) =>
      before.then(() =>
        fc.assert(
          fc.asyncProperty(requests(ground), async (asked) => {
            const response = await ask(of, asked);
            statuses.add(response.status);
            // Whoever asks for a page of a run is refused by a page.
            const pages = /^\/subscribe-user\/|\/runs\b/.test(ground.path);
            await inTime(checkAnswer(response, { pages }));
          }),
          parameters(share),
        ),
      ),
    Promise.resolve(),
  );

test.each([...Object.keys(catalogue), ...pipelineNames])(
  '%s answers whatever it is asked, with a problem where it refuses',
  async (name) => {
    const grounds = groundsOf(suite, values).get(name) as readonly Ground[];
    expect(grounds.length).toBeGreaterThan(0);
    statuses.clear();
    await hold(grounds, suite, 1);
    // It got past the door, and was refused as well.
    expect([...statuses].some((status) => status < 300)).toBe(true);
    expect([...statuses].some((status) => status >= 400)).toBe(true);
  },
  TIMEOUT,
);

test(
  'the pages of the suite and paths of nobody do as well',
  async () => {
    const grounds = ['/', '/outbox', '/nobody', '/add-defaultsx', '/:name/runs/:id'].map((at) => ({
      method: 'GET',
      path: at,
      bodies: [{}],
      values,
    }));
    await hold(grounds, suite, 0.5);
  },
  TIMEOUT,
);

test(
  'so does production to callers that it does not know',
  async () => {
    const grounds = [...groundsOf(production, values).values()]
      .flat()
      .filter(({ path: at }) => !at.startsWith('/add-defaults'));
    await hold(grounds, production, 0.3);
  },
  TIMEOUT,
);

describe('the check itself', () => {
  test.each([
    'Error: a\n    at b (/srv/app/c.js:1:2)',
    __dirname,
    os.tmpdir() + path.sep,
    'in node_modules',
    'at file.ts:12',
  ])('sees the leak in %j', (text) => {
    expect(leakIn(text)).toBeDefined();
  });
});
