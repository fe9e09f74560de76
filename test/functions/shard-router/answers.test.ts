import { describe, expect, test } from '@jest/globals';
import declaration from '../../../functions/shard-router';
import { readConfig } from '../../../shared/config';
import { Failure } from '../../../shared/failure';
import { nodeFiles } from '../../../shared/hosts/node-files';
import { shardTable } from '../../../shared/shard/table';
import type { TopologyInput } from '../../../shared/shard/topology';
import { memoryStore } from '../../../shared/store/memory';
import { type InvokeInit, invoke, testContext } from '../../support/invoke';
import { manualClock } from '../../support/manual-clock';
import { testPlatform } from '../../support/test-platform';
import { CONFIG } from './harness';

const open = (config: object, overrides = {}) => {
  const platform = testPlatform({ files: nodeFiles(__dirname), ...overrides });
  const { config: settings } = readConfig(
    declaration.config,
    { SHARD_ROUTER_CONFIG: JSON.stringify({ ...CONFIG, ...config }) },
    { production: true },
  );
  const routes = declaration.create(settings, platform);
  return {
    platform,
    ask: async (route: keyof typeof routes, path: string, init?: InvokeInit) =>
      invoke(routes[route], path, init),
    asks: async (route: keyof typeof routes, path: string, init?: InvokeInit) => {
      const answer = await invoke(routes[route], path, init);
      return (await answer.json()) as Record<string, unknown>;
    },
  };
};

const failureOf = (work: Promise<unknown>): Promise<Failure> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (thrown: unknown) => {
      if (thrown instanceof Failure) return thrown;
      throw thrown;
    },
  );

const { key: _, ...TOPOLOGY } = CONFIG;
const table = shardTable(TOPOLOGY as TopologyInput);

describe('GET /owner', () => {
  test('tells who owns a key, by which table, and for how long', async () => {
    const { ask, asks } = open({});
    for (const key of ['k', 'a b', 'å😀', '"quoted"', 'a+b&c=d', '\u0000'])
      expect(await asks('GET /owner', `/owner?other=1&key=${encodeURIComponent(key)}`)).toEqual({
        key,
        shard: table.place(key)?.name,
        address: table.place(key)?.address,
        urls: [`http://${table.place(key)?.address}`],
        epoch: 0,
        digest: table.digest,
        ttl: 5,
      });
    const { headers } = await ask('GET /owner', '/owner?key=k');
    expect([
      headers.get('content-type'),
      headers.get('cache-control'),
      headers.get('vary'),
    ]).toEqual(['application/json', 'private, max-age=5', null]);
  });

  test('says by the ttl that is set, in whole seconds', async () => {
    const { ask } = open({ ttl: '90s' });
    const answer = await ask('GET /owner', '/owner?key=k');
    expect(answer.headers.get('cache-control')).toBe('private, max-age=90');
    expect(await answer.json()).toMatchObject({ ttl: 90 });
    const none = await open({ ttl: '0s' }).ask('GET /owner', '/owner?key=k');
    expect(none.headers.get('cache-control')).toBe('no-store');
    expect(await none.json()).toMatchObject({ ttl: 0 });
  });

  test('tells the urls of all replicas', async () => {
    const urls = ['https://a1.test', 'https://a2.test'];
    const { asks } = open({ shards: [{ address: 'a', urls }] });
    expect(await asks('GET /owner', '/owner?key=k')).toMatchObject({ shard: 'a', urls });
  });

  test('tells of a key that decides nothing that it does not', async () => {
    const { asks } = open({ mode: 'lookup', table: { known: 'b' } });
    expect(await asks('GET /owner', '/owner?key=unknown')).toMatchObject({
      key: 'unknown',
      shard: null,
      address: null,
      urls: [],
    });
  });

  test('without a key is 400', async () => {
    const { code, status } = await failureOf(open({}).ask('GET /owner', '/owner?keys=1'));
    expect([code, status]).toEqual(['key_missing', 400]);
  });

  test('keeps the answers of two tables apart', async () => {
    const store = memoryStore({ clock: manualClock() });
    await store.compareAndSwap('shard-router/members', 0, { shards: [{ address: 'x:1' }] });
    const { shards: _, ...rest } = CONFIG;
    const { asks, ask, platform } = open(
      { shards: undefined, ...rest, members: { from: 'store' } },
      { store },
    );
    expect(await asks('GET /owner', '/owner?key=k')).toMatchObject({ shard: 'x:1', epoch: 1 });
    expect(platform.works.length).toBeGreaterThan(0);
    await ask('PUT /owner/table', '/owner/table', {
      method: 'PUT',
      headers: { 'if-match': '"1"' },
      body: { shards: [{ address: 'y:1' }] },
    });
    expect(await asks('GET /owner', '/owner?key=k')).toMatchObject({ shard: 'y:1', epoch: 2 });
  });
});

describe('GET /owner/explain', () => {
  test('says of a key what was hashed, where it fell, who comes next, and how they are', async () => {
    const { asks } = open({ mode: 'nginx-consistent' });
    const nginx = shardTable({ ...TOPOLOGY, mode: 'nginx-consistent' });
    const told = await asks('GET /owner/explain', '/owner/explain?key=%C3%A5');
    expect(told).toMatchObject({
      ...nginx.explain('å'),
      bytes: 'c3a5',
      decided: true,
      urls: [`http://${nginx.place('å')?.address}`],
    });
    expect(told.health).toHaveLength(5);
  });

  test('takes the key of the request itself where none is given', async () => {
    const { asks } = open({ key: { first: [{ header: 'x-key' }, { cookie: 'user' }] } });
    const init = { headers: { cookie: 'user=ada' } };
    expect(await asks('GET /owner/explain', '/owner/explain', init)).toMatchObject({
      key: 'ada',
      source: expect.stringContaining('cookie'),
      shard: table.place('ada')?.name,
    });
  });

  test('says what becomes of a request without a key', async () => {
    expect((await failureOf(open({}).ask('GET /owner/explain', '/owner/explain'))).code).toBe(
      'key_missing',
    );
    expect(
      await open({ missing: 'spread' }).asks('GET /owner/explain', '/owner/explain'),
    ).toMatchObject({ source: null, key: null, shard: null, decided: false });
    const shards = CONFIG.shards.map((one) => ({ ...one, ejected: one.name === 'b' }));
    const spread = open({ missing: 'spread', shards });
    expect(await spread.asks('GET /owner/explain', '/owner/explain')).toMatchObject({
      candidates: ['a', 'c', 'd', 'e'],
    });
    expect(
      await open({ missing: { fixed: 'c' } }).asks('GET /owner/explain', '/owner/explain'),
    ).toMatchObject({ key: null, shard: 'c', candidates: ['c'], decided: true });
    expect(
      await open({ missing: { fallback: 'x' } }).asks('GET /owner/explain', '/owner/explain'),
    ).toMatchObject({ key: 'x', source: 'fallback', shard: table.place('x')?.name });
  });
});

describe('GET /owner/table', () => {
  test('shows the shards, what is odd, and how the servers are', async () => {
    const { ask } = open({ mode: 'twemproxy-ketama', hash: 'crc32' });
    const answer = await ask('GET /owner/table', '/owner/table');
    expect([answer.headers.get('etag'), answer.headers.get('cache-control')]).toEqual([
      '"0"',
      'no-store',
    ]);
    const told = (await answer.json()) as Record<string, unknown[]>;
    expect(told).toMatchObject({ mode: 'twemproxy-ketama', epoch: 0, members: 'static' });
    expect(told.shards).toHaveLength(5);
    expect(told.health?.[0]).toEqual({
      shard: 'a',
      url: 'http://a.test:80',
      state: 'closed',
      failures: 0,
      inFlight: 0,
    });
    expect(told.warnings).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('crc32') }),
    );
  });
});

describe('PUT /owner/table', () => {
  const { shards: _, ...T } = CONFIG;
  const fromStore = () => {
    const clock = manualClock();
    const store = memoryStore({ clock });
    return {
      store,
      ...open({ shards: undefined, ...T, members: { from: 'store' } }, { store, clock }),
    };
  };
  const put = (body: unknown, headers: Record<string, string>): InvokeInit => ({
    method: 'PUT',
    body,
    headers,
  });
  const members = { shards: [{ address: 'x:1' }, { address: 'y:1' }] };

  test('publishes the first members, and then others in their place', async () => {
    const { ask, asks } = fromStore();
    const first = await ask(
      'PUT /owner/table',
      '/owner/table',
      put(members, { 'if-none-match': '*' }),
    );
    expect([first.status, first.headers.get('etag')]).toEqual([200, '"1"']);
    expect(await first.json()).toMatchObject({
      epoch: 1,
      shards: [{ name: 'x:1' }, { name: 'y:1' }],
      health: [{ shard: 'x:1' }, { shard: 'y:1' }],
    });
    const second = await ask(
      'PUT /owner/table',
      '/owner/table',
      put({ shards: [{ address: 'z:1' }] }, { 'if-match': '"1"' }),
    );
    expect([second.status, second.headers.get('etag')]).toEqual([200, '"2"']);
    expect(await asks('GET /owner', '/owner?key=k')).toMatchObject({ shard: 'z:1', epoch: 2 });
  });

  test('writes nothing over what its writer has not seen', async () => {
    const { ask, store } = fromStore();
    const write = (headers: Record<string, string>) =>
      failureOf(
        ask('PUT /owner/table', '/owner/table', put({ shards: [{ address: 'w:1' }] }, headers)),
      );
    expect(await write({ 'if-match': '"1"' })).toMatchObject({
      status: 412,
      code: 'table_changed',
    });
    await ask('PUT /owner/table', '/owner/table', put(members, { 'if-none-match': '*' }));
    const late = await write({ 'if-none-match': '*' });
    expect([late.status, late.headers.etag]).toEqual([412, '"1"']);
    for (const value of ['1', '*', '"x"', 'W/"1"', '"1", "2"'])
      expect([value, (await write({ 'if-match': value })).code]).toEqual([
        value,
        'invalid_request',
      ]);
    expect((await write({})).code).toBe('invalid_request');
    expect((await store.get('shard-router/members'))?.value).toEqual(members);
  });

  test('writes nothing that makes no table, and says all that is wrong', async () => {
    const { ask, store } = fromStore();
    const bad = { shards: [{ address: 'x:1', weight: 0 }, { address: 'x:1' }], color: 'blue' };
    const failure = await failureOf(
      ask('PUT /owner/table', '/owner/table', put(bad, { 'if-none-match': '*' })),
    );
    expect([failure.status, failure.code]).toEqual([400, 'invalid_input']);
    expect(failure.errors.length).toBeGreaterThan(0);
    expect(await store.get('shard-router/members')).toBeUndefined();
  });

  test('is 405 where the members come from elsewhere', async () => {
    const failure = await failureOf(
      open({}).ask('PUT /owner/table', '/owner/table', put(members, { 'if-none-match': '*' })),
    );
    expect([failure.status, failure.headers.allow]).toEqual([405, 'GET, HEAD']);
  });
});

test('without a table nobody is told an owner', async () => {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const { shards: _, ...T } = CONFIG;
  const { ask } = open({ ...T, shards: undefined, members: { from: 'store' } }, { store, clock });
  const context = testContext();
  expect(context.lines).toEqual([]);
  const asked = (['GET /owner', 'GET /owner/explain', 'GET /owner/table', '* /*'] as const).map(
    (route) => failureOf(ask(route, '/x?key=k', { headers: { 'x-key': 'k' } })),
  );
  await clock.advance(60_000);
  for (const failure of await Promise.all(asked))
    expect([failure.code, failure.headers['retry-after']]).toEqual(['table_unavailable', '1']);
});
