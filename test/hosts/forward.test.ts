/** What `context.forward` makes of requests and answers (RFC 9110, RFC 9112), on both hosts, beside a server that shows bytes. */
import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { bundle } from '../support/bundle';
import type { Wishes } from '../support/forward-probe/functions';
import { type HostProcess, startHost } from '../support/host-process';
import { exchange, openRaw, speak } from '../support/raw-http';
import type { Message } from '../support/raw-message';
import { type Answerer, ok, type RawUpstream, startRawUpstream } from '../support/raw-upstream';

const none = mkdtempSync(path.join(os.tmpdir(), 'faas-'));
const HOST = 'host: outside.example\r\n';
const get = (fields = '', target = '/forward-probe/'): string =>
  `GET ${target} HTTP/1.1\r\n${HOST}${fields}\r\n`;
const valuesOf = ({ fields }: Message, name: string): readonly string[] =>
  fields.filter(([field]) => field === name).map(([, value]) => value);

const wishOf = (wishes: Wishes) => ({ 'x-wishes': JSON.stringify(wishes) });

const inAscii = (json: string): string =>
  json.replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

describe.each(['node', 'functions-framework'])('the %s host', (name) => {
  let host: HostProcess;
  let upstream: RawUpstream;
  let answer: Answerer;
  const start = (environment: Record<string, string> = {}) =>
    startHost({
      file: bundle(`test/support/forward-probe/${name}.ts`),
      environment: { PIPELINES_DIR: none, FORWARD_PROBE_ORIGIN: upstream.url, ...environment },
    });
  /** The one request that has come. */
  const seen = (): Message => {
    expect([upstream.requests().length, upstream.rests()]).toEqual([1, []]);
    return upstream.requests()[0] as Message;
  };

  beforeAll(async () => {
    upstream = await startRawUpstream((message, socket) => answer(message, socket));
    host = await start();
  });
  afterAll(async () => {
    await host.stop('SIGKILL');
    await upstream.close();
  });
  beforeEach(() => {
    answer = ({ body }) => ok(body);
    upstream.forget();
  });

  describe('a request', () => {
    test('carries the host of the target, who asked, and the way it came', async () => {
      await speak(host.port, get('via: 1.0 before\r\nconnection: close\r\n'));
      const message = seen();
      expect(valuesOf(message, 'host')).toEqual([`127.0.0.1:${upstream.port}`]);
      expect(valuesOf(message, 'via')).toEqual(['1.0 before, 1.1 faas-patterns']);
      expect(valuesOf(message, 'x-forwarded-for')).toEqual(['127.0.0.1']);
      expect(valuesOf(message, 'x-forwarded-host')).toEqual(['outside.example']);
      expect(valuesOf(message, 'x-forwarded-proto')).toEqual(['http']);
      expect(valuesOf(message, 'traceparent')).toEqual([
        expect.stringMatching(/^00-[\da-f]{32}-[\da-f]{16}-01$/),
      ]);
    });

    const FORGED =
      'x-forwarded-for: 6.6.6.6\r\nX-Forwarded-For: 7.7.7.7\r\nx-forwarded-host: evil\r\nx-forwarded-proto: https\r\nconnection: close\r\n';

    test('has our own caller behind those that came, and what came of host and scheme counts for nothing', async () => {
      await speak(host.port, get(FORGED));
      const message = seen();
      expect(valuesOf(message, 'x-forwarded-for')).toEqual(['6.6.6.6, 7.7.7.7, 127.0.0.1']);
      expect(valuesOf(message, 'x-forwarded-host')).toEqual(['outside.example']);
      expect(valuesOf(message, 'x-forwarded-proto')).toEqual(['http']);
    });

    test('behind proxies of ours keeps what they say of host and scheme', async () => {
      const behind = await start({ TRUSTED_PROXY_HOPS: '1' });
      await speak(behind.port, get(FORGED));
      expect(valuesOf(seen(), 'x-forwarded-host')).toEqual(['evil']);
      expect(valuesOf(seen(), 'x-forwarded-proto')).toEqual(['https']);
      await behind.stop();
    });

    test('in absolute form was meant for the host in it', async () => {
      await speak(
        host.port,
        get('connection: close\r\n', 'http://inside.example:81/forward-probe/a'),
      );
      expect(valuesOf(seen(), 'x-forwarded-host')).toEqual(['inside.example:81']);
      expect(seen().line).toBe('GET /a HTTP/1.1');
    });

    test('that Connection names fields of goes on without them, whatever they are', async () => {
      await speak(
        host.port,
        get(
          'connection: close, X-Mine, via, x-forwarded-for\r\nx-mine: 1\r\nkeep-alive: timeout=9\r\nproxy-connection: x\r\nx-forwarded-for: 6.6.6.6\r\nother: 2\r\n',
        ),
      );
      const message = seen();
      for (const gone of ['x-mine', 'keep-alive', 'proxy-connection', 'connection'])
        expect(valuesOf(message, gone)).toEqual([]);
      expect(valuesOf(message, 'other')).toEqual(['2']);
      expect(valuesOf(message, 'x-forwarded-for')).toEqual(['127.0.0.1']);
    });

    test('tells that its client takes trailers, if Connection names TE', async () => {
      await speak(host.port, get('connection: close, TE\r\nte: trailers, deflate\r\n'));
      expect(valuesOf(seen(), 'te')).toEqual(['trailers']);
      expect(valuesOf(seen(), 'connection')).toEqual(['te']);
      upstream.forget();
      await speak(host.port, get('connection: close\r\nte: trailers\r\n'));
      expect(valuesOf(seen(), 'te')).toEqual([]);
    });

    test('in chunks keeps its trailers, but for those that speak of the message', async () => {
      await speak(
        host.port,
        `POST /forward-probe/ HTTP/1.1\r\n${HOST}connection: close\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 7\r\nhost: evil\r\nauthorization: evil\r\n\r\n`,
      );
      expect([seen().body, seen().trailers]).toEqual(['hello', [['x-sum', '7']]]);
      expect(valuesOf(seen(), 'trailer')).toEqual(['x-sum']);
    });

    test.each(['POST', 'PUT', 'PATCH'])('%s without a body says so', async (method) => {
      await speak(host.port, get('connection: close\r\n').replace('GET', method));
      expect(valuesOf(seen(), 'content-length')).toEqual(['0']);
    });

    test.each(['GET', 'DELETE', 'OPTIONS', 'PROPFIND'])(
      '%s without a body says nothing of one',
      async (method) => {
        await speak(
          host.port,
          `${method} /forward-probe/ HTTP/1.1\r\n${HOST}connection: close\r\n\r\n`,
        );
        expect(seen().fields.map(([field]) => field)).not.toContain('content-length');
      },
    );

    test('goes no further than Max-Forwards says, and TRACE not at all', async () => {
      const options = (left: number) =>
        `OPTIONS /forward-probe/ HTTP/1.1\r\n${HOST}max-forwards: ${left}\r\nconnection: close\r\n\r\n`;
      expect(await speak(host.port, options(0))).toMatch(/^HTTP\/1.1 204 /);
      expect(await speak(host.port, get('connection: close\r\n').replace('GET', 'TRACE'))).toMatch(
        /^HTTP\/1.1 405 /,
      );
      expect(upstream.requests()).toEqual([]);
      await speak(host.port, options(7));
      expect(valuesOf(seen(), 'max-forwards')).toEqual(['6']);
    });

    test('of a megabyte in one piece and in chunks arrives byte for byte', async () => {
      const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => (i * 31) % 256));
      answer = ({ body }) => ok(body === bytes.toString('latin1') ? 'same' : 'other');
      for (const body of [bytes, [bytes.subarray(0, 99), bytes.subarray(99)]]) {
        const stream = Array.isArray(body)
          ? {
              async *[Symbol.asyncIterator]() {
                yield* body;
              },
            }
          : body;
        const got = await exchange(host.port, {
          method: 'POST',
          path: '/forward-probe/',
          body: stream,
        });
        expect(got.body.toString()).toBe('same');
      }
    });

    const wish = (wishes: Wishes) => [['x-wishes', inAscii(JSON.stringify(wishes))]] as const;

    test('takes the method, path, fields and body that the handler gives', async () => {
      const options = {
        method: 'PUT',
        path: '/own?x=%20',
        body: 'ours',
        headers: { 'X-Own': '1', 'x-gone': undefined, via: 'own', host: 'own.example' },
      };
      await exchange(host.port, {
        method: 'POST',
        path: '/forward-probe/',
        headers: [...wish({ options }), ['x-gone', '1'], ['x-own', '2']],
        body: 'theirs',
      });
      const message = seen();
      expect([message.line, message.body]).toEqual(['PUT /own?x=%20 HTTP/1.1', 'ours']);
      expect(valuesOf(message, 'x-own')).toEqual(['1']);
      expect(valuesOf(message, 'via')).toEqual(['own']);
      expect(valuesOf(message, 'host')).toEqual(['own.example']);
      expect(valuesOf(message, 'content-length')).toEqual(['4']);
    });

    test.each([
      { path: '/a b' },
      { path: '/a\r\nx: y' },
      { path: '/a\u010d\u010a' },
      { path: 'a' },
      { path: '' },
      { method: 'GET / HTTP/1.1\r\nx: y\r\n\r\nGET' },
      { method: '' },
      { headers: { 'x-a': 'a\r\nx-b: b' } },
      { headers: { 'x-a': 'a\u010d\u010ax-b: b' } },
      { headers: { 'x-a\r\nx-b': 'a' } },
      { headers: { 'x a': 'a' } },
      { headers: { 'Content-Length': '9' } },
      { headers: { 'transfer-encoding': 'chunked' } },
      { headers: { connection: 'close' } },
      { headers: { upgrade: 'x' } },
    ])('is not sent with %j', async (options) => {
      const got = await exchange(host.port, {
        path: '/forward-probe/',
        headers: wish({ options }),
      });
      expect([got.status, upstream.requests()]).toEqual([500, []]);
      expect((await exchange(host.port, { path: '/forward-probe/' })).status).toBe(200);
    });
  });

  describe('100-continue', () => {
    const expecting = `POST /forward-probe/ HTTP/1.1\r\n${HOST}expect: 100-continue\r\ncontent-length: 5\r\nconnection: close\r\n\r\n`;

    test('comes when the server behind says so, and not before', async () => {
      const client = openRaw(host.port, expecting);
      const [socket, head] = await upstream.head(/expect: 100-continue\r\n/);
      expect(head).toMatch(/\r\n\r\n$/);
      expect(client.text).toBe('');
      socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
      client.socket.write('hello');
      expect(await client.ended()).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
      expect(seen().body).toBe('hello');
    });

    test('never comes where the server behind refuses, and nothing of the body goes on', async () => {
      const client = openRaw(host.port, expecting);
      const [socket] = await upstream.head(/expect: 100-continue\r\n/);
      socket.write('HTTP/1.1 417 Expectation Failed\r\ncontent-length: 2\r\n\r\nno');
      expect(await client.ended()).toMatch(
        /^HTTP\/1\.1 417 [\s\S]*connection: close[\s\S]*\r\n\r\nno$/i,
      );
      expect(upstream.requests()).toEqual([]);
    });

    test('need not be waited for', async () => {
      const client = openRaw(host.port, `${expecting}hello`);
      expect(await client.ended()).toMatch(/^HTTP\/1\.1 200 /);
      expect(seen().body).toBe('hello');
    });

    test('comes at once where a function reads the body itself', async () => {
      const client = openRaw(host.port, expecting.replace('/ HTTP', '/count HTTP'));
      await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
      client.socket.write('hello');
      expect(await client.ended()).toMatch(/\r\n\r\n\{"size":5\}$/);
    });
  });

  describe('an answer', () => {
    test('of status 103 goes on before the one that counts', async () => {
      answer = () =>
        `HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload; as=style\r\nlink: </b.js>; rel=preload\r\nx-a: b\r\n\r\n${ok('late')}`;
      const text = await speak(host.port, get('connection: close\r\n'));
      expect(text).toMatch(
        /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a.css>; rel=preload; as=style, <\/b.js>; rel=preload\r\nx-a: b\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*late$/,
      );
      const old = await speak(host.port, get().replace('HTTP/1.1', 'HTTP/1.0'));
      expect(old).toMatch(/^HTTP\/1\.1 200 /);
    });

    test('has its fields in their order, without what ends at this hop', async () => {
      answer = () =>
        'HTTP/1.1 200 OK\r\nB: 1\r\nset-cookie: a=1\r\nA: 2\r\nB: 3\r\nSet-Cookie: b=2\r\nconnection: keep-alive, X-Hop\r\nx-hop: 1\r\nkeep-alive: timeout=9\r\nproxy-authenticate: x\r\nupgrade: h2c\r\ncontent-length: 0\r\n\r\n';
      const { headers } = await exchange(host.port, { path: '/forward-probe/' });
      const shown = headers.filter(([field]) =>
        /^(a|b|set-cookie|x-hop|proxy-.*|upgrade)$/.test(field),
      );
      expect(shown).toEqual([
        ['b', '1'],
        ['set-cookie', 'a=1'],
        ['a', '2'],
        ['b', '3'],
        ['set-cookie', 'b=2'],
      ]);
      expect(headers.join('\n')).not.toMatch(/timeout=9/);
    });

    test('keeps its trailers for a client of HTTP/1.1, and loses them for one of HTTP/1.0', async () => {
      answer = () =>
        'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 7\r\nhost: evil\r\nset-cookie: evil\r\n\r\n';
      expect(await speak(host.port, get('connection: close\r\n'))).toMatch(
        /\r\ntrailer: x-sum\r\n[\s\S]*\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 7\r\n\r\n$/i,
      );
      const old = await speak(host.port, get().replace('HTTP/1.1', 'HTTP/1.0'));
      expect(old).toMatch(/\r\n\r\nhello$/);
      expect(old).not.toMatch(/trailer|chunked/i);
    });

    test('to HEAD has the length that GET would have, and no body; its connection is used again', async () => {
      answer = ({ line }) =>
        line.startsWith('HEAD') ? 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n' : ok('next');
      const got = await exchange(host.port, { method: 'HEAD', path: '/forward-probe/' });
      expect([got.status, new Map(got.headers).get('content-length'), got.body.length]).toEqual([
        200,
        '5',
        0,
      ]);
      const next = await exchange(host.port, { path: '/forward-probe/' });
      expect([next.body.toString(), upstream.sockets().length]).toEqual(['next', 1]);
      answer = () => 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
      const chunked = await exchange(host.port, { method: 'HEAD', path: '/forward-probe/' });
      expect([chunked.status, new Map(chunked.headers).get('content-length')]).toEqual([
        200,
        undefined,
      ]);
    });

    test('304 keeps the length of what it speaks of; 204 has none', async () => {
      answer = () => 'HTTP/1.1 304 Not Modified\r\netag: "a"\r\ncontent-length: 5\r\n\r\n';
      const kept = await exchange(host.port, { path: '/forward-probe/' });
      expect(new Map(kept.headers).get('content-length')).toBe('5');
      answer = () => 'HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n';
      const empty = await exchange(host.port, { path: '/forward-probe/' });
      expect([empty.status, new Map(empty.headers).get('content-length')]).toEqual([
        204,
        undefined,
      ]);
    });

    test('that ends with its connection is whole, and one of HTTP/1.0 too', async () => {
      for (const version of ['1.1', '1.0']) {
        answer = (_message, socket) => void socket.end(`HTTP/${version} 200 OK\r\n\r\nto the end`);
        const got = await exchange(host.port, { path: '/forward-probe/' });
        expect([got.body.toString(), got.broken]).toEqual(['to the end', false]);
      }
    });

    test('has its head at once, and each part as it comes', async () => {
      let socket: import('node:net').Socket | undefined;
      answer = (_message, from) => {
        socket = from;
        return 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
      };
      const client = openRaw(host.port, get('connection: close\r\n'));
      await client.until(/text\/event-stream[\s\S]*\r\n\r\n$/);
      socket?.write('9\r\ndata: 1\n\n\r\n');
      await client.until(/data: 1\n\n\r\n$/);
      socket?.write('9\r\ndata: 2\n\n\r\n');
      await client.until(/data: 2\n\n\r\n$/);
      socket?.write('0\r\n\r\n');
      expect(await client.ended()).toMatch(/\r\n0\r\n\r\n$/);
    });

    test('that is large arrives byte for byte, however often its clients stop, and side by side', async () => {
      const size = 24 * 1024 * 1024;
      // Every page of it is another.
      const bytes = Buffer.alloc(size);
      for (let i = 0; i < size; i += 4) bytes.writeUInt32LE((i * 2_654_435_761) % 4_294_967_296, i);
      const expected = createHash('sha256').update(bytes).digest('hex');
      answer = ({ line }, socket) => {
        if (line.includes('chunks')) {
          socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
          for (let at = 0; at < size; at += 100_000) {
            const part = bytes.subarray(at, at + 100_000);
            socket.write(`${part.length.toString(16)}\r\n`);
            socket.write(part);
            socket.write('\r\n');
          }
          return '0\r\n\r\n';
        }
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
        socket.write(bytes);
        return undefined;
      };
      const fetchIt = (target: string): Promise<string> =>
        new Promise((resolve, reject) => {
          const headers = wishOf({ options: { timeout: 20_000 } });
          const options = {
            host: '127.0.0.1',
            port: host.port,
            path: target,
            agent: false,
            headers,
          };
          const digest = createHash('sha256');
          http
            .get(options, (response) => {
              response.on('data', (part: Buffer) => {
                digest.update(part);
                if (part[0] === undefined || part[0] % 16 > 0) return;
                response.pause();
                setTimeout(() => response.resume(), 1);
              });
              response.on('end', () => resolve(digest.digest('hex'))).on('error', reject);
            })
            .on('error', reject);
        });
      const targets = [
        '/forward-probe/',
        '/forward-probe/chunks',
        '/forward-probe/',
        '/forward-probe/chunks',
      ];
      expect(await Promise.all(targets.map(fetchIt))).toEqual(targets.map(() => expected));
    }, 60_000);

    test('can be read by the handler instead', async () => {
      const text = 'ä'.repeat(100_000);
      answer = () => Buffer.from(ok(text));
      const headers = [['x-wishes', JSON.stringify({ reads: true })]] as const;
      const got = await exchange(host.port, { path: '/forward-probe/', headers });
      expect(JSON.parse(got.body.toString())).toEqual({ status: 200, text });
    });

    test('that comes before the body has gone is passed on, and its connection is not used again', async () => {
      const client = openRaw(
        host.port,
        `POST /forward-probe/ HTTP/1.1\r\n${HOST}content-length: 10\r\n\r\nhello`,
      );
      const [socket] = await upstream.head(/content-length: 10\r\n\r\nhello$/);
      socket.write(ok('early'));
      await client.until(/\r\n\r\nearly$/);
      client.socket.write(`world${get('connection: close\r\n', '/forward-probe/next')}`);
      expect(await client.ended()).toMatch(/early[\s\S]*HTTP\/1\.1 200 /);
      expect(upstream.requests().map(({ line }) => line)).toEqual(['GET /next HTTP/1.1']);
    });
  });

  test('a hundred requests one after the other take one connection, a hundred at once a hundred', async () => {
    for (let i = 0; i < 100; i += 1) await exchange(host.port, { path: '/forward-probe/' });
    expect(upstream.sockets().length).toBe(1);
    const waiting: (() => void)[] = [];
    answer = (_message, socket) => {
      waiting.push(() => socket.write(ok()));
      if (waiting.length === 100) for (const go of waiting) go();
      return undefined;
    };
    const all = Array.from({ length: 100 }, () => exchange(host.port, { path: '/forward-probe/' }));
    expect((await Promise.all(all)).every(({ status }) => status === 200)).toBe(true);
    expect(upstream.sockets().length).toBe(100);
  });

  test('a connection is not kept longer than the server behind says', async () => {
    answer = () => 'HTTP/1.1 200 OK\r\nkeep-alive: timeout=1\r\ncontent-length: 0\r\n\r\n';
    await exchange(host.port, { path: '/forward-probe/' });
    await exchange(host.port, { path: '/forward-probe/' });
    expect(upstream.connections()).toBe(2);
    answer = () => 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';
    await exchange(host.port, { path: '/forward-probe/' });
    await exchange(host.port, { path: '/forward-probe/' });
    expect(upstream.connections()).toBe(4);
  });
});
