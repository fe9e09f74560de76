/** The restate engine request by request, below a path of a host; and who may call there. */
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { AttemptOutcome } from '../../../../shared/pipeline/attempt';
import { loadFrom } from '../../../../shared/pipeline/engines/restate/sdk';
import { type RestateServer, startRestate } from '../../../support/restate';
import { DELIVERED, pipelineOf } from './lab';
import { createRestateLab, type RestateLab, type RestateLabOptions } from './restate-lab';

const pair = generateKeyPairSync('ed25519');
let server: RestateServer;
let labs: RestateLab[] = [];
let hosts: Server[] = [];
let count = 0;

beforeAll(async () => {
  server = await startRestate({
    identityKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  });
}, 120_000);
afterAll(() => server?.stop());
afterEach(async () => {
  await Promise.all(labs.map((lab) => lab.close()));
  for (const host of hosts) host.closeAllConnections();
  for (const host of hosts) host.close();
  labs = [];
  hosts = [];
});

interface HostedOptions extends Omit<RestateLabOptions, 'server'> {
  /** Whether the body is read before, as some hosts do. @default false */
  readonly collect?: boolean;
  /** The host that was another engine's. @default a new one */
  readonly host?: Host;
}

interface Host {
  readonly server: Server;
  readonly url: string;
  engine?: RestateLab['engine'];
}

const createHost = async (collect: boolean): Promise<Host> => {
  const listening = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    if (collect) for await (const part of request) parts.push(part as Buffer);
    const collected = collect ? Buffer.concat(parts) : undefined;
    if (!host.engine?.intercept(request, response, collected)) response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  const host: Host = { server: listening, url: `http://localhost:${port}` };
  hosts.push(listening);
  return host;
};

/** The engine behind a host. */
const open = async ({ collect = false, host: given, ...options }: HostedOptions) => {
  const host = given ?? (await createHost(collect));
  const scope = `hosted-${++count}`;
  const lab = await createRestateLab({ server, scope, ownUrl: () => host.url, ...options });
  host.engine = lab.engine;
  labs.push(lab);
  return { ...lab, host };
};

const again = (after: number): AttemptOutcome => ({
  verdict: 'again',
  error: { code: 'refused', status: 503 },
  at: Date.now() + after,
});
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.each([{ collect: false }, { collect: true }])('request by request, %j', ({ collect }) => {
  test('a run ends as it would with an open connection', async () => {
    const lab = await open({
      collect,
      pipeline: pipelineOf({
        slow: {},
        flaky: {},
        ask: { target: { wait: 'ok' }, timeout: 60_000 },
        last: { after: ['slow', 'flaky', 'ask'] },
      }),
      script: async ({ label }) => {
        if (label === 'slow#1') await pause(500);
        return /^flaky#[12]$/.test(label) ? again(30) : DELIVERED;
      },
    });
    await lab.engine.resume();
    const run = await lab.start({ email: 'ann@example.com' });
    const told = await lab.engine.signal('signup', run.id, 'ask', {});
    expect(told).toMatchObject({ run: { steps: { ask: { state: 'succeeded' } } } });
    const ended = await lab.ended(run);
    expect(ended).toMatchObject({ state: 'succeeded', steps: { flaky: { attempts: 3 } } });
    expect([...lab.labels()].sort()).toEqual(['flaky#1', 'flaky#2', 'flaky#3', 'last#1', 'slow#1']);
    // A short wait does not wait for the slow one beside it.
    const third = lab.calls.find(({ label }) => label === 'flaky#3');
    expect(third?.at).toBeLessThan(Date.parse(ended.steps.slow?.endedAt as string));
  });

  test('a long wait is durable, and the host has nothing open meanwhile', async () => {
    const lab = await open({
      collect,
      pipeline: pipelineOf({ later: {} }),
      script: ({ label }) => (label === 'later#1' ? again(2_500) : DELIVERED),
    });
    await lab.engine.resume();
    const run = await lab.start();
    await lab.until(async () => (await lab.find(run)).steps.later?.nextAttemptAt !== undefined);
    await pause(500);
    const host = hosts.at(-1) as Server;
    host.closeIdleConnections();
    expect(await new Promise((resolve) => host.getConnections((_, open) => resolve(open)))).toBe(0);
    expect((await lab.ended(run)).state).toBe('succeeded');
    expect(lab.labels()).toEqual(['later#1', 'later#2']);
  });
});

test('runs of a host that is gone go on at the next one, wherever it is', async () => {
  const scope = 'moved';
  const pipeline = pipelineOf({ one: {}, two: { after: ['one'] } });
  const lab = await open({
    scope,
    pipeline,
    script: ({ label }) => (label === 'one#1' ? again(2_500) : DELIVERED),
  });
  await lab.engine.resume();
  const run = await lab.start();
  await lab.until(async () => (await lab.find(run)).steps.one?.nextAttemptAt !== undefined);
  await lab.close();
  labs = [];
  lab.host.server.closeAllConnections();
  lab.host.server.close();
  await pause(3_000);
  const other = await open({ scope, pipeline });
  await other.engine.resume();
  expect((await other.ended(run)).state).toBe('succeeded');
  expect(other.labels()).toEqual(['one#2', 'two#1']);
}, 60_000);

test('a host that stops loses no result of what was under way', async () => {
  const scope = 'stopping';
  const pipeline = pipelineOf({ one: {}, two: {}, next: { after: ['one'] } });
  const lab = await open({ scope, pipeline, script: () => undefined });
  await lab.engine.resume();
  const run = await lab.start();
  await lab.until(() => lab.calls.length === 2);
  const closed = lab.engine.close(new AbortController().signal);
  lab.end('one#1', DELIVERED);
  lab.end('two#1', DELIVERED);
  await closed;
  labs = [];
  const other = await open({ scope, pipeline, host: lab.host });
  await other.engine.resume();
  expect((await other.ended(run)).state).toBe('succeeded');
  expect(other.labels()).toEqual(['next#1']);
}, 60_000);

describe('callers', () => {
  const keyOf = (raw: Buffer): string => `publickeyv1_${base58(raw)}`;
  const publicKey = () =>
    keyOf(pair.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32));

  test('without a key, only the same machine may call', async () => {
    const lab = await open({ pipeline: pipelineOf({ step: {} }) });
    const ask = async (headers: Record<string, string> = {}) =>
      (await fetch(`${lab.host.url}/restate/discover`, { headers })).status;
    expect(await ask()).not.toBe(403);
    expect(await ask({ 'x-forwarded-for': '127.0.0.1' })).toBe(403);
    expect(await ask({ forwarded: 'for=127.0.0.1' })).toBe(403);
  });

  test('with a key, only the server that has it', async () => {
    const lab = await open({ pipeline: pipelineOf({ step: {} }), identityKeys: [publicKey()] });
    const discover = await fetch(`${lab.host.url}/restate/discover`);
    expect(discover.status).toBe(401);
    const invoke = await fetch(`${lab.host.url}/restate/invoke/faas-runs/carry`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.restate.invocation.v5' },
      body: 'anything',
    });
    expect(invoke.status).toBe(401);
    await lab.engine.resume();
    expect((await lab.ended(await lab.start())).state).toBe('succeeded');
  });

  test('a server with another key is refused', async () => {
    const other = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' });
    const lab = await open({
      pipeline: pipelineOf({ step: {} }),
      identityKeys: [keyOf(other.subarray(-32))],
      startTimeout: 1_000,
    });
    await expect(lab.engine.resume()).rejects.toMatchObject({ code: 'engine_unavailable' });
  });

  test('other paths are not its own', async () => {
    const lab = await open({ pipeline: pipelineOf({ step: {} }) });
    for (const other of ['/', '/restated', '/signup/restate', '/RESTATE/discover'])
      expect((await fetch(lab.host.url + other)).status).toBe(404);
  });
});

test('without the SDK it is said how to install it', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'restate-'));
  await expect(loadFrom([folder])()).rejects.toThrow(
    'npm install @restatedev/restate-sdk@~1.17.2 @restatedev/restate-sdk-gen@~1.17.2',
  );
  rmSync(folder, { recursive: true });
});

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

const base58 = (bytes: Buffer): string => {
  let left = BigInt(`0x${bytes.toString('hex')}`);
  let text = '';
  for (; left > 0n; left /= 58n) text = ALPHABET[Number(left % 58n)] + text;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return '1'.repeat(Math.max(zeros, 0)) + text;
};
