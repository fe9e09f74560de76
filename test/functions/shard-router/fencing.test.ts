/** Router and shards with tables of different times: whoever is behind finds out by the fence, and nobody else executes. */
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { request } from 'undici';
import type { ShardTable } from '../../../shared/shard/table';
import {
  keyOf,
  type Pair,
  type PairOptions,
  type ShardName,
  startPair,
} from '../../support/shard-pair';

let pair: Pair;

afterEach(() => pair.stop());

const start = async (options: PairOptions = {}): Promise<void> => {
  pair = await startPair(options);
};

const fence = ({ epoch, digest }: ShardTable, role = 'owner') => ({
  'shard-epoch': `${epoch}`,
  'shard-digest': digest,
  'shard-role': role,
});

/** The shard reads its file: somebody claims to have this table. */
const hear = async (name: ShardName, table: ShardTable): Promise<void> => {
  const { url } = pair.shards[name];
  await fetch(url, { headers: { 'x-key': 'nobody-looks', ...fence(table) } });
  pair.executed.length = 0;
};

const post = (key: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  fetch(`${pair.router.url}/orders?id=7`, {
    method: 'POST',
    headers: { 'x-key': key, 'content-type': 'application/json', ...headers },
    body,
  });

/** Of one that has not changed hands: status, code of the problem, and what may not come out. */
const seen = async (response: Response) => {
  const text = await response.text();
  const inside = [...response.headers].filter(([name]) => name.startsWith('shard-'));
  return {
    status: response.status,
    code: response.status === 200 ? undefined : (JSON.parse(text) as { code?: string }).code,
    retryAfter: response.headers.get('retry-after'),
    inside,
    namesAddress: Object.values(pair.shards).some(({ port }) => text.includes(`${port}`)),
  };
};

const UNKNOWN = {
  status: 503,
  code: 'table_unavailable',
  retryAfter: '1',
  inside: [],
  namesAddress: false,
};

const executedBy = () => pair.executed.map(({ shard }) => shard);

/** Before: a and b. Now: b alone, and only a has heard of it. */
const aHasGone = async (told: readonly ('router' | ShardName)[]) => {
  const before = pair.tell([], ['a', 'b'], 1);
  const now = pair.tell(told, ['b'], 2);
  await hear('a', now);
  return { before, now, moved: keyOf([before, 'a'], [now, 'b']) };
};

describe.each(['node', 'functions-framework'])('behind a router on the %s host', (host) => {
  test('a key that has moved reaches its new owner at the second try, with the same body, and the client sees nothing of it', async () => {
    await start({ host });
    const { now, moved } = await aHasGone(['router', 'a', 'b']);
    const body = JSON.stringify({ text: randomBytes(20_000).toString('base64') });
    const response = await post(moved, body);
    expect(await seen(response)).toEqual({
      status: 200,
      code: undefined,
      retryAfter: null,
      inside: [],
      namesAddress: false,
    });
    expect(pair.executed).toHaveLength(1);
    expect(pair.executed[0]).toMatchObject({
      shard: 'b',
      method: 'POST',
      url: '/orders?id=7',
      headers: fence(now),
    });
    expect(`${pair.executed[0]?.body}`).toBe(body);
  });
});

describe('a router that is behind', () => {
  test('and cannot learn better answers 503 with Retry-After, and nobody executes', async () => {
    await start();
    const { before, moved } = await aHasGone(['a', 'b']);
    for (let i = 0; i < 3; i += 1) expect(await seen(await post(moved, '{}'))).toEqual(UNKNOWN);
    expect(executedBy()).toEqual([]);
    expect((await post(keyOf([before, 'b']), '{}')).status).toBe(200);
  });

  test('sends no body twice that it has not kept, but has learnt for the next', async () => {
    await start();
    const { moved } = await aHasGone(['router', 'a', 'b']);
    const large = randomBytes(200_000);
    expect(await seen(await post(moved, large))).toEqual(UNKNOWN);
    expect(executedBy()).toEqual([]);
    expect((await post(moved, large)).status).toBe(200);
    expect(executedBy()).toEqual(['b']);
    expect(pair.executed[0]?.body.equals(large)).toBe(true);
  });
});

describe('a shard that is behind', () => {
  test('learns from the fence of the first request that a newer router sends it', async () => {
    await start();
    const now = pair.tell(['a', 'b'], ['b'], 2);
    const before = pair.tell([], ['a', 'b'], 1);
    const won = keyOf([before, 'a'], [now, 'b']);
    // By its own table this is another's.
    expect((await fetch(pair.shards.b.url, { headers: { 'x-key': won } })).status).toBe(421);
    const response = await fetch(pair.shards.b.url, { headers: { 'x-key': won, ...fence(now) } });
    expect(response.status).toBe(200);
    expect(pair.executed[0]).toMatchObject({ shard: 'b', headers: fence(now) });
  });

  test('and cannot learn better executes nothing that it does not own by what it knows', async () => {
    await start();
    const now = pair.tell(['router'], ['b'], 2);
    const before = pair.tell([], ['a', 'b'], 1);
    const won = keyOf([before, 'a'], [now, 'b']);
    // The router sends it to a, which owns it by the table that both of them have; then it hears of the next.
    expect((await post(won, '{}')).status).toBe(200);
    pair.tell(['a'], ['b'], 2);
    await hear('a', now);
    expect(await seen(await post(won, '{}'))).toEqual(UNKNOWN);
    expect(executedBy()).toEqual([]);
  });
});

describe('who comes past the router', () => {
  test('gets what the shard owns, and 421 with its epoch and digest for all else', async () => {
    await start();
    const table = pair.tell([], ['a', 'b'], 1);
    const direct = (key: string) => fetch(pair.shards.a.url, { headers: { 'x-key': key } });
    expect((await direct(keyOf([table, 'a']))).status).toBe(200);
    const refused = await direct(keyOf([table, 'b']));
    expect([refused.status, refused.headers.get('content-type')]).toEqual([
      421,
      'application/problem+json',
    ]);
    expect(refused.headers.get('shard-epoch')).toBe('1');
    expect(refused.headers.get('shard-digest')).toBe(table.digest);
    expect(await refused.json()).toMatchObject({ status: 421, code: 'misdirected' });
    expect(executedBy()).toEqual(['a']);
  });
});

describe('what a client says of the table', () => {
  test('is replaced by what the router knows, and what the shard finds', async () => {
    await start();
    const table = pair.tell([], ['a', 'b'], 1);
    const forged = { 'shard-epoch': '99', 'Shard-Digest': 'f'.repeat(16), 'shard-role': 'next' };
    expect((await post(keyOf([table, 'a']), '{}', forged)).status).toBe(200);
    expect(pair.executed[0]).toMatchObject({ shard: 'a', headers: fence(table) });
  });

  test('is not told back: neither the shard’s fields nor an application’s that look like them', async () => {
    await start({
      answer: (outgoing) =>
        outgoing.writeHead(200, { 'shard-epoch': '5', 'shard-digest': 'x', 'x-own': '1' }).end(),
    });
    const table = pair.tell([], ['a', 'b'], 1);
    const response = await post(keyOf([table, 'a']), '{}');
    expect(response.headers.get('x-own')).toBe('1');
    expect((await seen(response)).inside).toEqual([]);
  });

  test('an application’s own 421 is its client’s to read, and nothing is sent again', async () => {
    await start({ answer: (outgoing) => outgoing.writeHead(421).end('{"code":"own"}') });
    const table = pair.tell([], ['a', 'b'], 1);
    // Not by fetch, which itself sends again what was answered 421.
    const { statusCode, body } = await request(pair.router.url, {
      headers: { 'x-key': keyOf([table, 'b']) },
    });
    expect([statusCode, await body.text()]).toEqual([421, '{"code":"own"}']);
    expect(executedBy()).toEqual(['b']);
  });
});

describe('router and shards find the same key', () => {
  test('in a body, which reaches the shard as it came, compressed or not', async () => {
    await start({ config: { key: { body: '/user/id' } } });
    const table = pair.tell([], ['a', 'b'], 1);
    for (const [i, name] of (['a', 'b'] as const).entries()) {
      const id = keyOf([table, name]);
      const plain = `{ "user" : {"id":"${id}", "big": 12345678901234567890 } }`;
      expect((await post('', plain)).status).toBe(200);
      const zipped = gzipSync(plain);
      expect((await post('', zipped, { 'content-encoding': 'gzip' })).status).toBe(200);
      const [first, second] = pair.executed.slice(2 * i);
      expect([first?.shard, `${first?.body}`]).toEqual([name, plain]);
      expect([second?.shard, second?.headers['content-encoding']]).toEqual([name, 'gzip']);
      expect(second?.body.equals(zipped)).toBe(true);
    }
  });

  test('in a cookie that the router has minted a moment ago', async () => {
    await start({ config: { key: { cookie: 'sid', mint: true } } });
    for (let i = 0; i < 8; i += 1) {
      const response = await fetch(`${pair.router.url}/`);
      expect(response.status).toBe(200);
      const [cookie = ''] = (response.headers.get('set-cookie') ?? '').split(';');
      expect(pair.executed.at(-1)?.headers.cookie).toBe(cookie);
      const again = await fetch(`${pair.router.url}/`, { headers: { cookie } });
      expect(again.status).toBe(200);
      const [first, second] = pair.executed.slice(-2);
      expect(second?.shard).toBe(first?.shard);
    }
  });

  test.each<[string, unknown]>([
    ['spread', 'spread'],
    ['fixed', { fixed: 'b' }],
    ['fallback', { fallback: 'nobody' }],
  ])('nor do they part over a request that has none: %s', async (_, missing) => {
    await start({ config: { key: { header: 'x-key' }, missing } });
    for (let i = 0; i < 8; i += 1) expect((await fetch(pair.router.url)).status).toBe(200);
  });
});

describe('a shard that stands in for another', () => {
  const config = { key: { header: 'x-key' }, onDown: 'next' };
  const askForB = async (roles: PairOptions['roles']) => {
    await start({ config, ...(roles !== undefined && { roles }) });
    const table = pair.tell([], ['a', 'b'], 1);
    await pair.shards.b.stop('SIGKILL');
    return post(keyOf([table, 'b']), '{}');
  };

  test('does so where it was told to, and the application is told so', async () => {
    expect((await askForB('next')).status).toBe(200);
    expect(pair.executed).toMatchObject([{ shard: 'a', headers: { 'shard-role': 'next' } }]);
  });

  test('does not where nobody has told it to, whatever the router thinks', async () => {
    expect([502, 503]).toContain((await askForB(undefined)).status);
    expect(executedBy()).toEqual([]);
  });
});
