/** Two pipelines, the second of which the first starts by an event: on one host, and through a sink. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { parseWebhookSecrets, verifyWebhookSignature } from '../../shared/webhook/sign';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const SCHEMA = {
  type: 'object',
  required: ['email'],
  properties: { email: { type: 'string' }, username: { type: 'string' } },
};
const FILES = {
  'any.schema.json': JSON.stringify(SCHEMA),
  'join.yaml': `name: join
summary: Somebody joins.
input: any.schema.json
emits: { type: user.joined, input: { email: /email, id: create#/id } }
steps:
  create: { function: create-user }
`,
  'greet.yaml': `name: greet
summary: Somebody has joined.
input: any.schema.json
on: { type: user.joined }
steps:
  confirm: { wait: { for: user.confirmed }, expose: [/by] }
`,
  'count.yaml': `name: count
summary: Somebody has joined, too.
input: any.schema.json
on: { type: user.joined }
steps:
  later: { wait: { for: never, timeout: 1h } }
`,
};

interface Seen {
  readonly request: IncomingMessage;
  readonly body: Buffer;
}

const seen: Seen[] = [];
const sink = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    seen.push({ request, body: Buffer.concat(parts) });
    // The first answer is lost.
    response.writeHead(seen.length === 1 ? 503 : 202).end();
  });
});

let files: { readonly 'functions-framework': string; readonly node: string };
let folder: string;
let host: HostProcess | undefined;

beforeAll(async () => {
  files = {
    'functions-framework': bundle('deploy/entry/functions-framework.ts'),
    node: bundle('deploy/entry/node.ts'),
  };
  folder = await mkdtemp(path.join(tmpdir(), 'chained-'));
  await mkdir(path.join(folder, 'pipelines'));
  for (const [name, text] of Object.entries(FILES))
    await writeFile(path.join(folder, 'pipelines', name), text);
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await host?.stop();
  host = undefined;
  seen.length = 0;
});
afterAll(async () => {
  sink.close();
  await rm(folder, { recursive: true, force: true });
});

const start = async (kind: keyof typeof files, environment: Record<string, string> = {}) => {
  host = await startHost({
    file: files[kind],
    environment: { PIPELINES_DIR: path.join(folder, 'pipelines'), ...environment },
  });
  return host.url;
};

const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

const join = async (url: string) => {
  const joined = await post(
    `${url}/join`,
    { email: 'ada@example.com', username: 'ada' },
    { prefer: 'wait=10' },
  );
  return (await joined.json()) as {
    id: string;
    state: string;
    steps: Record<string, { state: string; attempts: number }>;
  };
};

const runsOf = async (url: string, pipeline: string) =>
  ((await (await fetch(`${url}/${pipeline}/runs`)).json()) as { runs: { id: string }[] }).runs;

describe.each(['functions-framework', 'node'] as const)('on one host (%s)', (kind) => {
  test('a run that succeeds starts each pipeline that is on its event, once, with the data of the event', async () => {
    const url = await start(kind);
    const run = await join(url);
    expect(run).toMatchObject({ state: 'succeeded', steps: { emits: { state: 'succeeded' } } });
    for (const pipeline of ['greet', 'count']) {
      const [started, ...more] = await runsOf(url, pipeline);
      expect(more).toEqual([]);
      const record = await (await fetch(`${url}/${pipeline}/runs/${started?.id}/record`)).json();
      expect(record).toMatchObject({ input: { email: 'ada@example.com', id: expect.any(String) } });
    }
    const [greeting] = await runsOf(url, 'greet');
    const signal = `${url}/greet/runs/${greeting?.id}/signal/confirm`;
    expect((await post(signal, { by: 'grace' }, event('user.other'))).status).toBe(400);
    expect((await post(signal, { by: 'grace' }, event('user.confirmed'))).status).toBe(202);
    expect(await (await fetch(`${url}/greet/runs/${greeting?.id}`)).json()).toMatchObject({
      state: 'succeeded',
      steps: { confirm: { state: 'succeeded', output: { by: 'grace' } } },
    });
  });

  test('an event that is delivered twice starts no second run; one of another type, none', async () => {
    const url = await start(kind);
    const run = await join(url);
    const again = await post(`${url}/greet`, { email: 'ada@example.com' }, event('user.left'));
    expect(again.status).toBe(400);
    expect(await again.json()).toMatchObject({ code: 'invalid_event' });
    const [first] = await runsOf(url, 'greet');
    const record = (await (await fetch(`${url}/greet/runs/${first?.id}/record`)).json()) as {
      input: unknown;
    };
    const repeat = await post(`${url}/greet`, record.input, {
      ...event('user.joined', `${run.id}:emits`, '/join/runs'),
      'idempotency-key': `${run.id}:emits`,
    });
    expect(repeat.headers.get('location')).toBe(`/greet/runs/${first?.id}`);
    expect(await runsOf(url, 'greet')).toHaveLength(1);
  });
});

const event = (type: string, id = '1', source = '/elsewhere') => ({
  'ce-specversion': '1.0',
  'ce-id': id,
  'ce-source': source,
  'ce-type': type,
});

describe('a sink', () => {
  const address = () => `http://127.0.0.1:${(sink.address() as AddressInfo).port}/broker`;

  test('gets the event in place of the pipelines, again with the same id until it takes it, signed where there is a secret', async () => {
    const url = await start('node', { K_SINK: address(), WEBHOOK_SECRET: SECRET });
    const run = await join(url);
    expect(run.steps.emits).toMatchObject({ state: 'succeeded', attempts: 2 });
    expect(await runsOf(url, 'greet')).toEqual([]);
    expect(seen.map(({ request }) => request.headers['ce-id'])).toEqual([
      `${run.id}:emits`,
      `${run.id}:emits`,
    ]);
    for (const { request, body } of seen) {
      expect(request.headers).toMatchObject({
        'ce-type': 'user.joined',
        'ce-source': '/join/runs',
        'ce-specversion': '1.0',
      });
      expect(JSON.parse(body.toString())).toMatchObject({ email: 'ada@example.com' });
      expect(
        verifyWebhookSignature({
          id: request.headers['webhook-id'] as string,
          timestamp: request.headers['webhook-timestamp'] as string,
          signature: request.headers['webhook-signature'] as string,
          body,
          keys: parseWebhookSecrets(SECRET),
          now: Date.now(),
        }),
      ).toBe(true);
    }
  });

  test('gets it without a signature where there is no secret, as a broker expects', async () => {
    const url = await start('node', { K_SINK: address() });
    expect((await join(url)).steps.emits?.state).toBe('succeeded');
    expect(seen[0]?.request.headers).not.toHaveProperty('webhook-signature');
  });
});

test('an event that nobody waits for is skipped, and the run succeeds', async () => {
  const alone = await mkdtemp(path.join(tmpdir(), 'alone-'));
  await writeFile(path.join(alone, 'any.schema.json'), FILES['any.schema.json']);
  await writeFile(path.join(alone, 'join.yaml'), FILES['join.yaml']);
  host = await startHost({ file: files.node, environment: { PIPELINES_DIR: alone } });
  expect(await join(host.url)).toMatchObject({
    state: 'succeeded',
    steps: { emits: { state: 'skipped', reason: 'not_configured', attempts: 0 } },
  });
  await rm(alone, { recursive: true, force: true });
});
