/** Hosts, servers and members of a cluster that are killed without warning, with runs in the middle of everything. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../../../shared/clock';
import { restateEngine } from '../../../../shared/pipeline/engines/restate/engine';
import { systemRandom } from '../../../../shared/random';
import { type Child, startChild } from '../../../support/child';
import { testContext } from '../../../support/invoke';
import {
  freePort,
  loadPeer,
  RESTATE_NODE_PATH,
  type RestateServer,
  startCluster,
  startRestate,
} from '../../../support/restate';
import { now, pipelineOf, TRACEPARENT } from './lab';

const RUNS = 60;
const pipeline = pipelineOf({
  one: {},
  two: { after: ['one'] },
  slow: { after: ['one'] },
  flaky: { after: ['one'] },
  last: { after: ['two', 'slow', 'flaky'] },
});

/** Keys in the order of their deliveries. */
let delivered: string[] = [];
let open = 0;
let receiver: Server;
const children = new Set<Child>();
let servers: readonly RestateServer[] = [];

beforeEach(async () => {
  delivered = [];
  receiver = createServer((request, response) => {
    let key = '';
    request.on('data', (chunk) => {
      key += chunk;
    });
    request.on('end', () => {
      delivered.push(key);
      open += 1;
      const ms = key.includes(':slow#') ? 120 : 15;
      setTimeout(() => {
        open -= 1;
        response.writeHead(key.endsWith(':flaky#1') ? 503 : 200).end();
      }, ms);
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
});

afterEach(async () => {
  for (const child of children) {
    child.kill();
    await child.ended;
  }
  children.clear();
  await Promise.all(servers.map((server) => server.stop()));
  servers = [];
  receiver.closeAllConnections();
  receiver.close();
});

const host = async (server: RestateServer, port: number): Promise<Child> => {
  const { ingressUrl, adminUrl } = server;
  const options = {
    ingressUrl,
    adminUrl,
    port,
    pipeline,
    receiver: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`,
  };
  const child = await startChild(
    'test/shared/pipeline/engines/restate-child.ts',
    [JSON.stringify(options)],
    { env: { NODE_PATH: RESTATE_NODE_PATH }, timeout: 120_000 },
  );
  children.add(child);
  expect(await child.line()).toBe('ready');
  return child;
};

/** Starts and reads runs, and carries none through. */
const client = ({ ingressUrl, adminUrl }: RestateServer) => {
  const engine = restateEngine({
    ingressUrl,
    adminUrl,
    ownUrl: () => '',
    createAttempt: () => () => Promise.reject(new Error('this is no host')),
    isConfigured: () => true,
    clock: systemClock,
    random: systemRandom,
    log: testContext().log,
    load: loadPeer,
    startTimeout: 500,
  });
  engine.register(pipeline);
  return engine;
};

const startAll = async (engine: ReturnType<typeof client>): Promise<readonly string[]> =>
  Promise.all(
    Array.from({ length: RUNS }, async (_, i) => {
      const started = await engine.start(pipeline.name, { i }, { traceparent: TRACEPARENT });
      if (started === 'mismatch') throw new Error('there is no key');
      return started.run.id;
    }),
  );

const EXPECTED = ['one#1', 'two#1', 'slow#1', 'flaky#1', 'flaky#2', 'last#1'];

const allEnded = async (engine: ReturnType<typeof client>, ids: readonly string[]) => {
  const runs = await Promise.all(
    ids.map((id) => engine.settled(pipeline.name, id, AbortSignal.timeout(60_000))),
  );
  expect(runs.map((run) => run?.state)).toEqual(ids.map(() => 'succeeded'));
  expect(runs.map((run) => run?.steps.flaky?.attempts)).toEqual(ids.map(() => 2));
  expect([...new Set(delivered)].sort()).toEqual(
    ids.flatMap((id) => EXPECTED.map((activity) => `${id}:${activity}`)).sort(),
  );
};

/** How often each key was delivered more than once, in all. */
const repeats = (): number => delivered.length - new Set(delivered).size;

const query = async <Row>({ adminUrl }: RestateServer, sql: string): Promise<readonly Row[]> => {
  const answer = await fetch(`${adminUrl}/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query: sql }),
  });
  return ((await answer.json()) as { rows: Row[] }).rows;
};

/** Of attempts whose end is recorded: from the state, as it stands at the server. */
const recorded = async (server: RestateServer): Promise<ReadonlySet<string>> => {
  const rows = await query<{ service_key: string; value_utf8: string }>(
    server,
    "SELECT service_key, value_utf8 FROM state WHERE key = 'snapshot'",
  );
  return new Set(
    rows.flatMap(({ service_key: id, value_utf8: text }) => {
      const { results } = JSON.parse(text).progress as {
        results: Record<string, { state: string; attempts: number; nextAttemptAt?: string }>;
      };
      return Object.entries(results).flatMap(([step, { state, attempts, nextAttemptAt }]) => {
        const done = state === 'succeeded' || nextAttemptAt !== undefined ? attempts : attempts - 1;
        return Array.from({ length: Math.max(done, 0) }, (_, i) => `${id}:${step}#${i + 1}`);
      });
    }),
  );
};

const busy = async (share: number): Promise<void> => {
  while (delivered.length < RUNS * EXPECTED.length * share)
    await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('nothing that was accepted is lost, and what is recorded is not done again', () => {
  test('when the host is killed, three times', async () => {
    const server = await startRestate();
    servers = [server];
    const port = await freePort();
    let child = await host(server, port);
    const engine = client(server);
    const ids = await startAll(engine);
    for (const share of [0.15, 0.4, 0.7]) {
      await busy(share);
      child.kill();
      await child.ended;
      children.delete(child);
      const known = await recorded(server);
      const before = delivered.length;
      child = await host(server, port);
      await busy(share + 0.1);
      expect(delivered.slice(before).filter((key) => known.has(key))).toEqual([]);
    }
    await allEnded(engine, ids);
    expect(repeats()).toBeGreaterThan(0);
    await engine.close(now());
  }, 120_000);

  test('when the server is killed', async () => {
    const server = await startRestate();
    servers = [server];
    await host(server, await freePort());
    const engine = client(server);
    const ids = await startAll(engine);
    await busy(0.3);
    await server.kill();
    await server.start();
    await allEnded(engine, ids);
    await engine.close(now());
  }, 120_000);

  test('when both are killed', async () => {
    const server = await startRestate();
    servers = [server];
    const port = await freePort();
    const child = await host(server, port);
    const engine = client(server);
    const ids = await startAll(engine);
    await busy(0.3);
    child.kill();
    await Promise.all([server.kill(), child.ended]);
    children.delete(child);
    await server.start();
    await host(server, port);
    await allEnded(engine, ids);
    await engine.close(now());
  }, 120_000);

  test('when its invocation was killed at the server', async () => {
    const server = await startRestate();
    servers = [server];
    const port = await freePort();
    let child = await host(server, port);
    const engine = client(server);
    const ids = await startAll(engine);
    await busy(0.3);
    const open = await query<{ id: string }>(
      server,
      "SELECT id FROM sys_invocation WHERE target_handler_name = 'carry' AND status <> 'completed'",
    );
    expect(open.length).toBeGreaterThan(0);
    await Promise.all(
      open.map(({ id }) => fetch(`${server.adminUrl}/invocations/${id}/kill`, { method: 'PATCH' })),
    );
    child.kill();
    await child.ended;
    children.delete(child);
    child = await host(server, port);
    await allEnded(engine, ids);
    await engine.close(now());
  }, 120_000);

  test('when one of three members of a cluster is killed', async () => {
    servers = await startCluster();
    const [first, second] = servers as [RestateServer, RestateServer];
    await host(second, await freePort());
    const engine = client(second);
    const ids = await startAll(engine);
    await busy(0.3);
    await first.kill();
    const later = await startAll(engine);
    await allEnded(engine, [...ids, ...later]);
    await engine.close(now());
  }, 180_000);

  test('when one of three members of a cluster is killed: what was accepted is there for all at once', async () => {
    servers = await startCluster();
    const [first, second, third] = servers as [RestateServer, RestateServer, RestateServer];
    await host(second, await freePort());
    const [engine, other] = [client(second), client(third)];
    const lost: string[] = [];
    let left = 400;
    /** With a key: what that leads to goes another way through the cluster. */
    const startOne = async (idempotencyKey: string): Promise<string> => {
      for (;;)
        try {
          const options = { idempotencyKey, traceparent: TRACEPARENT };
          const started = await engine.start(pipeline.name, {}, options);
          if (started === 'mismatch') throw new Error('the input is always the same');
          return started.run.id;
        } catch {
          // Nothing could be recorded while nobody leads.
        }
    };
    const startMany = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const id = await startOne(`key ${left}`);
        for (let tries = 3; tries > 0; tries -= 1) {
          const found = await other.find(pipeline.name, id).catch(() => 'nobody leads');
          if (!found) lost.push(id);
          if (found !== 'nobody leads') break;
        }
      }
    };
    const starting = Promise.all(Array.from({ length: 15 }, startMany));
    while (left > 300) await new Promise((resolve) => setTimeout(resolve, 5));
    await first.kill();
    await starting;
    expect(lost).toEqual([]);
    await engine.close(now());
    await other.close(now());
  }, 180_000);

  test('when the host is told to stop: what is under way ends, and is not done again', async () => {
    const server = await startRestate();
    servers = [server];
    const port = await freePort();
    const child = await host(server, port);
    const engine = client(server);
    const ids = await startAll(engine);
    await busy(0.3);
    child.kill('SIGTERM');
    expect(await child.ended).toMatchObject({ code: 0 });
    children.delete(child);
    expect(open).toBe(0);
    await host(server, port);
    await allEnded(engine, ids);
    expect(repeats()).toBe(0);
    await engine.close(now());
  }, 120_000);
});

test('a run is accepted without any host, and found as soon as one is there, before it begins', async () => {
  const server = await startRestate();
  servers = [server];
  const port = await freePort();
  const child = await host(server, port);
  child.kill();
  await child.ended;
  children.delete(child);
  const engine = client(server);
  const ids = await startAll(engine);
  const found = Promise.all(ids.map((id) => engine.find(pipeline.name, id)));
  await host(server, port);
  expect((await found).map((run) => run?.id)).toEqual(ids);
  await allEnded(engine, ids);
  await engine.close(now());
}, 120_000);

test('without a server nothing is accepted, and a host does not start', async () => {
  const server = await startRestate();
  servers = [server];
  const engine = client(server);
  await server.kill();
  await expect(engine.start(pipeline.name, {}, { traceparent: TRACEPARENT })).rejects.toMatchObject(
    {
      code: 'engine_unavailable',
    },
  );
  await expect(engine.find(pipeline.name, 'unknown')).rejects.toMatchObject({
    code: 'engine_unavailable',
  });
  // What is no id is looked for nowhere.
  expect(await engine.find(pipeline.name, '../health')).toBeUndefined();
  await expect(engine.open()).rejects.toMatchObject({ code: 'engine_unavailable' });
  await engine.close(now());
}, 60_000);
