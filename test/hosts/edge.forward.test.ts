/** Requests that are handed on at the edge, in the real workerd. */
import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import zlib from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { PEERS_TIMEOUT } from '../support/peers';
import { exchange, type RawAnswer, type RawRequest, speak } from '../support/raw-http';
import { BIG, startUpstream, type Upstream } from '../support/upstream';
import { bundleForEdge, residentKib, startWorkerd, type Workerd } from '../support/workerd';

let upstream: Upstream;
let worker: Workerd;

beforeAll(async () => {
  upstream = await startUpstream();
  worker = await startWorkerd({
    code: bundleForEdge('test/support/probe/edge-forward.ts'),
    environment: { NODE_ENV: 'development', PROBE_FORWARD_ORIGIN: upstream.origin },
  });
}, PEERS_TIMEOUT);

afterAll(async () => {
  await worker?.stop();
  await upstream?.stop();
});

beforeEach(() => {
  upstream.seen.length = 0;
  upstream.left.length = 0;
});

const ask = (request: RawRequest): Promise<RawAnswer> => exchange(worker.port, request);

const fieldOf = ({ headers }: RawAnswer, name: string): string[] =>
  headers.filter(([field]) => field === name).map(([, value]) => value);

const seenField = (name: string): string[] => {
  const raw = upstream.seen[0]?.rawHeaders ?? [];
  return raw.filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === name);
};

const codeOf = ({ status, headers, body }: RawAnswer): unknown[] => [
  status,
  new Map(headers).get('content-type'),
  JSON.parse(body.toString()).code,
];

interface Counts {
  readonly begun: number;
  readonly settled: number;
  readonly ended: number;
  readonly streamsEnded: number;
  readonly streams: readonly string[];
}

const counts = async (): Promise<Counts> =>
  JSON.parse((await ask({ path: '/probe-forward/streams' })).body.toString());

const until = async (check: () => unknown, wait = 5_000): Promise<void> => {
  for (const end = performance.now() + wait; !(await check()); await sleep(10))
    if (performance.now() > end) throw new Error('it has not come true in time');
};

describe('a request', () => {
  test('goes on with its method, target, fields and bytes', async () => {
    const body = zlib.gzipSync('a body');
    await ask({
      method: 'PATCH',
      path: '/a%2Fb//c/%C3%BC?x=%2F%2f&y=+%20&x=2&z={}|^`',
      headers: [
        ['content-length', String(body.length)],
        ['content-encoding', 'gzip'],
        ['x-a', '1'],
        ['via', '1.0 before'],
        ['x-forwarded-for', '203.0.113.9'],
        ['x-forwarded-host', 'forged.example'],
        ['x-forwarded-proto', 'https'],
        ['x-set', 'theirs'],
        ['x-removed', 'theirs'],
        ['te', 'trailers'],
        ['connection', 'keep-alive, x-hop'],
        ['x-hop', 'gone'],
        ['keep-alive', 'timeout=5'],
        ['proxy-authorization', 'gone'],
        ['accept-encoding', 'br;q=0.5'],
      ],
      body,
    });
    expect(upstream.seen).toHaveLength(1);
    const [{ method, target, body: came } = {} as never] = upstream.seen;
    expect([method, target]).toEqual(['PATCH', '/a%2Fb//c/%C3%BC?x=%2F%2f&y=+%20&x=2&z={}|^`']);
    expect(came).toEqual(body);
    const fields = Object.fromEntries(
      [
        ...['host', 'content-length', 'content-encoding', 'x-a', 'x-set', 'accept-encoding', 'via'],
        ...['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'],
      ].map((name) => [name, seenField(name)]),
    );
    expect(fields).toEqual({
      host: [upstream.address],
      'content-length': [String(body.length)],
      'content-encoding': ['gzip'],
      'x-a': ['1'],
      'x-set': ['ours'],
      'accept-encoding': ['br;q=0.5'],
      via: ['1.0 before, 1.1 faas-patterns'],
      'x-forwarded-for': ['203.0.113.9, 127.0.0.1'],
      'x-forwarded-host': [`127.0.0.1:${worker.port}`],
      'x-forwarded-proto': ['http'],
    });
    expect(seenField('traceparent')[0]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    for (const name of ['te', 'x-hop', 'keep-alive', 'proxy-authorization', 'x-removed', 'expect'])
      expect([name, seenField(name)]).toEqual([name, []]);
  });

  test('without a declared length goes on in chunks, as it comes', async () => {
    const parts = {
      async *[Symbol.asyncIterator]() {
        for (const part of ['a', 'bc', 'def']) {
          yield Buffer.from(part);
          await sleep(20);
        }
      },
    };
    await ask({ method: 'POST', path: '/in', body: parts });
    expect(upstream.seen[0]?.body.toString()).toBe('abcdef');
    expect([seenField('transfer-encoding'), seenField('content-length')]).toEqual([
      ['chunked'],
      [],
    ]);
  });

  test('that is long in coming has its time for an answer from its last part on', async () => {
    const parts = {
      async *[Symbol.asyncIterator]() {
        for (let i = 0; i < 4; i += 1) {
          yield Buffer.alloc(70_000, i);
          await sleep(250);
        }
      },
    };
    for (const headers of [[], [['content-length', '280000']]] as const) {
      const answer = await ask({ method: 'POST', path: '/in', headers, body: parts });
      expect([answer.status, JSON.parse(answer.body.toString()).size]).toEqual([200, 280_000]);
    }
  });

  test('whose client breaks off never becomes a whole one', async () => {
    const request = http.request({
      host: '127.0.0.1',
      port: worker.port,
      method: 'POST',
      path: '/in',
      agent: false,
    });
    request.on('error', () => {});
    request.write(Buffer.alloc(200_000));
    await sleep(100);
    request.destroy();
    await until(async () => {
      const { begun, settled } = await counts();
      return begun === settled;
    });
    expect(upstream.seen).toEqual([]);
  });

  test('of OPTIONS goes no further than it may, and TRACE not at all', async () => {
    const options = (left: string): RawRequest => ({
      method: 'OPTIONS',
      path: '/x',
      headers: [['max-forwards', left]],
    });
    expect((await ask(options('0'))).status).toBe(204);
    expect(upstream.seen).toEqual([]);
    await ask(options('3'));
    expect(seenField('max-forwards')).toEqual(['2']);
    expect((await ask({ method: 'TRACE', path: '/x' })).status).toBe(405);
    expect(upstream.seen).toHaveLength(1);
  });

  test('that no URL can hold is refused, and nothing is sent', async () => {
    for (const path of ['/a/../b', '/a/./b', '/a/%2e%2E/b', '/a/..', '/a\\b'])
      expect([path, codeOf(await ask({ path }))]).toEqual([
        path,
        [400, 'application/problem+json', 'invalid_request'],
      ]);
    expect(upstream.seen).toEqual([]);
    expect((await ask({ path: '/a..b/...?x=/../y\\' })).status).toBe(200);
    expect(upstream.seen[0]?.target).toBe('/a..b/...?x=/../y\\');
  });

  test('whose Host would make another path of it is refused', async () => {
    for (const host of ['a/unseen?y', 'a?y', 'u@a', 'a#'])
      expect(
        await speak(
          worker.port,
          `GET /seen HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`,
        ),
      ).toMatch(/^HTTP\/1\.1 (?:400|500) /);
    expect(upstream.seen).toEqual([]);
  });

  test('has the apostrophes of its query percent-encoded', async () => {
    await ask({ path: `/it's?a=O'Brien&c={}|^` });
    expect(upstream.seen[0]?.target).toBe("/it's?a=O%27Brien&c={}|^");
  });

  test('with what no URI may hold is refused by the runtime', async () => {
    for (const path of ['/x?a="', '/x?<>', '/x?\xfc'])
      expect([path, (await ask({ path })).status]).toEqual([path, 400]);
    expect(upstream.seen).toEqual([]);
  });

  test('of GET with a body is refused, since fetch sends none', async () => {
    const answer = await ask({ path: '/x', headers: [['content-length', '3']], body: 'abc' });
    expect(codeOf(answer)).toEqual([400, 'application/problem+json', 'invalid_request']);
    expect(upstream.seen).toEqual([]);
  });
});

describe('an answer', () => {
  test('comes with its status, end-to-end fields and bytes', async () => {
    const answer = await ask({ path: '/fields', headers: [['x-request-id', 'mine']] });
    expect([answer.status, answer.body.toString()]).toEqual([201, 'body']);
    expect(fieldOf(answer, 'set-cookie')).toEqual(['a=1; Path=/', 'b=2']);
    expect(fieldOf(answer, 'x-end')).toEqual(['stays']);
    expect(fieldOf(answer, 'x-hop')).toEqual([]);
    expect(fieldOf(answer, 'keep-alive')).toEqual([]);
    expect(fieldOf(answer, 'content-length')).toEqual(['4']);
    expect(fieldOf(answer, 'x-request-id')).toEqual(['mine']);
  });

  test('with trailers and an interim answer comes without them', async () => {
    const interim: number[] = [];
    const request = http.get({ host: '127.0.0.1', port: worker.port, path: '/trailers' });
    request.on('information', ({ statusCode }) => interim.push(statusCode));
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let text = '';
    for await (const part of response) text += part;
    expect([text, response.trailers, interim]).toEqual(['body', {}, []]);
    expect(response.headers).not.toHaveProperty('trailer');
  });

  test('of a redirect is handed on, not followed', async () => {
    const answer = await ask({ path: '/redirect' });
    expect([answer.status, answer.body.toString()]).toEqual([302, 'moved']);
    expect(fieldOf(answer, 'location')).toEqual(['/elsewhere']);
    expect(upstream.seen).toHaveLength(1);
  });

  test('in a content coding keeps its bytes, whatever the client accepts and whether they are right', async () => {
    const gzip = await ask({ path: '/gzip' });
    expect(gzip.body).toEqual(zlib.gzipSync('hello', { level: 1 }));
    expect(fieldOf(gzip, 'content-encoding')).toEqual(['gzip']);
    const brotli = await ask({ path: '/brotli' });
    expect(brotli.body).toEqual(zlib.brotliCompressSync('hello'));
    expect(fieldOf(brotli, 'content-length')).toEqual([String(brotli.body.length)]);
    const neither = await ask({ path: '/not-gzip' });
    expect([neither.body.toString(), neither.broken]).toEqual(['not gzip', false]);
  });

  test.each([
    ['/no-content', 204],
    ['/not-modified', 304],
    ['/fails', 503],
  ])('of %s stays %i', async (path, status) => {
    expect((await ask({ path })).status).toBe(status);
  });

  test('to HEAD has the fields of the server and no body', async () => {
    const answer = await ask({ method: 'HEAD', path: '/fields' });
    expect([answer.status, answer.body.length]).toEqual([201, 0]);
    expect(upstream.seen[0]?.method).toBe('HEAD');
    expect(fieldOf(answer, 'x-end')).toEqual(['stays']);
  });
});

describe('a server behind', () => {
  test('that is dead: 502, and the worker goes on', async () => {
    const dead = await startWorkerd({
      code: bundleForEdge('test/support/probe/edge-forward.ts'),
      environment: { NODE_ENV: 'development', PROBE_FORWARD_ORIGIN: 'http://127.0.0.1:1' },
    });
    try {
      for (let i = 0; i < 3; i += 1)
        expect(
          codeOf(await exchange(dead.port, { method: 'POST', path: '/x', body: 'abc' })),
        ).toEqual([502, 'application/problem+json', 'upstream_unreachable']);
      await until(
        () => dead.lines().filter(({ message }) => message === 'request_failed').length === 3,
      );
    } finally {
      await dead.stop();
    }
  });

  test('that closes without an answer: 502', async () => {
    expect(codeOf(await ask({ path: '/resets' }))[0]).toBe(502);
  });

  test('that gives no head in time: 504, and its connection is closed', async () => {
    expect(codeOf(await ask({ path: '/hangs' }))).toEqual([
      504,
      'application/problem+json',
      'upstream_timeout',
    ]);
    await until(() => upstream.left.includes('/hangs'));
  });

  test.each(['/stalls', '/stalls-short'])(
    'that falls silent in its body: the client is cut off (%s)',
    async (path) => {
      const answer = await ask({ path });
      expect([answer.status, answer.body.toString(), answer.broken]).toEqual([
        200,
        'a beginning',
        true,
      ]);
      await until(() => upstream.left.includes(path));
    },
  );

  test.each(['/cut', '/cut-chunked'])(
    'that breaks off: the client is cut off (%s)',
    async (path) => {
      const answer = await ask({ path });
      expect([answer.body.toString(), answer.broken]).toEqual(['a beginning', true]);
    },
  );
});

/** Leaves as soon as `isEnough` of what has come. */
const leaveEarly = async (path: string, isEnough: (text: string) => boolean): Promise<void> => {
  const request = http.get({ host: '127.0.0.1', port: worker.port, path, agent: false });
  request.on('error', () => {});
  request.on('response', (response) => {
    let text = '';
    response.on('error', () => {});
    response.on('data', (part) => {
      text += part;
      if (isEnough(text)) request.destroy();
    });
  });
  await once(request, 'close');
};

test('a client that leaves ends the exchange with the server, and it is counted as over', async () => {
  const before = await counts();
  await leaveEarly('/events', (text) => text.includes('data: 2'));
  await until(() => upstream.left.includes('/events'));
  await until(async () => (await counts()).ended === before.ended + 1);
  expect((await counts()).streams).toEqual([]);
});

test('a client that leaves before the answer is counted as over, too', async () => {
  const before = await counts();
  const request = http.get({ host: '127.0.0.1', port: worker.port, path: '/hangs', agent: false });
  request.on('error', () => {});
  await until(() => upstream.seen.length > 0);
  request.destroy();
  await until(() => upstream.left.includes('/hangs'));
  await until(async () => (await counts()).settled === before.begun + 1);
});

test('every answer is counted once when it is over', async () => {
  const before = await counts();
  const paths = ['/fields', '/no-content', '/redirect', '/gzip', '/cut', '/fails'];
  for (const path of paths) await ask({ path });
  await ask({ method: 'HEAD', path: '/fields' });
  await until(async () => (await counts()).ended === before.ended + paths.length + 1);
});

/** What has come so far of an answer, as it comes. */
const follow = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
  const request = http.get({ host: '127.0.0.1', port: worker.port, path, headers, agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const parts: Buffer[] = [];
  let end: 'whole' | 'cut' | undefined;
  response.on('data', (part: Buffer) => parts.push(part));
  response.on('end', () => {
    end = 'whole';
  });
  response.on('error', () => {
    end ??= 'cut';
  });
  return {
    response,
    bytes: () => Buffer.concat(parts),
    text: () => Buffer.concat(parts).toString(),
    end: () => end,
  };
};

describe('a live stream, ended from within another request', () => {
  const end = () => ask({ method: 'POST', path: '/probe-forward/end' });

  test('of events comes at once, and ends with when to come again', async () => {
    const live = await follow('/events');
    await until(() => live.text().includes('data: 1\n\n'), 300);
    expect((await counts()).streams).toEqual(['sse']);
    await end();
    await until(() => live.end());
    expect(live.end()).toBe('whole');
    expect(live.text()).toMatch(/^(data: \d+\n\n)+retry: 1234\n$/);
    await until(() => upstream.left.includes('/events'));
    await until(async () => (await counts()).streams.length === 0);
  });

  test('of events has its broken line ended first', async () => {
    const live = await follow('/events-broken-line');
    await until(() => live.text().includes('tw'));
    await end();
    await until(() => live.end());
    expect([live.end(), live.text()]).toEqual(['whole', 'data: one\n\ndata: tw\nretry: 1234\n']);
  });

  test('of events in a content coding only ends', async () => {
    const live = await follow('/events-gzip');
    await until(() => live.bytes().length > 0);
    const sent = live.bytes();
    await end();
    await until(() => live.end());
    expect([live.end(), live.bytes()]).toEqual(['whole', sent]);
  });

  test('of anything else is cut', async () => {
    const live = await follow('/chunks');
    await until(() => live.text().includes('data: 2'));
    expect((await counts()).streams).toEqual(['http']);
    await end();
    await until(() => live.end());
    expect(live.end()).toBe('cut');
    await until(() => upstream.left.includes('/chunks'));
  });

  test('whose client does not read is cut after a while', async () => {
    const live = await follow('/flood');
    live.response.pause();
    await until(async () => (await counts()).streams.length === 1);
    await sleep(200);
    await end();
    await until(() => upstream.left.includes('/flood'));
    live.response.resume();
    await until(() => live.end());
    expect(live.end()).toBe('cut');
  });

  test('lets the server go at once, whatever else goes on for the request', async () => {
    const live = await follow('/events', { 'x-linger': 'yes' });
    await until(() => live.text() !== '');
    await end();
    await until(() => upstream.left.includes('/events'), 2_000);
  });

  test('once, however often it is said', async () => {
    const before = await counts();
    const live = await follow('/events');
    await until(() => live.text() !== '');
    await Promise.all([end(), end(), end()]);
    await until(() => live.end());
    expect(live.text().match(/retry/g)).toHaveLength(1);
    expect((await counts()).streamsEnded).toBe(before.streamsEnded + 1);
  });
});

test('a body of 48 MiB goes through both ways in less memory than it has', async () => {
  await ask({ path: '/fields' });
  const before = residentKib(worker.pid);
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, residentKib(worker.pid));
  }, 10);
  try {
    const down = await ask({ path: '/big' });
    expect([down.body.length, down.broken]).toEqual([BIG, false]);
    const part = Buffer.alloc(65_536, 2);
    const parts = {
      async *[Symbol.asyncIterator]() {
        for (let sent = 0; sent < BIG; sent += part.length) yield part;
      },
    };
    const up = await ask({ method: 'POST', path: '/in', body: parts });
    expect(JSON.parse(up.body.toString())).toMatchObject({ size: BIG });
    expect(most - before).toBeLessThan((BIG / 1024) * 0.75);
  } finally {
    clearInterval(watch);
  }
});

test('a client that does not read holds up the server', async () => {
  const request = http.get({ host: '127.0.0.1', port: worker.port, path: '/big', agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  await sleep(300);
  expect(upstream.left).toEqual([]);
  expect(residentKib(worker.pid)).toBeLessThan(200_000);
  // Not cut: the server behind was not silent.
  await sleep(700);
  let size = 0;
  response.on('data', (part: Buffer) => {
    size += part.length;
  });
  await once(response, 'end');
  expect(size).toBe(BIG);
});
