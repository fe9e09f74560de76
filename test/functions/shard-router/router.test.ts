import { describe, expect, test } from '@jest/globals';
import { shardRouter } from '../../../functions/shard-router';
import { Failure, Unforwarded } from '../../../shared/failure';
import type { Context } from '../../../shared/handler';
import { json, problem, text } from '../../../shared/http/response';
import { systemRandom } from '../../../shared/random';
import { shardTable } from '../../../shared/shard/table';
import { memoryStore } from '../../../shared/store/memory';
import { invoke, testContext } from '../../support/invoke';
import { manualClock } from '../../support/manual-clock';
import type { Sent } from './harness';
import { CONFIG, configOf, harness, withKey } from './harness';

const table = shardTable(configOf({}).topology);
const ownerOf = (key: string) => table.place(key)?.name as string;
const urlOf = (name: string) => `http://${name}.test:80`;

const refused = (sent = false) =>
  new Failure('upstream_unreachable', {
    cause: sent ? new Error('reset') : new Unforwarded('refused'),
  });
const timeout = () => new Failure('upstream_timeout');

/** What it rejects with: its code, and Retry-After where it has one. */
const refusalOf = async (answer: Promise<Response>): Promise<string> => {
  try {
    const { status } = await answer;
    return `answered ${status}`;
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    const after = thrown.headers['retry-after'];
    return thrown.code + (after === undefined ? '' : ` after ${after}`);
  }
};

describe('a request with a key', () => {
  test('goes to the owner, as it came, with the fence of the table', async () => {
    const { ask, sent } = harness();
    for (let i = 0; i < 50; i += 1) {
      const answer = await ask(`/users/${i}?a=%20b`, withKey(`user:${i}`));
      expect(await answer.text()).toBe(urlOf(ownerOf(`user:${i}`)));
    }
    expect(new Set(sent.map(({ origin }) => origin)).size).toBe(5);
    const { origin, path, body, method, signal, ...told } = sent[0] as Sent;
    // What is not said is left to the host: the path, the query, the method and the body as they came.
    expect([path, body, method, signal]).toEqual([undefined, undefined, undefined, undefined]);
    expect(told).toEqual({
      headers: { 'shard-epoch': '0', 'shard-digest': table.digest, 'shard-role': 'owner' },
      timeout: 30_000,
      idle: 300_000,
      onStream: expect.any(Function),
      onEnd: expect.any(Function),
    });
  });

  test('is answered without a promise where nothing has to be waited for', () => {
    const { router } = harness();
    const context = testContext({ forward: () => text('now') });
    const answer = router.handler()(
      {
        method: 'GET',
        url: 'http://t/',
        headers: new Headers({ 'x-key': 'k' }),
        body: null,
      } as Request,
      context,
    );
    expect(answer).toMatchObject({ status: 200 });
  });

  test('lets nothing of the fence out to the client', async () => {
    const { ask } = harness({}, () =>
      text('', {
        headers: { 'shard-epoch': '1', 'shard-digest': 'x', 'shard-role': 'owner', 'x-a': '1' },
      }),
    );
    const { headers } = await ask('/', withKey('k'));
    expect([...headers].map(([name]) => name)).toEqual(['content-type', 'x-a']);
  });
});

describe('a request without a key', () => {
  test('is rejected, and nobody is asked', async () => {
    const { ask, sent } = harness();
    expect(await refusalOf(ask('/'))).toBe('key_missing');
    expect(sent).toEqual([]);
  });

  test('is spread when that is said, over all shards', async () => {
    const { ask, sent } = harness({ missing: 'spread' });
    for (let i = 0; i < 200; i += 1) await ask('/');
    expect(new Set(sent.map(({ origin }) => origin)).size).toBe(5);
    expect(new Set(sent.map(({ headers }) => headers?.['shard-role']))).toEqual(
      new Set(['spread']),
    );
  });

  test('goes to the shard that is named for it', async () => {
    const { ask, sent } = harness({ missing: { fixed: 'd' } });
    for (let i = 0; i < 5; i += 1) await ask('/');
    expect(new Set(sent.map(({ origin }) => origin))).toEqual(new Set([urlOf('d')]));
  });

  test('goes to nobody while the shard that is named is not there', async () => {
    const clock = manualClock();
    const store = memoryStore({ clock });
    await store.compareAndSwap('shard-router/members', 0, { shards: [{ address: 'other' }] });
    const { ask, sent } = harness(
      { shards: undefined, members: { from: 'store' }, missing: { fixed: 'd' } },
      undefined,
      { store: () => store, clock },
    );
    expect(await refusalOf(ask('/'))).toBe('table_unavailable after 1');
    expect(sent).toEqual([]);
  });

  test('is placed by the key that is given for it', async () => {
    const { ask, sent } = harness({ missing: { fallback: 'nobody' } });
    await ask('/');
    expect(sent.map(({ origin }) => origin)).toEqual([urlOf(ownerOf('nobody'))]);
  });
});

/** Where the 21 points from the key on are those of a server that is down, nginx takes any other. */
const CHANCE = {
  mode: 'nginx-consistent',
  shards: [
    { address: 'heavy.test:80', weight: 400, down: true },
    ...['a', 'b', 'c'].map((name) => ({ address: `${name}.test:80` })),
  ],
} as const;

test('a key that its peer leaves to chance is spread', async () => {
  const placing = shardTable(CHANCE);
  const lost = Array.from({ length: 1_000 }, (_, n) => `key-${n}`).filter(
    (key) => placing.place(key) === undefined,
  );
  const { ask, sent } = harness(CHANCE);
  for (const key of lost.slice(0, 60)) await ask('/', withKey(key));
  expect(sent).toHaveLength(60);
  expect(new Set(sent.map(({ origin }) => origin)).size).toBe(3);
  expect(new Set(sent.map(({ headers }) => headers?.['shard-role']))).toEqual(new Set(['spread']));
});

test.each([
  ['is in no table', { mode: 'lookup', table: { known: 'b' } }, 'unknown'],
  ['is no number', { mode: 'modulo' }, 'x'],
  ['belongs to a shard that is down', { mode: 'lookup', table: { known: 'a' } }, 'known'],
])('a key that %s is nobody’s: nobody is asked, whatever the policy', async (_, mode, key) => {
  for (const [onDown, answer] of [
    ['fail', 'proxy'],
    ['next', 'proxy'],
    ['next', 'redirect'],
  ]) {
    const shards = ['a', 'b'].map((name) => ({
      address: `${name}.test:80`,
      name,
      down: name === 'a',
    }));
    const { ask, sent } = harness({ ...mode, shards, onDown, answer });
    expect(await refusalOf(ask('/', withKey(key)))).toBe('shard_unavailable after 5');
    expect(sent).toEqual([]);
  }
});

describe('a forward that fails', () => {
  test('is a refusal when the policy is to fail, with Retry-After', async () => {
    const { ask, sent, context } = harness({}, () => Promise.reject(refused()));
    expect(await refusalOf(ask('/', withKey('k')))).toBe('shard_unavailable after 1');
    expect(sent).toHaveLength(1);
    expect(context.lines.map(({ message }) => message)).toContain('shard_failed');
  });

  test('opens the circuit after three, and then nobody is asked until its time is over', async () => {
    const { ask, sent, clock } = harness({}, () => Promise.reject(refused()));
    for (let i = 0; i < 10; i += 1)
      expect(await refusalOf(ask('/', withKey('k')))).toMatch(/^shard_unavailable after (1|10)$/);
    expect(sent).toHaveLength(3);
    await clock.advance(9_999);
    expect(await refusalOf(ask('/', withKey('k')))).toBe('shard_unavailable after 1');
    expect(sent).toHaveLength(3);
    await clock.advance(1);
    await refusalOf(ask('/', withKey('k')));
    expect(sent).toHaveLength(4);
  });

  test('lets exactly one through when half open, whoever else asks', async () => {
    let isWell = false;
    const waiting: ((response: Response) => void)[] = [];
    const { ask, sent, clock } = harness({}, () =>
      isWell ? new Promise((resolve) => waiting.push(resolve)) : Promise.reject(refused()),
    );
    for (let i = 0; i < 3; i += 1) await refusalOf(ask('/', withKey('k')));
    isWell = true;
    await clock.advance(10_000);
    const probe = ask('/', withKey('k'));
    const others = await Promise.all(
      Array.from({ length: 20 }, () => refusalOf(ask('/', withKey('k')))),
    );
    expect(new Set(others)).toEqual(new Set([expect.stringMatching(/^shard_unavailable after /)]));
    expect(sent).toHaveLength(4);
    for (const answer of waiting) answer(text('well'));
    expect((await probe).status).toBe(200);
    const after = ask('/', withKey('k'));
    for (const answer of waiting) answer(text('well'));
    expect((await after).status).toBe(200);
  });

  test('goes to the next candidate when that is said, and tells it so', async () => {
    const { ask, sent } = harness({ onDown: 'next' }, ({ origin }) =>
      origin === urlOf(ownerOf('k')) ? Promise.reject(refused()) : text(origin),
    );
    const [owner, next] = table.candidates('k').map(({ name }) => urlOf(name)) as [string, string];
    expect(await (await ask('/', withKey('k'))).text()).toBe(next);
    expect(sent.map(({ origin, headers }) => [origin, headers?.['shard-role']])).toEqual([
      [owner, 'owner'],
      [next, 'next'],
    ]);
  });

  test('goes to three servers at most', async () => {
    const { ask, sent } = harness({ onDown: 'next' }, () => Promise.reject(refused()));
    expect(await refusalOf(ask('/', withKey('k')))).toBe('upstream_unreachable');
    expect(sent.map(({ origin }) => origin)).toEqual(
      table
        .candidates('k')
        .slice(0, 3)
        .map(({ name }) => urlOf(name)),
    );
  });

  test('goes to another replica of the same shard when that is said, and to no other shard', async () => {
    const shards = ['a', 'b'].map((name) => ({
      address: name,
      urls: [1, 2].map((n) => `http://${name}${n}.test`),
    }));
    const down = new Set<string>();
    const { ask, sent } = harness({ onDown: 'replica', shards }, ({ origin }) => {
      if (down.has(origin)) return Promise.reject(refused());
      return text(origin);
    });
    const owner = shardTable({ mode: 'nginx-consistent', shards }).place('k')?.name;
    down.add(`http://${owner}1.test`);
    for (let i = 0; i < 20; i += 1)
      expect(await (await ask('/', withKey('k'))).text()).toBe(`http://${owner}2.test`);
    expect(sent.filter(({ origin }) => down.has(origin)).length).toBeLessThanOrEqual(3);
    down.add(`http://${owner}2.test`);
    for (let i = 0; i < 5; i += 1)
      expect(await refusalOf(ask('/', withKey('k')))).toMatch(/^shard_unavailable after /);
    expect(new Set(sent.map(({ origin }) => origin))).toEqual(down);
  });

  test('waits for the same shard when that is said, until it is well', async () => {
    let isWell = false;
    const { ask, sent, clock } = harness({ onDown: 'pin-retry' }, ({ origin }) =>
      isWell ? text(origin) : Promise.reject(refused()),
    );
    const answer = ask('/', withKey('k'));
    await clock.advance(100);
    isWell = true;
    await clock.advance(2_000);
    expect(await (await answer).text()).toBe(urlOf(ownerOf('k')));
    expect(new Set(sent.map(({ origin }) => origin)).size).toBe(1);
    expect(sent.length).toBeLessThanOrEqual(3);
  });

  test('waits no longer than retryFor', async () => {
    const { ask, sent, clock } = harness(
      { onDown: 'pin-retry', retryFor: '3s', health: { failures: 1 } },
      () => Promise.reject(refused()),
    );
    const began = clock.now();
    const answer = refusalOf(ask('/', withKey('k'))).then((told) => [told, clock.now() - began]);
    await clock.advance(20_000);
    const [told, took] = (await answer) as [string, number];
    expect(told).toMatch(/^(shard_unavailable after \d+|upstream_unreachable)$/);
    expect(took).toBeLessThanOrEqual(3_000);
    expect(sent.length).toBeLessThanOrEqual(3);
  });

  test('stops waiting when the client leaves', async () => {
    const client = new AbortController();
    const { router } = harness({ onDown: 'pin-retry' });
    const context = testContext({
      signal: client.signal,
      forward: () => Promise.reject(refused()),
    });
    const answer = invoke(router.handler(), '/', withKey('k'), context);
    client.abort();
    expect(await refusalOf(answer)).toBe('aborted');
  });

  const RETRIES: readonly (readonly [string, string, () => Failure, boolean])[] = [
    ['nothing of it was sent', 'POST', () => refused(), true],
    ['it was sent and is idempotent', 'PUT', () => refused(true), true],
    ['it was sent and is idempotent', 'GET', timeout, true],
    ['it may have been executed', 'POST', () => refused(true), false],
    ['it may have been executed', 'PATCH', timeout, false],
    ['the client has left', 'GET', () => new Failure('aborted'), false],
    ['the fault is ours', 'GET', () => new Failure('internal'), false],
  ];

  test.each(RETRIES)('%s: %s', async (_, method, failure, again) => {
    const { ask, sent } = harness({ onDown: 'next' }, (__, nth) =>
      nth === 1 ? Promise.reject(failure()) : text(''),
    );
    const body = method === 'GET' ? {} : { body: 'small', headers: { 'content-length': '5' } };
    const told = await refusalOf(ask('/', withKey('k', { method, ...body })));
    expect([sent.length, told]).toEqual(again ? [2, 'answered 200'] : [1, failure().code]);
    if (again && method !== 'GET')
      expect(sent.map((one) => Buffer.from(one.body ?? '').toString())).toEqual(['small', 'small']);
  });

  test('a client that leaves says nothing of its server', async () => {
    const { ask, sent } = harness({}, () => Promise.reject(new Failure('aborted')));
    for (let i = 0; i < 10; i += 1) await refusalOf(ask('/', withKey('k')));
    expect(sent).toHaveLength(10);
  });
});

describe('a body', () => {
  const post = async (body: string, headers: Record<string, string>, config = {}) => {
    const { ask, sent } = harness({ onDown: 'next', ...config }, (_, nth) =>
      nth === 1 ? Promise.reject(refused(true)) : text(''),
    );
    const told = await refusalOf(
      ask(
        '/',
        withKey('k', { method: 'PUT', body, headers: { 'content-type': 'a/b', ...headers } }),
      ),
    );
    return { told, sent };
  };

  test('is kept for another try when it is small', async () => {
    const body = 'x'.repeat(65_536);
    const { told, sent } = await post(body, { 'content-length': '65536' });
    expect([told, sent.length]).toEqual(['answered 200', 2]);
    expect(Buffer.from(sent[1]?.body as Uint8Array).toString()).toBe(body);
  });

  test.each([
    ['large', 65_537, {}],
    ['to be announced by 100 (Continue)', 10, { expect: '100-continue' }],
  ])('streams when it is %s, and goes out once', async (_, size, headers) => {
    const { told, sent } = await post('x'.repeat(size), {
      'content-length': `${size}`,
      ...headers,
    });
    expect([told, sent.length, sent[0]?.body]).toEqual(['upstream_unreachable', 1, undefined]);
  });

  test('streams when nobody has said how long it is', async () => {
    const { told, sent } = await post('small', { 'transfer-encoding': 'chunked' });
    expect([told, sent.length, sent[0]?.body]).toEqual(['upstream_unreachable', 1, undefined]);
  });

  test('that was read for the key goes on as it came', async () => {
    const { ask, sent } = harness({ key: { body: '/user' } });
    const body = ' {"user" :"ada", "n":1.0}';
    await ask('/', { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    expect(Buffer.from(sent[0]?.body as Uint8Array).toString()).toBe(body);
    expect(sent[0]?.origin).toBe(urlOf(ownerOf('ada')));
  });

  test('is refused when the key cannot be looked for in it', async () => {
    const { ask, sent } = harness({ key: { body: '/user' } });
    const send = (body: string) =>
      refusalOf(
        ask('/', { method: 'POST', body, headers: { 'content-type': 'application/json' } }),
      );
    expect(await send(`{"user":"ada","pad":"${'x'.repeat(65_536)}"}`)).toBe('body_too_large');
    expect(await send('{"user":')).toBe('invalid_json');
    expect(await send('{"name":"ada"}')).toBe('key_missing');
    expect(sent).toEqual([]);
  });
});

describe('a shard that says it is not the owner', () => {
  const misdirected = () =>
    problem(
      new Failure('misdirected', {
        headers: { 'shard-epoch': '7', 'shard-digest': '0123456789abcdef' },
      }),
      'id',
    );

  test('is asked once more, by the table of now', async () => {
    const { ask, sent } = harness({}, (_, nth) => (nth === 1 ? misdirected() : text('mine')));
    const answer = await ask(
      '/',
      withKey('k', { method: 'POST', body: 'once', headers: { 'content-length': '4' } }),
    );
    expect([answer.status, await answer.text(), sent.length]).toEqual([200, 'mine', 2]);
    expect(Buffer.from(sent[1]?.body as Uint8Array).toString()).toBe('once');
  });

  test('sends the request to whom it has moved, when that has come to the source of the table', async () => {
    const clock = manualClock();
    const store = memoryStore({ clock });
    const members = (name: string) => ({ shards: [{ address: name }] });
    await store.compareAndSwap('shard-router/members', 0, members('old'));
    const { shards: _, ...rest } = CONFIG;
    const { ask, sent } = harness(
      { ...rest, shards: undefined, members: { from: 'store' } },
      ({ origin }) => (origin === 'http://old' ? misdirected() : text('mine')),
      { store: () => store, clock },
    );
    await refusalOf(ask('/', withKey('k')));
    await store.compareAndSwap('shard-router/members', 1, members('new'));
    sent.splice(0);
    expect((await ask('/', withKey('k'))).status).toBe(200);
    expect(sent.map(({ origin, headers }) => [origin, headers?.['shard-epoch']])).toEqual([
      ['http://old', '1'],
      ['http://new', '2'],
    ]);
  });

  test('twice is 503, for it heals by itself', async () => {
    const { ask, sent } = harness({}, misdirected);
    expect(await refusalOf(ask('/', withKey('k')))).toBe('table_unavailable after 1');
    expect(sent).toHaveLength(2);
  });

  test('is not listened to any further, so that its connection waits for nobody', async () => {
    const cancelled: number[] = [];
    const endless = () =>
      new Response(new ReadableStream({ cancel: () => void cancelled.push(1) }), {
        status: 421,
        headers: { 'shard-digest': '0123456789abcdef' },
      });
    const { ask } = harness({}, (_, nth) => (nth === 1 ? endless() : text('mine')));
    expect((await ask('/', withKey('k'))).status).toBe(200);
    expect(cancelled).toHaveLength(1);
  });

  test('is 503 at once when the body is gone', async () => {
    const { ask, sent } = harness({}, misdirected);
    const body = 'x'.repeat(70_000);
    const answer = ask('/', withKey('k', { body, headers: { 'content-length': '70000' } }));
    expect(await refusalOf(answer)).toBe('table_unavailable after 1');
    expect(sent).toHaveLength(1);
  });

  test('is healthy all the same', async () => {
    const { ask, sent } = harness({ health: { failures: 1 } }, misdirected);
    for (let i = 0; i < 5; i += 1) await refusalOf(ask('/', withKey('k')));
    expect(sent).toHaveLength(10);
  });

  test('in words of its own application is none of our business', async () => {
    const { ask, sent } = harness({}, () => json({ wrong: 'host' }, { status: 421 }));
    expect([(await ask('/', withKey('k'))).status, sent.length]).toEqual([421, 1]);
  });
});

describe('what is in flight', () => {
  const loads = ({ router }: ReturnType<typeof harness>, context: Context) =>
    invoke(router.directory.table, '/owner/table', {}, context)
      .then((answer) => answer.json() as Promise<{ health: { inFlight: number }[] }>)
      .then(({ health }) => health.reduce((sum, { inFlight }) => sum + inFlight, 0));

  test('counts until the last byte has gone, not until the first has come', async () => {
    const one = harness();
    await one.ask('/', withKey('k'));
    expect(await loads(one, one.context)).toBe(1);
    one.sent[0]?.onEnd?.();
    expect(await loads(one, one.context)).toBe(0);
    one.sent[0]?.onEnd?.();
    expect(await loads(one, one.context)).toBe(0);
  });

  test('that ends before its head has come to us was answered all the same', async () => {
    let isWell = false;
    const { ask, clock } = harness({ health: { failures: 1 } }, ({ onEnd }) => {
      if (!isWell) return Promise.reject(refused());
      onEnd?.();
      return Promise.resolve(text('whole'));
    });
    await refusalOf(ask('/', withKey('k')));
    isWell = true;
    await clock.advance(10_000);
    await ask('/', withKey('k'));
    expect((await ask('/', withKey('k'))).status).toBe(200);
  });

  test('that ends without a head has failed', async () => {
    const { ask, sent } = harness({}, ({ onEnd }) => {
      onEnd?.();
      return Promise.reject(new Failure('upstream_invalid'));
    });
    for (let i = 0; i < 5; i += 1) await refusalOf(ask('/', withKey('k')));
    expect(sent).toHaveLength(3);
  });

  test('does not count what has failed', async () => {
    const one = harness({ onDown: 'next' }, () => Promise.reject(refused()));
    for (let i = 0; i < 5; i += 1) await refusalOf(one.ask('/', withKey('k')));
    expect(await loads(one, one.context)).toBe(0);
  });

  test('sends the rest to the next candidate where a bound is set', async () => {
    const { ask, sent } = harness({ bound: 1.25 });
    for (let i = 0; i < 40; i += 1) await ask('/', withKey('hot'));
    const roles = sent.map(({ headers }) => headers?.['shard-role']);
    expect(roles.filter((role) => role === 'owner').length).toBeLessThanOrEqual(10);
    expect(new Set(roles)).toEqual(new Set(['owner', 'bound']));
  });
});

describe('a key that is minted', () => {
  test('is set for the client, and the shard sees it as if it had come', async () => {
    const { ask, sent } = harness({ key: { cookie: 'shard', mint: { ttl: '1h' } } });
    const answer = await ask('/', { headers: { cookie: 'theme=dark' } });
    const [cookie = ''] = answer.headers.getSetCookie();
    expect(cookie).toMatch(/^shard=[\w-]{22};/);
    const [pair = ''] = cookie.split(';');
    expect(sent[0]?.headers).toMatchObject({
      cookie: `${pair}; theme=dark`,
      'shard-digest': table.digest,
    });
    expect(sent[0]?.origin).toBe(urlOf(ownerOf(pair.slice('shard='.length))));
    const again = await ask('/', { headers: { cookie: pair } });
    expect(again.headers.getSetCookie()).toEqual([]);
    expect(sent[1]?.origin).toBe(sent[0]?.origin);
    expect(sent[1]?.headers).not.toHaveProperty('cookie');
  });

  test.each(['redirect', 'lookup'])('is set with a %s as well', async (answer) => {
    const { ask } = harness({ answer, key: { cookie: 'shard', mint: true } });
    expect((await ask('/')).headers.getSetCookie()).toHaveLength(1);
  });
});

test('a stream is looked after: it ends when its key has moved, and the others stay', async () => {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const write = (epoch: number, names: string[]) =>
    store.compareAndSwap('shard-router/members', epoch, {
      shards: names.map((address) => ({ address })),
    });
  await write(0, ['a', 'b']);
  const ended: string[] = [];
  const one = harness(
    { shards: undefined, members: { from: 'store' }, streams: { window: '2s', retry: '3s' } },
    ({ origin, onStream }) => {
      onStream?.({
        protocol: 'sse',
        end: ({ retry } = {}) => void ended.push(`${origin} ${retry}`),
        ended: new Promise(() => undefined),
      });
      return text('');
    },
    { store: () => store, clock },
  );
  for (let i = 0; i < 20; i += 1) await one.ask('/', withKey(`k${i}`));
  const told = await (await invoke(one.router.directory.table, '/owner/table')).json();
  expect(told).toMatchObject({ streams: { open: 20, moving: 0 } });
  await write(1, ['a']);
  await clock.advance(6_000);
  // Who comes now still finds the old table, and with it the new one begins to be looked for.
  await one.ask('/', withKey('k0'));
  await clock.advance(2_000);
  const opened = one.sent.map(({ origin }) => origin);
  expect(opened).toContain('http://a');
  expect(ended.sort()).toEqual(
    opened.filter((origin) => origin === 'http://b').map((origin) => `${origin} 3000`),
  );
});

test('what is odd is told at start, once: of the table, and of where the key is', () => {
  const { context } = harness(
    { mode: 'twemproxy-ketama', hash: 'crc32', key: { header: 'x-key', duplicates: 'first' } },
    undefined,
    { runtime: 'edge' },
  );
  const told = context.lines.filter(({ message }) => message === 'shard_table_warning');
  expect(told.map(({ fields }) => fields.message)).toEqual([
    expect.stringMatching(/lines/),
    expect.stringMatching(/UTF-8/),
    expect.stringMatching(/crc32/),
  ]);
});

test('active checks that cannot be made are told at start, and are waited for by nobody', async () => {
  const active = { path: '/health', every: '1h' };
  const { ask, context, clock } = harness(
    { health: { failures: 1, open: '1s', active } },
    (_, nth) => (nth === 1 ? Promise.reject(refused()) : text('well')),
  );
  expect(context.lines.map(({ message }) => message)).toContain('shard_checks_off');
  await refusalOf(ask('/', withKey('k')));
  await clock.advance(1_000);
  expect((await ask('/', withKey('k'))).status).toBe(200);
});

describe('a redirect', () => {
  test('is 307 to the owner, with path and query as they came', async () => {
    const { ask, sent } = harness({ answer: 'redirect' });
    const answer = await ask('/a%2Fb//c/../d?x=%20&y', withKey('k', { method: 'POST', body: 'x' }));
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([307, 'no-store']);
    expect(answer.headers.get('location')).toMatch(
      new RegExp(`^${urlOf(ownerOf('k'))}/a%2Fb//c?/.*d\\?x=%20&y$`.replace('c?/.*', '.*')),
    );
    expect(sent).toEqual([]);
  });

  test('may be kept as long as is said, by who has the same key', async () => {
    const { ask } = harness({ answer: 'redirect', ttl: '30s' });
    const { headers } = await ask('/', withKey('k'));
    expect([headers.get('cache-control'), headers.get('vary')]).toEqual([
      'private, max-age=30',
      'x-key',
    ]);
  });

  test('without a key is refused like any other', async () => {
    expect(await refusalOf(harness({ answer: 'redirect' }).ask('/'))).toBe('key_missing');
  });
});

test('lookup tells the owner of the key that a request has', async () => {
  const { ask, sent } = harness({ answer: 'lookup' });
  expect(await (await ask('/any/path', withKey('k'))).json()).toEqual({
    key: 'k',
    shard: ownerOf('k'),
    address: `${ownerOf('k')}.test:80`,
    urls: [urlOf(ownerOf('k'))],
    epoch: 0,
    digest: table.digest,
    ttl: 5,
  });
  expect(sent).toEqual([]);
});

describe('the decorator', () => {
  const decorated = (self: string, config = {}) =>
    shardRouter({
      config: JSON.stringify({ ...CONFIG, ...config }),
      self,
      clock: manualClock(),
      random: systemRandom,
      log: testContext().log,
    })(async (request) => text(`here: ${await request.text()}`));

  test('hands on what belongs to its own shard, and forwards all else', async () => {
    const own = decorated(ownerOf('k'));
    const other = decorated(ownerOf('k') === 'a' ? 'b' : 'a');
    const context = testContext({ forward: (origin) => text(`there: ${origin}`) });
    const init = withKey('k', { body: 'hello' });
    expect(await (await invoke(own, '/', init, context)).text()).toBe('here: hello');
    expect(await (await invoke(other, '/', init, context)).text()).toBe(
      `there: ${urlOf(ownerOf('k'))}`,
    );
  });

  test('hands on a body that was read for its key', async () => {
    const own = decorated(ownerOf('k'), { key: { body: '/id' } });
    const init = { body: '{"id": "k"}', headers: { 'content-type': 'application/json' } };
    expect(await (await invoke(own, '/', init)).text()).toBe('here: {"id": "k"}');
  });

  test('refuses settings that cannot be used, with all that is wrong', () => {
    expect(() =>
      shardRouter({
        config: '{"mode":"native","onDown":"never"}',
        self: 'a',
        clock: manualClock(),
        random: systemRandom,
        log: testContext().log,
      }),
    ).toThrow(/\/shards .*\n[\s\S]*\/key is required[\s\S]*\/onDown must be one of/);
  });
});
