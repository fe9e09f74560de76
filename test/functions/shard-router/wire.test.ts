/** What goes over the wire, on both Node hosts: bodies to the byte, fields as they came, and what hostile clients send. */
import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ShardTable, shardTable } from '../../../shared/shard/table';
import { speak } from '../../support/raw-http';
import {
  type HostName,
  header,
  type Lab,
  type ShardProcess,
  shardsOf,
  startRouter,
  startShard,
} from './lab';

const HOSTS: readonly HostName[] = ['node', 'functions-framework'];
const sha256 = (body: string | Uint8Array) => createHash('sha256').update(body).digest('hex');

interface Seen {
  readonly shard: string;
  readonly method: string;
  readonly url: string;
  readonly headers: readonly string[];
  readonly body: string;
}

let shards: ShardProcess[];
let table: ShardTable;
beforeAll(async () => {
  shards = await Promise.all(['a', 'b', 'c'].map((name) => startShard(name)));
  table = shardTable({ mode: 'native', shards: shardsOf(shards) });
});
afterAll(async () => {
  await Promise.all(shards.map((shard) => shard.kill()));
});

const ownerOf = (key: string) => table.place(key)?.name;

describe.each(HOSTS)('on the %s host', (host) => {
  let byHeader: Lab;
  let byBody: Lab;

  beforeAll(async () => {
    byHeader = await startRouter({ shards: shardsOf(shards) }, host);
    byBody = await startRouter(
      {
        shards: shardsOf(shards),
        key: { first: [{ body: '/user/id' }, { query: 'user' }, { header: 'x-key' }] },
        missing: { fixed: 'b' },
      },
      host,
    );
  });
  afterAll(async () => {
    for (const { host: process } of [byHeader, byBody]) {
      expect(process.child.exitCode).toBe(null);
      expect(await process.stop()).toBe(0);
    }
  });

  const seenBy = async (lab: Lab, request: Parameters<Lab['ask']>[0]): Promise<Seen> => {
    const answer = await lab.ask(request);
    expect([answer.status, answer.broken]).toEqual([200, false]);
    return JSON.parse(answer.body.toString());
  };

  const JSON_TYPE = ['content-type', 'application/json'] as const;

  test('a JSON body that was read for its key goes on to the byte', async () => {
    for (const [i, text] of [
      '{"user":{"id":"ada"},"n":1.00}',
      ' {\n"pad":"\\u00e5", "user" : {"id":"grace"} }\r\n',
      `{"user":{"id":"å😀"},"pad":"${'x'.repeat(60_000)}"}`,
      '{"user":{"id":42}}',
    ].entries()) {
      const { user } = JSON.parse(text) as { user: { id: string | number } };
      const seen = await seenBy(byBody, {
        method: 'POST',
        path: `/orders/${i}`,
        headers: [JSON_TYPE],
        body: text,
      });
      expect([seen.shard, seen.body]).toEqual([ownerOf(`${user.id}`), sha256(text)]);
    }
  });

  test('so does one that is compressed, still compressed', async () => {
    const body = gzipSync(`{"user":{"id":"ada"},"pad":"${'y'.repeat(30_000)}"}`);
    const seen = await seenBy(byBody, {
      method: 'POST',
      path: '/',
      headers: [JSON_TYPE, ['content-encoding', 'gzip']],
      body,
    });
    expect([seen.shard, seen.body]).toEqual([ownerOf('ada'), sha256(body)]);
    expect(seen.headers.map((one) => one.toLowerCase())).toEqual(
      expect.arrayContaining(['content-encoding', 'gzip', 'content-length', `${body.length}`]),
    );
  });

  test('one that is too large to look into is 413, however small it was made', async () => {
    const large = `{"user":{"id":"ada"},"pad":"${'x'.repeat(70_000)}"}`;
    for (const [body, more] of [
      [large, []],
      [gzipSync(large), [['content-encoding', 'gzip']]],
    ] as const) {
      const answer = await byBody.ask({
        method: 'POST',
        path: '/',
        headers: [JSON_TYPE, ...more],
        body,
      });
      expect([answer.status, JSON.parse(answer.body.toString()).code]).toEqual([
        413,
        'body_too_large',
      ]);
    }
  });

  test('bodies that nobody looks into have no such limit, and stream', async () => {
    const large = randomBytes(900_000);
    for (const body of [
      large,
      large.subarray(0, 65_536),
      large.subarray(0, 65_537),
      Buffer.alloc(0),
    ])
      expect(
        await seenBy(byHeader, { method: 'PUT', path: '/', headers: [['x-key', 'k']], body }),
      ).toMatchObject({ shard: ownerOf('k'), body: sha256(body) });
    async function* chunks() {
      for (let at = 0; at < large.length; at += 100_000) yield large.subarray(at, at + 100_000);
    }
    expect(
      await seenBy(byHeader, {
        method: 'PUT',
        path: '/',
        headers: [['x-key', 'k']],
        body: chunks(),
      }),
    ).toMatchObject({ body: sha256(large) });
  });

  test('path, query and fields go on as they came, without those that a client has forged', async () => {
    const { digest } = table;
    const seen = await seenBy(byHeader, {
      path: '/a%2Fb//c/%C3%A5?x=%20&&y',
      headers: [
        ['x-key', 'k'],
        ['Shard-Epoch', '999'],
        ['SHARD-DIGEST', 'ffffffffffffffff'],
        ['shard-role', 'spread'],
        ['shard-role', 'next'],
        ['X-Mixed', 'as it is'],
      ],
    });
    expect(seen.url).toBe('/a%2Fb//c/%C3%A5?x=%20&&y');
    const fence = seen.headers.flatMap((name, i) =>
      i % 2 === 0 && /^shard-/i.test(name) ? [[name.toLowerCase(), seen.headers[i + 1]]] : [],
    );
    expect(fence.sort()).toEqual([
      ['shard-digest', digest],
      ['shard-epoch', '0'],
      ['shard-role', 'owner'],
    ]);
    expect(seen.headers).toEqual(expect.arrayContaining(['as it is']));
  });

  test.each([
    '/../../etc/passwd',
    '//evil.test/x',
    '/%2e%2e/x',
    '/x%00y',
    '/;a=b',
    '/%',
    '/shard-router',
    '/shard-router/../owner',
    '/owner/../x',
    '/ownership',
    '/owner/tables',
  ])('the path %s reaches the owner, as a path', async (path) => {
    const answer = await byHeader.ask({ path, headers: [['x-key', 'k']] });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body.toString()).shard).toBe(ownerOf('k'));
  });

  test('keys may be anything that a field can hold', async () => {
    for (const key of ['0', '-', '__proto__', 'constructor', '"', '%00', 'a, b', 'x'.repeat(8_000)])
      expect([key.slice(0, 20), await byHeader.whoHas(key)]).toEqual([
        key.slice(0, 20),
        ownerOf(key),
      ]);
    const answer = await byHeader.ask({ path: '/', headers: [['x-key', 'x'.repeat(20_000)]] });
    expect(answer.status).toBe(431);
  });

  test('of no key, and of an empty one, the policy decides', async () => {
    const none = await byHeader.ask({ path: '/' });
    expect([none.status, JSON.parse(none.body.toString()).code]).toEqual([400, 'key_missing']);
    expect((await seenBy(byBody, { path: '/' })).shard).toBe('b');
  });

  test('a body that is not what it says is refused before anybody is asked', async () => {
    const counts = () => Promise.all(shards.map((shard) => shard.count()));
    const before = await counts();
    for (const [body, code] of [
      ['{"user":', 'invalid_json'],
      ['{"user":{"id":"a","id":"b"}}', 'invalid_json'],
      ['{"__proto__":{"id":"a"}}', 'invalid_json'],
      [`${'['.repeat(5_000)}${']'.repeat(5_000)}`, 'invalid_json'],
    ] as const) {
      const answer = await byBody.ask({ method: 'POST', path: '/', headers: [JSON_TYPE], body });
      expect([answer.status, JSON.parse(answer.body.toString()).code]).toEqual([400, code]);
    }
    expect(await counts()).toEqual(before);
  });

  test('two messages in one connection stay two', async () => {
    const before = await Promise.all(shards.map((shard) => shard.count()));
    const one = (key: string, end = '') =>
      `GET /${key} HTTP/1.1\r\nHost: x\r\nX-Key: ${key}\r\n${end}\r\n`;
    const text = await speak(byHeader.host.port, one('k1') + one('k2', 'Connection: close\r\n'));
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    expect(text).toContain(`"shard":"${ownerOf('k1')}"`);
    expect(text).toContain(`"shard":"${ownerOf('k2')}"`);
    const after = await Promise.all(shards.map((shard) => shard.count()));
    expect(after.reduce((sum, n) => sum + n) - before.reduce((sum, n) => sum + n)).toBe(2);
  });

  test('the answers of shards come as they are, without where they come from', async () => {
    const [shard] = shards as [ShardProcess];
    const key = Array.from({ length: 99 }, (_, i) => `k${i}`).find(
      (one) => ownerOf(one) === 'a',
    ) as string;
    await shard.behave('status 418 x-own=1 shard-epoch=5 shard-digest=0123456789abcdef');
    const answer = await byHeader.ask({ path: '/', headers: [['x-key', key]] });
    await shard.behave('well');
    expect([answer.status, answer.body.toString(), header(answer, 'x-own')]).toEqual([
      418,
      'from a',
      '1',
    ]);
    expect(answer.headers.filter(([name]) => name.startsWith('shard-'))).toEqual([]);
    expect(JSON.stringify(answer.headers)).not.toContain('127.0.0.1');
  });

  test('a shard that says twice that it is another table is 503, and hears twice', async () => {
    const [shard] = shards as [ShardProcess];
    const key = Array.from({ length: 99 }, (_, i) => `k${i}`).find(
      (one) => ownerOf(one) === 'a',
    ) as string;
    await shard.behave('status 421 shard-epoch=5 shard-digest=0123456789abcdef');
    const before = await shard.count();
    const answer = await byHeader.ask({ path: '/', headers: [['x-key', key]] });
    expect([answer.status, JSON.parse(answer.body.toString()).code]).toEqual([
      503,
      'table_unavailable',
    ]);
    expect(header(answer, 'retry-after')).toBe('1');
    expect((await shard.count()) - before).toBe(2);
    await shard.behave('well');
  });

  test('the directory is served beside what is forwarded', async () => {
    const owner = await byHeader.ask({ path: '/shard-router/owner?key=k' });
    expect([owner.status, JSON.parse(owner.body.toString()).shard]).toEqual([200, ownerOf('k')]);
    const head = await byHeader.ask({ method: 'HEAD', path: '/shard-router/owner?key=k' });
    expect([head.status, head.body.length]).toEqual([200, 0]);
    // At the root all paths are those of the shards.
    expect(
      await seenBy(byHeader, { path: '/owner?key=other', headers: [['x-key', 'k']] }),
    ).toMatchObject({ shard: ownerOf('k'), url: '/owner?key=other' });
  });
});
