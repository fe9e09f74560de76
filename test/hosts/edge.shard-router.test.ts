/** The shard router in the real workerd beside the same on the node host: each request is answered alike, by the same shard. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { KEYS } from '../shared/shard/peers-keys';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';
import { PEERS_TIMEOUT } from '../support/peers';
import { exchange, type RawAnswer, type RawRequest } from '../support/raw-http';
import { startUpstream } from '../support/upstream';
import { bundleForEdge, provideWorkerd, startWorkerd, type Workerd } from '../support/workerd';

const NAMES = ['a', 'b', 'c', 'd', 'e'];
/** Nobody listens there. */
const DEAD = '127.0.0.1:1';

let servers: http.Server[];
let shards: { name: string; address: string; weight: number }[];

/** Tells who it is and what it was sent. */
const startShard = async (name: string): Promise<http.Server> => {
  const server = http.createServer((request, answer) => {
    const hash = createHash('sha256');
    request.on('data', (part: Buffer) => hash.update(part));
    request.once('end', () => {
      const { method, url, headers } = request;
      const told = Object.fromEntries(
        Object.entries(headers)
          .filter(([field]) => /^(?:shard-|x-|content-|cookie|via)/.test(field))
          // Which of the two hosts it came through is no difference, nor whether that says that there is no body.
          .filter(
            ([field, value]) =>
              field !== 'x-forwarded-host' && !(field === 'content-length' && value === '0'),
          )
          .sort(),
      );
      answer
        .writeHead(url?.startsWith('/missing') ? 404 : 200, {
          'content-type': 'application/json',
          'shard-epoch': '99',
          'x-shard': name,
        })
        .end(JSON.stringify({ shard: name, method, url, told, body: hash.digest('hex') }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
};

beforeAll(async () => {
  await provideWorkerd();
  servers = await Promise.all(NAMES.map(startShard));
  shards = servers.map((server, at) => ({
    name: NAMES[at] as string,
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    weight: at + 1,
  }));
}, PEERS_TIMEOUT);

afterAll(() => {
  for (const server of servers ?? []) {
    server.closeAllConnections();
    server.close();
  }
});

interface Pair {
  readonly node: HostProcess;
  readonly edge: Workerd;
}

const startPair = async (config: object): Promise<Pair> => {
  const environment = {
    NODE_ENV: 'development',
    SHARD_ROUTER_CONFIG: JSON.stringify({ shards, key: { header: 'x-key' }, ...config }),
  };
  const [node, edge] = await Promise.all([
    startHost({
      file: bundle('deploy/entry/node.ts'),
      environment: { ...environment, FUNCTION_TARGET: 'shard-router' },
    }),
    startWorkerd({ code: bundleForEdge('test/support/probe/edge-shard-router.ts'), environment }),
  ]);
  return { node, edge };
};

const stopPair = async (pair: Pair | undefined): Promise<void> => {
  await pair?.edge.stop();
  await pair?.node.stop('SIGKILL');
};

/** How a connection goes on is each host's own, and so is the time. */
const OWN = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length']);

const comparable = ({ status, headers, body, broken }: RawAnswer) => ({
  status,
  headers: headers
    .filter(([name]) => !OWN.has(name))
    .map(([name, value]) => `${name}: ${value}`)
    .sort(),
  body: body.toString(),
  broken,
});

/** Asks both; they must answer alike. */
const ask = async ({ node, edge }: Pair, request: RawRequest): Promise<RawAnswer> => {
  const headers = [['x-request-id', 'pair-1'] as const, ...(request.headers ?? [])];
  const [here, there] = await Promise.all([
    exchange(node.port, { ...request, headers }),
    exchange(edge.port, { ...request, headers }),
  ]);
  expect([request.path, request.headers, comparable(there)]).toEqual([
    request.path,
    request.headers,
    comparable(here),
  ]);
  return there;
};

const shardOf = ({ body }: RawAnswer): string => JSON.parse(body.toString()).shard;
const codeOf = ({ status, body }: RawAnswer) => [status, JSON.parse(body.toString()).code];

/** The keys that a field can hold, in bytes that are UTF-8. */
const FIELD_KEYS = KEYS.filter((_, at) => at % 5 === 0).map((key) =>
  Buffer.from(key).toString('latin1'),
);

describe.each<[string, object]>([
  ['native', { mode: 'native' }],
  ['nginx-consistent', { mode: 'nginx-consistent' }],
  ['nginx-hash', { mode: 'nginx-hash' }],
  ['twemproxy-ketama', { mode: 'twemproxy-ketama', hash: 'murmur', hashTag: '{}' }],
  ['envoy-maglev', { mode: 'envoy-maglev' }],
  ['haproxy-consistent', { mode: 'haproxy-consistent' }],
])('mode %s', (_mode, config) => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await startPair(config);
  });
  afterAll(() => stopPair(pair));

  test('sends each key to the same shard, with the same fence, in front of the same bytes', async () => {
    const owners = new Set<string>();
    for (const key of FIELD_KEYS) {
      const answer = await ask(pair, { path: '/users/7?a=%20b', headers: [['x-key', key]] });
      expect(answer.status).toBe(200);
      owners.add(shardOf(answer));
    }
    expect(owners.size).toBe(NAMES.length);
    const { told } = JSON.parse(
      (await ask(pair, { path: '/', headers: [['x-key', 'k']] })).body.toString(),
    );
    expect(told).toMatchObject({ 'shard-epoch': '0', 'shard-role': 'owner' });
    expect(told['shard-digest']).toMatch(/^[0-9a-f]{16}$/);
  });

  test('tells owners, reasons and the table alike', async () => {
    for (const key of KEYS.filter((_, at) => at % 50 === 0)) {
      const query = `key=${encodeURIComponent(key)}`;
      const path = '/shard-router/owner';
      expect((await ask(pair, { path: `${path}?${query}` })).status).toBe(200);
      expect((await ask(pair, { path: `${path}/explain?${query}` })).status).toBe(200);
    }
  });
});

describe('what a client may send', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await startPair({
      mode: 'native',
      key: {
        first: [
          { header: 'x-key' },
          { body: '/user/id' },
          { query: 'user' },
          { path: '^/u/([^/]+)' },
          { cookie: 'user' },
        ],
      },
    });
  });
  afterAll(() => stopPair(pair));

  const post = (body: string | Buffer, ...headers: (readonly [string, string])[]): RawRequest => ({
    method: 'POST',
    path: '/in',
    headers: [
      ['content-type', 'application/json'],
      ['content-length', String(Buffer.byteLength(body))],
      ...headers,
    ],
    body,
  });

  test.each<[string, RawRequest, number]>([
    ['a field', { path: '/', headers: [['x-key', 'k']] }, 200],
    [
      'a field of a forger',
      {
        path: '/',
        headers: [
          ['x-key', 'k'],
          ['shard-role', 'next'],
          ['shard-epoch', '7'],
        ],
      },
      200,
    ],
    ['a JSON body', post('{ "user": { "id": "ü-7" }, "x": [1, 2.50] }'), 200],
    [
      'a JSON body in gzip',
      post(zlib.gzipSync('{"user":{"id":12345}}'), ['content-encoding', 'gzip']),
      200,
    ],
    ['a JSON body without a key', post('{"user":{}}'), 400],
    ['a broken JSON body', post('{"user":'), 400],
    ['a JSON body beyond 64 KiB', post(JSON.stringify({ user: { id: 'x'.repeat(66_000) } })), 413],
    [
      'a body of another type',
      {
        ...post('{"user":{"id":"1"}}'),
        headers: [
          ['content-type', 'text/plain'],
          ['content-length', '19'],
        ],
      },
      400,
    ],
    ['a query', { path: '/?user=a%20b%2Fc&user=2' }, 200],
    ['a path', { path: '/u/a%2Fb/rest?x=1' }, 200],
    ['a cookie', { path: '/', headers: [['cookie', 'a=1; user=7; b=2']] }, 200],
    [
      'a large streamed body',
      {
        method: 'PUT',
        path: '/in?user=7',
        headers: [['content-length', '300000']],
        body: Buffer.alloc(300_000, 3),
      },
      200,
    ],
    ['DELETE', { method: 'DELETE', path: '/u/7' }, 200],
    ['HEAD', { method: 'HEAD', path: '/u/7' }, 200],
    ['an answer that is a refusal', { path: '/missing?user=1' }, 404],
    ['nothing', { path: '/' }, 400],
  ])('%s', async (_name, request, status) => {
    expect((await ask(pair, request)).status).toBe(status);
  });
});

describe('settings', () => {
  const withPair = async (config: object, act: (pair: Pair) => Promise<void>): Promise<void> => {
    const pair = await startPair(config);
    try {
      await act(pair);
    } finally {
      await stopPair(pair);
    }
  };
  const keyed = (key: string, more: Partial<RawRequest> = {}): RawRequest => ({
    path: '/x?y',
    headers: [['x-key', key]],
    ...more,
  });

  test('a redirect is the same', () =>
    withPair({ mode: 'native', answer: 'redirect' }, async (pair) => {
      const answer = await ask(pair, keyed('k'));
      expect(answer.status).toBe(307);
      expect(new Map(answer.headers).get('location')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/x\?y$/);
    }));

  test('a lookup is the same', () =>
    withPair({ mode: 'jump', answer: 'lookup', ttl: '1m' }, async (pair) => {
      for (const key of FIELD_KEYS.slice(0, 40)) await ask(pair, keyed(key));
    }));

  test.each<[string, object, (answer: RawAnswer) => void]>([
    ['fixed', { fixed: 'd' }, (answer) => expect(shardOf(answer)).toBe('d')],
    ['fallback', { fallback: 'nobody' }, (answer) => expect(answer.status).toBe(200)],
  ])('a missing key is treated alike: %s', (_name, missing, check) =>
    withPair({ mode: 'native', missing }, async (pair) => check(await ask(pair, { path: '/' }))),
  );

  test('a dead shard is 502, its circuit 503 with Retry-After, and the others go on', () =>
    withPair(
      {
        mode: 'lookup',
        table: { gone: 'gone', here: 'a' },
        shards: [...shards, { name: 'gone', address: DEAD }],
        health: { failures: 2, open: '30s' },
      },
      async (pair) => {
        const post = (key: string) => keyed(key, { method: 'POST', body: 'x' });
        // Here nobody can tell that nothing was sent, so it is not for the router to say that it may be tried again.
        for (let i = 0; i < 2; i += 1)
          expect(codeOf(await exchange(pair.edge.port, post('gone')))).toEqual([
            502,
            'upstream_unreachable',
          ]);
        const refused = await exchange(pair.edge.port, post('gone'));
        expect(codeOf(refused)).toEqual([503, 'shard_unavailable']);
        expect(codeOf(await exchange(pair.edge.port, keyed('gone')))[0]).toBe(503);
        expect(Number(new Map(refused.headers).get('retry-after'))).toBeGreaterThan(0);
        expect(shardOf(await ask(pair, post('here')))).toBe('a');
      },
    ));

  test('where the next may stand in, it does, and all other keys stay', () =>
    withPair(
      {
        mode: 'native',
        onDown: 'next',
        shards: [...shards, { name: 'gone', address: DEAD, weight: 5 }],
        health: { failures: 1, open: '30s' },
      },
      async (pair) => {
        let stood = 0;
        for (const key of FIELD_KEYS.slice(0, 100)) {
          const answer = await ask(pair, keyed(key));
          expect(answer.status).toBe(200);
          if (JSON.parse(answer.body.toString()).told['shard-role'] === 'next') stood += 1;
        }
        expect(stood).toBeGreaterThan(5);
      },
    ));

  test('a shard is reached by a service binding, at the address that the table has for it', async () => {
    const named = shards.map((shard, at) => ({ ...shard, address: `shard-${at}.internal:80` }));
    const config = JSON.stringify({ mode: 'native', shards: named, key: { header: 'x-key' } });
    const worker = await startWorkerd({
      code: bundleForEdge('test/support/probe/edge-shard-router.ts'),
      environment: {
        SHARD_ROUTER_CONFIG: config,
        EDGE_BINDINGS: named.map((_, at) => `http://shard-${at}.internal=SHARD_${at}`).join(),
      },
      services: Object.fromEntries(shards.map(({ address }, at) => [`SHARD_${at}`, address])),
      network: [],
    });
    try {
      const owners = new Set<string>();
      for (const key of FIELD_KEYS.slice(0, 60)) {
        const answer = await exchange(worker.port, keyed(key));
        expect(answer.status).toBe(200);
        owners.add(shardOf(answer));
      }
      expect([...owners].sort()).toEqual(NAMES);
    } finally {
      await worker.stop();
    }
  });

  test('a stream ends for its age, whether or not those that began before are still there', async () => {
    const upstream = await startUpstream();
    const worker = await startWorkerd({
      code: bundleForEdge('test/support/probe/edge-shard-router.ts'),
      environment: {
        SHARD_ROUTER_CONFIG: JSON.stringify({
          mode: 'native',
          key: { header: 'x-key' },
          shards: [{ name: 'a', address: upstream.address }],
          streams: { maxAge: '1s', retry: '7s' },
        }),
      },
    });
    const open = async () => {
      const request = http.get({
        host: '127.0.0.1',
        port: worker.port,
        path: '/events',
        headers: { 'x-key': 'k' },
        agent: false,
      });
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      response.on('error', () => {});
      return response;
    };
    const textOf = async (response: http.IncomingMessage): Promise<string> => {
      let text = '';
      for await (const part of response) text += part;
      return text;
    };
    try {
      const first = await open();
      const second = await open();
      const third = open().then(textOf);
      first.destroy();
      expect(await textOf(second)).toMatch(/^(data: \d+\n\n)+retry: 7000\n$/);
      expect(await third).toMatch(/retry: 7000\n$/);
      expect(await textOf(await open())).toMatch(/retry: 7000\n$/);
    } finally {
      await worker.stop();
      await upstream.stop();
    }
  });

  test('members that only another host can know are refused at start', async () => {
    for (const members of [
      { from: 'file', path: './members.json' },
      { from: 'dns', name: 'shards.internal' },
      { from: 'store' },
    ]) {
      const worker = await startWorkerd({
        code: bundleForEdge('test/support/probe/edge-shard-router.ts'),
        environment: {
          SHARD_ROUTER_CONFIG: JSON.stringify({
            mode: 'native',
            key: { header: 'x-key' },
            members,
          }),
        },
      });
      try {
        expect(codeOf(await exchange(worker.port, { path: '/' }))).toEqual([500, 'internal']);
        const told = worker.lines().filter(({ message }) => message === 'cannot_start');
        expect(told).toHaveLength(1);
        expect(told[0]?.reason).toMatch(/shard-router/);
      } finally {
        await worker.stop();
      }
    }
  });

  test('a configuration with mistakes is told once, with all of them', async () => {
    const worker = await startWorkerd({
      code: bundleForEdge('test/support/probe/edge-shard-router.ts'),
      environment: { SHARD_ROUTER_CONFIG: '{"mode":"nigx","onDown":"up"}' },
    });
    try {
      expect((await exchange(worker.port, { path: '/' })).status).toBe(500);
      expect((await exchange(worker.port, { path: '/x' })).status).toBe(500);
      const [told, ...more] = worker.lines().filter(({ message }) => message === 'cannot_start');
      expect(more).toEqual([]);
      for (const pointer of ['/mode', '/key', '/onDown']) expect(told?.reason).toContain(pointer);
    } finally {
      await worker.stop();
    }
  });
});

test('the bundle makes no code of text, uses no WASM, and imports nothing', () => {
  const code = bundleForEdge('test/support/probe/edge-shard-router.ts');
  const text = code.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  expect(text).not.toMatch(/\beval\s*\(|\bnew Function\b|\bWebAssembly\b|\brequire\s*\(/);
  expect(text).not.toMatch(/^\s*import\b|\bimport\s*\(/m);
  expect(text).not.toMatch(/["']node:/);
});
