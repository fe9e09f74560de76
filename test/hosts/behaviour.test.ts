/** What hosts do over time: limits, drain, clients that leave, forwarding, logs. On both, as processes. */
import { mkdtempSync, readFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bundle } from '../support/bundle';
import { type HostProcess, runToEnd, startHost } from '../support/host-process';
import { exchange, speak } from '../support/raw-http';

const none = mkdtempSync(path.join(os.tmpdir(), 'faas-'));
const TRACE = '0af7651916cd43dd8448eb211c80319c';

describe.each(['node', 'functions-framework'])('the %s host', (name) => {
  const file = bundle(`test/support/probe/${name}.ts`);
  let host: HostProcess;
  let upstream: http.Server;
  let answerUpstream: (incoming: IncomingMessage, outgoing: ServerResponse) => void;
  const start = (environment: Record<string, string> = {}) =>
    startHost({
      file,
      environment: {
        PIPELINES_DIR: none,
        PROBE_STREAM_ORIGIN: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
        ...environment,
      },
    });

  beforeAll(async () => {
    upstream = http.createServer((incoming, outgoing) => answerUpstream(incoming, outgoing));
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    host = await start();
  });

  afterAll(async () => {
    await host.stop('SIGKILL');
    upstream.closeAllConnections();
    upstream.close();
  });

  test('a gzip body of 300 KB that inflates to 300 MiB is refused with less than 30 MiB of growth', async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(300 * 1024 * 1024, 0x20));
    expect(bomb.length).toBeGreaterThan(250_000);
    const fresh = await start();
    const headers = [
      ['content-type', 'application/json'],
      ['content-encoding', 'gzip'],
    ] as const;
    await exchange(fresh.port, {
      method: 'POST',
      path: '/probe-json',
      headers,
      body: zlib.gzipSync('{}'),
    });
    const before = peakMemory(fresh);
    const answer = await exchange(fresh.port, {
      method: 'POST',
      path: '/probe-json',
      headers,
      body: bomb,
    });
    expect(answer.status).toBe(413);
    expect(peakMemory(fresh) - before).toBeLessThan(30 * 1024);
    await fresh.stop();
  });

  test('100 requests in flight at SIGTERM all get their answers, new connections none, and it exits with 0', async () => {
    const fresh = await start();
    const inFlight = Array.from({ length: 100 }, () =>
      exchange(fresh.port, { path: '/probe-stream/slow?ms=1500' }),
    );
    await delay(600);
    const stopped = fresh.stop('SIGTERM');
    await delay(200);
    await expect(exchange(fresh.port, { path: '/health/liveness' })).rejects.toThrow(
      /ECONNREFUSED/,
    );
    const answers = await Promise.all(inFlight);
    expect(answers.map(({ status, broken }) => `${status} ${broken}`)).toEqual(
      Array(100).fill('200 false'),
    );
    expect(await stopped).toBe(0);
  });

  test('while it drains, a kept connection is told so: readiness 503 and connection close', async () => {
    const fresh = await start();
    const slow = exchange(fresh.port, { path: '/probe-stream/slow?ms=1000' });
    // Two requests on one connection: the second comes when the host is stopping already.
    const kept = speak(
      fresh.port,
      'GET /probe-stream/slow?ms=900 HTTP/1.1\r\nhost: x\r\n\r\nGET /probe-json/items/7 HTTP/1.1\r\nhost: x\r\n\r\n',
    );
    await delay(300);
    const stopped = fresh.stop('SIGTERM');
    await slow;
    const answers = await kept;
    expect(answers).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*connection: close/i);
    expect(await stopped).toBe(0);
  });

  test('work that was promised for after the answer is done before the process ends', async () => {
    const fresh = await start();
    await exchange(fresh.port, { path: '/probe-stream/background' });
    expect(await fresh.stop('SIGINT')).toBe(0);
    expect(fresh.lines().map(({ message }) => message)).toContain('background_done');
  });

  test('a request that never ends is cut when the drain is over, and the exit is still 0', async () => {
    const fresh = await start();
    const hanging = exchange(fresh.port, { path: '/probe-stream/slow?ms=60000' }).catch(
      (error: Error) => error.message,
    );
    await delay(300);
    const began = Date.now();
    expect(await fresh.stop('SIGTERM')).toBe(0);
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(await hanging).toMatch(/hang up|ECONNRESET/);
  });

  test('many requests that wait at once are no leak', async () => {
    const sockets = Array.from({ length: 40 }, () =>
      net.connect(host.port, '127.0.0.1', function (this: net.Socket) {
        this.write('GET /probe-stream/wait HTTP/1.1\r\nhost: x\r\n\r\n');
      }),
    );
    await delay(400);
    for (const socket of sockets) socket.destroy();
    await delay(200);
    expect(host.output()).not.toMatch(/MaxListeners/);
  });

  test('a client that leaves aborts the signal of its request', async () => {
    const socket = net.connect(host.port, '127.0.0.1', () =>
      socket.write('GET /probe-stream/wait HTTP/1.1\r\nhost: x\r\nx-request-id: leaver\r\n\r\n'),
    );
    await delay(200);
    socket.destroy();
    await delay(200);
    const { body } = await exchange(host.port, { path: '/probe-stream/left' });
    expect(JSON.parse(body.toString())).toContain('leaver');
  });

  test('a client that leaves in the middle of its body harms nobody', async () => {
    const socket = net.connect(host.port, '127.0.0.1', () =>
      socket.write(
        'POST /probe-json HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"a":',
      ),
    );
    await delay(100);
    socket.destroy();
    await delay(100);
    expect((await exchange(host.port, { path: '/probe-json/items/7' })).status).toBe(200);
    expect(host.lines().filter(({ severity }) => severity === 'ERROR')).toEqual([]);
  });

  test('what is not HTTP gets a problem document', async () => {
    const answer = await speak(host.port, 'GET / HTTP/9.9\r\nbroken\r\n\r\n');
    expect(answer).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/problem\+json/,
    );
    expect(JSON.parse(answer.split('\r\n\r\n')[1] as string)).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
  });

  test.each([
    ['two lengths', 'content-length: 2\r\ncontent-length: 3\r\n'],
    ['a length and chunks', 'content-length: 2\r\ntransfer-encoding: chunked\r\n'],
    ['a folded field', 'x-a: 1\r\n 2\r\n'],
  ])('%s in one head are refused', async (_, fields) => {
    expect(
      await speak(host.port, `POST /probe-json HTTP/1.1\r\nhost: x\r\n${fields}\r\n{}`),
    ).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('a head over 16 KiB is refused with 431', async () => {
    const answer = await speak(
      host.port,
      `GET / HTTP/1.1\r\nhost: x\r\nx-big: ${'a'.repeat(17_000)}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 .*"code":"headers_too_large"/s);
  });

  test('a head that does not arrive is given up with 408', async () => {
    const answer = await speak(host.port, 'GET / HTTP/1.1\r\nhost: x\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 408 .*"code":"request_timeout"/s);
  }, 20_000);

  test('a JSON body that does not arrive is given up with 408', async () => {
    const answer = await speak(
      host.port,
      'POST /probe-json HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 408 .*"code":"request_timeout"/s);
  }, 25_000);

  test('logs are JSON lines with severity, request id and trace id, and nothing secret', async () => {
    const headers = [
      ['x-request-id', 'logged-1'],
      ['traceparent', `00-${TRACE}-b7ad6b7169203331-01`],
      ['authorization', 'Bearer canary5'],
    ] as const;
    const { body } = await exchange(host.port, { path: '/probe-stream/log', headers });
    const { traceparent } = JSON.parse(body.toString()) as { traceparent: string };
    expect(traceparent).toMatch(new RegExp(`^00-${TRACE}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`));
    await delay(50);
    const line = host.lines().find(({ message, id }) => message === 'probe' && id === 'logged-1');
    expect(line).toMatchObject({
      severity: 'INFO',
      trace: TRACE,
      fine: 'shown',
      token: '[redacted]',
    });
    expect(host.output()).not.toMatch(/canary/);
  });

  test('an error is logged with its cause, and its answer says nothing of it', async () => {
    const { body } = await exchange(host.port, {
      path: '/probe-json/throw',
      headers: [['x-request-id', 'thrown-1']],
    });
    expect(body.toString()).not.toMatch(/secret|srv/);
    await delay(50);
    expect(host.lines().find(({ id }) => id === 'thrown-1')).toMatchObject({
      severity: 'ERROR',
      message: 'request_failed',
      status: 500,
      error: { message: 'a secret at /srv/app/file.ts' },
    });
  });

  test.each(['', 'with space', 'x'.repeat(129), 'a\u00e9'])(
    'the request id %j is not taken over',
    async (id) => {
      const { headers } = await exchange(host.port, {
        path: '/probe-json/items/7',
        headers: [['x-request-id', id]],
      });
      expect(new Map(headers).get('x-request-id')).toMatch(/^[\w-]{24}$/);
    },
  );

  describe('forward', () => {
    test('method, path, raw query, fields and bytes go on; hop-by-hop fields do not, on both ways', async () => {
      let seen: { line: string; raw: string[]; body: Buffer } | undefined;
      answerUpstream = (incoming, outgoing) => {
        const parts: Buffer[] = [];
        incoming
          .on('data', (part: Buffer) => parts.push(part))
          .on('end', () => {
            seen = {
              line: `${incoming.method} ${incoming.url}`,
              raw: incoming.rawHeaders,
              body: Buffer.concat(parts),
            };
            outgoing.writeHead(418, [
              'x-up',
              '1',
              'x-up',
              '2',
              'set-cookie',
              'a=1',
              'set-cookie',
              'b=2',
              'connection',
              'x-hop, close',
              'x-hop',
              'no',
              'keep-alive',
              'timeout=5',
              'proxy-authenticate',
              'no',
            ]);
            outgoing.end('teapot');
          });
      };
      const answer = await exchange(host.port, {
        method: 'PUT',
        path: '/probe-stream/forward/a%2Fb?q=%20&q=+',
        headers: [
          ['X-Twice', '1'],
          ['X-Twice', '2'],
          ['Connection', 'X-Secret-Hop'],
          ['X-Secret-Hop', 'no'],
          ['TE', 'trailers'],
          ['Proxy-Authorization', 'Basic no'],
          ['Authorization', 'Bearer yes'],
          ['traceparent', `00-${TRACE}-b7ad6b7169203331-01`],
          ['content-length', '3'],
        ],
        body: Buffer.from([0, 255, 10]),
      });
      expect([answer.status, answer.body.toString()]).toEqual([418, 'teapot']);
      expect(
        answer.headers.filter(
          ([field]) =>
            !['x-request-id', 'transfer-encoding', 'connection', 'keep-alive'].includes(field),
        ),
      ).toEqual([
        ['x-up', '1'],
        ['x-up', '2'],
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ]);
      expect(answer.headers.map(([field, value]) => `${field}: ${value}`).join('\n')).not.toMatch(
        /x-hop|timeout=5|proxy-/,
      );
      expect(seen?.line).toBe('PUT /a%2Fb?q=%20&q=+');
      expect([...(seen?.body ?? [])]).toEqual([0, 255, 10]);
      const raw = seen?.raw.join('\n') ?? '';
      expect(raw).toMatch(/x-twice\n1\n[\s\S]*x-twice\n2/i);
      expect(raw).toMatch(/Authorization\nBearer yes/i);
      expect(raw).toMatch(/content-length\n3/i);
      expect(raw).toMatch(/via\n1\.1 faas-patterns/);
      expect(raw).toMatch(new RegExp(`traceparent\n00-${TRACE}-(?!b7ad6b7169203331)`));
      expect(raw).not.toMatch(/secret-hop|trailers|proxy-authorization|Basic no/i);
    });

    test('no server behind is 502', async () => {
      const fresh = await start({ PROBE_STREAM_ORIGIN: 'http://127.0.0.1:1' });
      const answer = await exchange(fresh.port, { path: '/probe-stream/forward/' });
      expect([answer.status, JSON.parse(answer.body.toString()).code]).toEqual([
        502,
        'upstream_unreachable',
      ]);
      await fresh.stop();
    });

    test('an answer that does not begin in time is 504', async () => {
      answerUpstream = () => {};
      const answer = await exchange(host.port, { path: '/probe-stream/forward/' });
      expect([answer.status, JSON.parse(answer.body.toString()).code]).toEqual([
        504,
        'upstream_timeout',
      ]);
    });

    test('an answer that is not HTTP is 502', async () => {
      answerUpstream = (incoming) => incoming.socket.end('HTTP/1.1 nonsense\r\n\r\n');
      const answer = await exchange(host.port, { path: '/probe-stream/forward/' });
      expect(answer.status).toBe(502);
    });

    test('an answer that breaks off breaks off for the client', async () => {
      answerUpstream = (incoming, outgoing) => {
        outgoing.writeHead(200, { 'content-length': '100' });
        outgoing.write('a beginning');
        setTimeout(() => incoming.socket.destroy(), 50);
      };
      const answer = await exchange(host.port, { path: '/probe-stream/forward/' });
      expect([answer.body.toString(), answer.broken]).toEqual(['a beginning', true]);
    });

    test('a client that leaves lets go of the server behind', async () => {
      let gone = false;
      answerUpstream = (incoming, outgoing) => {
        outgoing.writeHead(200);
        outgoing.write('a beginning');
        incoming.socket.on('close', () => {
          gone = true;
        });
      };
      const socket = net.connect(host.port, '127.0.0.1', () =>
        socket.write('GET /probe-stream/forward/ HTTP/1.1\r\nhost: x\r\n\r\n'),
      );
      await new Promise((resolve) => socket.once('data', resolve));
      socket.destroy();
      for (let i = 0; i < 50 && !gone; i += 1) await delay(20);
      expect(gone).toBe(true);
    });

    test('a slow client slows the server behind: 200 MiB go through without being kept', async () => {
      let sent = 0;
      answerUpstream = (_incoming, outgoing) => {
        const part = Buffer.alloc(65_536, 1);
        const more = () => {
          while (sent < 200 * 1024 * 1024) {
            sent += part.length;
            if (!outgoing.write(part)) return void outgoing.once('drain', more);
          }
          outgoing.end();
        };
        more();
      };
      const before = peakMemory(host);
      const socket = net.connect(host.port, '127.0.0.1', () =>
        socket.write('GET /probe-stream/forward/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'),
      );
      socket.pause();
      await delay(700);
      expect(sent).toBeLessThan(40 * 1024 * 1024);
      let received = 0;
      socket.on('data', (chunk) => {
        received += chunk.length;
      });
      socket.resume();
      await new Promise((resolve) => socket.once('close', resolve));
      expect(received).toBeGreaterThan(200 * 1024 * 1024);
      expect(peakMemory(host) - before).toBeLessThan(64 * 1024);
    }, 60_000);

    test('a slow server behind slows the client: an upload is not kept', async () => {
      let resume = () => {};
      let size = 0;
      answerUpstream = (incoming, outgoing) => {
        resume = () => {
          incoming.on('data', (part: Buffer) => {
            size += part.length;
          });
          incoming.on('end', () => outgoing.end('done'));
        };
        setTimeout(() => resume(), 600);
      };
      const before = peakMemory(host);
      let written = 0;
      const body = {
        async *[Symbol.asyncIterator]() {
          for (; written < 100 * 1024 * 1024; written += 65_536) yield Buffer.alloc(65_536, 1);
        },
      };
      const request = http.request({
        host: '127.0.0.1',
        port: host.port,
        method: 'POST',
        path: '/probe-stream/forward/',
        agent: false,
      });
      const answered = new Promise<string>((resolve, reject) => {
        request.on('error', reject).on('response', (response) => {
          let text = '';
          response
            .on('data', (chunk) => {
              text += chunk;
            })
            .on('end', () => resolve(text));
        });
      });
      for await (const part of body)
        if (!request.write(part)) await new Promise((resolve) => request.once('drain', resolve));
      request.end();
      expect(await answered).toBe('done');
      expect(size).toBe(100 * 1024 * 1024);
      expect(peakMemory(host) - before).toBeLessThan(64 * 1024);
    }, 60_000);
  });

  describe('start', () => {
    test('a wrong environment is refused with every mistake in one message, exit 2, before it listens', async () => {
      const { code, stdout, stderr } = await runToEnd(file, {
        PIPELINES_DIR: none,
        PORT: 'many',
        STORE_URL: 'redis://u:canary@x/one',
        PROBE_JSON_LIMIT: '0',
        PROBE_JSON_WAIT: 'soon',
        PROBE_STREAM_ORIGIN: 'nowhere',
      });
      expect([code, stdout]).toEqual([2, '']);
      for (const part of [
        /PORT +must be integer/,
        /STORE_URL +must be like redis:/,
        /PROBE_JSON_LIMIT +must be >= 1/,
        /PROBE_JSON_WAIT +must be a duration/,
        /PROBE_STREAM_ORIGIN +must be an http/,
      ])
        expect(stderr).toMatch(part);
      expect(stderr).not.toMatch(/canary/);
    });

    test('a function that does not exist is refused with those that do', async () => {
      const { code, stderr } = await runToEnd(file, {
        PIPELINES_DIR: none,
        FUNCTION_TARGET: 'nobody',
      });
      expect(code).toBe(2);
      expect(stderr).toMatch(
        /FUNCTION_TARGET +there is no function "nobody"; there are probe-json, probe-stream/,
      );
    });

    test('a port in use is refused with a sentence', async () => {
      const { code, stderr } = await runToEnd(file, {
        PIPELINES_DIR: none,
        PORT: String(host.port),
      });
      expect(code).toBe(1);
      expect(stderr).toMatch(/port \d+ is in use; set PORT/);
    });

    test('FUNCTION_TARGET serves one function, under its name and at the root', async () => {
      const fresh = await start({ FUNCTION_TARGET: 'probe-json' });
      const statuses = [];
      for (const at of [
        '/items/7',
        '/probe-json/items/7',
        '/probe-stream/target',
        '/health/readiness',
      ])
        statuses.push((await exchange(fresh.port, { path: at })).status);
      expect(statuses).toEqual([200, 200, 404, 200]);
      await fresh.stop();
    });
  });
});

/** The most memory that the process has held, KiB. */
const peakMemory = ({ child }: HostProcess): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]);
