/** dist/functions as it is built: a bundle for each function and host, which holds what the function uses and works alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { catalogue } from '../../functions';
import { type HostProcess, startHost } from '../support/host-process';
import { lambdaContext, type ResultV2, toEventV2 } from '../support/lambda';
import { startSmtpPeer } from '../support/smtp-peer';
import { startTwilioPeer } from '../support/twilio-peer';

const ROOT = path.resolve(__dirname, '../..');
const FUNCTIONS = path.join(ROOT, 'dist/functions');
const HOSTS = ['node', 'functions-framework', 'lambda'];
const MEBIBYTE = 2 ** 20;

const SECRET_KEY = 'a key of at least thirty-two characters';

const names = [
  ...Object.keys(catalogue),
  ...readdirSync(path.join(ROOT, 'pipelines')).flatMap(
    (file) => /^(.*)\.yaml$/.exec(file)?.[1] ?? [],
  ),
];

interface Content {
  readonly bytes: number;
  readonly own: number;
  readonly packages: Readonly<Record<string, number>>;
}
const contents: Readonly<Record<string, Content>> = JSON.parse(
  readFileSync(path.join(FUNCTIONS, 'bundles.json'), 'utf8'),
);
const contentOf = (name: string, host: string) => contents[`${name}/${host}.cjs`] as Content;

const post = (url: string, body: object) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

let host: HostProcess | undefined;
const startNode = async (name: string, environment = {}, folder = FUNCTIONS) => {
  host = await startHost({ file: path.join(folder, name, 'node.cjs'), environment });
  return host;
};
afterEach(async () => {
  await host?.stop();
  host = undefined;
});

describe.each(names)('%s', (name) => {
  test('has a bundle for each host, with less than 1 MiB of our own', () => {
    expect(HOSTS.filter((one) => existsSync(path.join(FUNCTIONS, name, `${one}.cjs`)))).toEqual(
      HOSTS,
    );
    const own = HOSTS.map((one) => contentOf(name, one).own);
    expect(Math.min(...own)).toBeGreaterThan(50_000);
    expect(Math.max(...own)).toBeLessThan(MEBIBYTE);
  });

  test('is served alone, whatever FUNCTION_TARGET says', async () => {
    const { lines } = await startNode(name, {
      FUNCTION_TARGET: name === 'create-user' ? 'email-user' : 'create-user',
      FUNCTIONS_URL: 'http://127.0.0.1:9',
    });
    expect(lines().find(({ message }) => message === 'listening')?.functions).toEqual([name]);
  });
});

test('there is a bundle for nothing else', () => {
  expect(Object.keys(contents).sort()).toEqual(
    names.flatMap((name) => HOSTS.map((one) => `${name}/${one}.cjs`)).sort(),
  );
});

test('what a function does not need is in none of its bundles', () => {
  const inBundles = (name: string) =>
    new Set(HOSTS.flatMap((one) => Object.keys(contentOf(name, one).packages)));
  for (const unwanted of ['twilio', 'nodemailer', 'yaml', 'libphonenumber-js'])
    expect([unwanted, inBundles('create-user').has(unwanted)]).toEqual([unwanted, false]);
  expect(inBundles('email-user').has('nodemailer')).toBe(true);
  expect(inBundles('email-user').has('twilio')).toBe(false);
  expect(inBundles('two-factor').has('twilio')).toBe(true);
  expect(inBundles('signup').has('yaml')).toBe(true);
});

test('of twilio there is the part that sends, and no more', () => {
  const { packages } = contentOf('two-factor', 'lambda');
  expect(packages.twilio).toBeLessThan(MEBIBYTE / 4);
  expect(packages).not.toHaveProperty('xmlbuilder');
  expect(packages).not.toHaveProperty('jsonwebtoken');
});

describe('in a folder without node_modules', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'faas-bundles-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('the node host starts, and answers, without any package', async () => {
    cpSync(path.join(FUNCTIONS, 'add-defaults'), path.join(folder, 'add-defaults'), {
      recursive: true,
    });
    const { url } = await startNode('add-defaults', {}, folder);
    expect(await (await post(url, { name: 'ada' })).json()).toMatchObject({
      body: { name: 'ada', color: 'blue' },
    });
  });

  test('it finds packages beside the functions: a schema that nobody knew is compiled', async () => {
    const dist = path.join(folder, 'dist');
    cpSync(path.join(FUNCTIONS, 'add-defaults'), path.join(dist, 'functions/add-defaults'), {
      recursive: true,
    });
    cpSync(path.join(ROOT, 'dist/packages'), path.join(dist, 'packages'), { recursive: true });
    const schema = { type: 'object', properties: { size: { type: 'integer', default: 7 } } };
    const { url } = await startNode(
      'add-defaults',
      { ADD_DEFAULTS_SCHEMA: JSON.stringify(schema) },
      path.join(dist, 'functions'),
    );
    expect(await (await post(url, {})).json()).toMatchObject({ body: { size: 7 } });
    expect((await post(url, { size: 'large' })).status).toBe(400);
  });

  test('the Lambda bundle needs no other file', async () => {
    const file = path.join(folder, 'lambda.cjs');
    cpSync(path.join(FUNCTIONS, 'add-defaults/lambda.cjs'), file);
    const event = await toEventV2({
      method: 'POST',
      path: '/add-defaults',
      headers: [['content-type', 'application/json']],
      body: '{"name":"ada"}',
    });
    const script = `require(${JSON.stringify(file)}).handler(${JSON.stringify(event)}, {
      ...${JSON.stringify(lambdaContext())}, getRemainingTimeInMillis: () => 5000,
    }).then((result) => console.log('RESULT' + JSON.stringify(result)));`;
    const child = spawn(process.execPath, ['-e', script], {
      cwd: folder,
      env: { NODE_ENV: 'development' },
    });
    const { statusCode, body } = JSON.parse(
      (await outputOf(child)).split('RESULT')[1] ?? '{}',
    ) as ResultV2;
    expect(statusCode).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ body: { name: 'ada', color: 'blue' } });
  });
});

describe('a first message', () => {
  test('two-factor sends by the part of twilio that is there', async () => {
    const peer = await startTwilioPeer();
    try {
      const { url } = await startNode('two-factor', {
        TWILIO_ACCOUNT_SID: peer.accountSid,
        TWILIO_AUTH_TOKEN: peer.authToken,
        TWILIO_FROM: '+12025550100',
        TWILIO_BASE_URL: peer.url,
      });
      const challenge = { user: 'ada', phoneNumber: '+12025550123' };
      expect((await post(url, challenge)).status).toBe(202);
      await until(() => peer.messages.length === 1);
      expect(peer.messages[0]).toMatchObject({ to: '+12025550123', from: '+12025550100' });
    } finally {
      await peer.close();
    }
  });

  test('email-user sends by nodemailer', async () => {
    const peer = await startSmtpPeer();
    try {
      const { url } = await startNode('email-user', {
        SMTP_URL: peer.url,
        MAIL_FROM: 'Suite <suite@example.com>',
      });
      const answer = await post(url, { username: 'ada', email: 'ada@example.com' });
      expect(answer.ok).toBe(true);
      await until(() => peer.mails.length === 1);
      expect(peer.mails[0]?.recipients).toEqual(['ada@example.com']);
    } finally {
      await peer.close();
    }
  });
});

test('the command line of functions-framework takes a bundle as its source', async () => {
  const port = await freePort();
  const child = spawn(
    'npx',
    [
      'functions-framework',
      '--source',
      'dist/functions/two-factor/functions-framework.cjs',
      '--target=two-factor',
    ],
    {
      cwd: ROOT,
      env: { PATH: process.env.PATH, PORT: `${port}`, STORE_URL: 'memory:', SECRET_KEY },
      detached: true,
      stdio: 'ignore',
    },
  );
  try {
    const challenge = { user: 'ada', phoneNumber: '+12025550123' };
    let answer: Response | undefined;
    await until(async () => {
      answer = await post(`http://127.0.0.1:${port}`, challenge).catch(() => undefined);
      return answer !== undefined;
    });
    expect(answer?.status).toBe(202);
    expect(await answer?.json()).toHaveProperty('challenge');
  } finally {
    // npx, its shell and the server.
    if (child.exitCode === null) process.kill(-(child.pid as number), 'SIGKILL');
  }
});

const outputOf = async (child: ChildProcess): Promise<string> => {
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  await once(child, 'close');
  return output;
};

const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  for (let left = 400; left > 0; left--) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('it has not come to be');
};

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
