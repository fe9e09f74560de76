/**
 * What `context.forward` does over time, on both hosts: who waits for whom and how long, who is told that the other has left, what
 * is tried again and what never is, and how streams are ended from here.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { AUTHORITY, CERTIFICATES, KEY } from '../shared/webhook/certificates';
import { bundle } from '../support/bundle';
import type { Wishes } from '../support/forward-probe/functions';
import { type HostProcess, startHost } from '../support/host-process';
import { exchange, openRaw, speak } from '../support/raw-http';
import { type Answerer, ok, type RawUpstream, startRawUpstream } from '../support/raw-upstream';

const none = mkdtempSync(path.join(os.tmpdir(), 'faas-'));
const authority = path.join(none, 'authority.pem');
writeFileSync(authority, AUTHORITY);
const wish = (wishes: Wishes) => [['x-wishes', JSON.stringify(wishes)]] as const;
const HEAD = 'HTTP/1.1 200 OK\r\n';
const EVENTS = `${HEAD}content-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n`;
const raw = (wishes: Wishes = {}, fields = '', line = 'GET /forward-probe/ HTTP/1.1'): string =>
  `${line}\r\nhost: x\r\nx-wishes: ${JSON.stringify(wishes)}\r\n${fields}\r\n`;
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())));

describe.each(['node', 'functions-framework'])('the %s host', (name) => {
  let host: HostProcess;
  let upstream: RawUpstream;
  let answer: Answerer;
  const codeOf = (got: { status: number; body: Buffer }) => [
    got.status,
    JSON.parse(got.body.toString()).code,
  ];
  const counts = async (): Promise<{ ends: number; streams: number; open: number }> =>
    JSON.parse((await exchange(host.port, { path: '/forward-probe/counts' })).body.toString());
  const endStreams = (retry?: number) =>
    exchange(host.port, {
      path: `/forward-probe/end${retry === undefined ? '' : `?retry=${retry}`}`,
    });

  beforeAll(async () => {
    upstream = await startRawUpstream((message, socket) => answer(message, socket));
    host = await startHost({
      file: bundle(`test/support/forward-probe/${name}.ts`),
      environment: {
        PIPELINES_DIR: none,
        FORWARD_PROBE_ORIGIN: upstream.url,
        NODE_EXTRA_CA_CERTS: authority,
      },
    });
  });
  afterAll(async () => {
    expect(host.child.exitCode).toBeNull();
    expect(host.output()).not.toMatch(/uncaught|Unhandled|MaxListeners/);
    await host.stop('SIGKILL');
    await upstream.close();
  });
  beforeEach(() => {
    answer = ({ body }) => ok(body);
    upstream.forget();
  });

  describe('waits', () => {
    test('for the head no longer than `timeout`', async () => {
      answer = () => undefined;
      const headers = wish({ options: { timeout: 300 } });
      expect(codeOf(await exchange(host.port, { path: '/forward-probe/', headers }))).toEqual([
        504,
        'upstream_timeout',
      ]);
    });

    test('for a head that comes letter by letter no longer either', async () => {
      answer = (_message, socket) => {
        const drip = setInterval(() => socket.write('x'), 20);
        socket.once('close', () => clearInterval(drip));
        return `${HEAD}x-a: `;
      };
      const headers = wish({ options: { timeout: 300 } });
      expect(codeOf(await exchange(host.port, { path: '/forward-probe/', headers }))).toEqual([
        504,
        'upstream_timeout',
      ]);
    });

    test('between two parts no longer than `idle`', async () => {
      answer = () => `${HEAD}content-length: 9\r\n\r\nhalf`;
      const headers = wish({ options: { idle: 300, timeout: 20_000 } });
      const got = await exchange(host.port, { path: '/forward-probe/', headers });
      expect([got.body.toString(), got.broken]).toEqual(['half', true]);
    });

    test('between two parts as long as `idle` says, however short `timeout` is', async () => {
      answer = (_message, socket) => {
        void delay(3_000).then(() => socket.write('half'));
        return `${HEAD}content-length: 8\r\n\r\nhalf`;
      };
      const headers = wish({ options: { idle: 20_000, timeout: 1_500 } });
      const got = await exchange(host.port, { path: '/forward-probe/', headers });
      expect([got.body.toString(), got.broken]).toEqual(['halfhalf', false]);
    });

    test('for the first part as for the others', async () => {
      answer = (_message, socket) => {
        void delay(900).then(() => socket.write('whole'));
        return `${HEAD}content-length: 5\r\n\r\n`;
      };
      const patient = wish({ options: { idle: 20_000, timeout: 200 } });
      const got = await exchange(host.port, { path: '/forward-probe/', headers: patient });
      expect([got.body.toString(), got.broken]).toEqual(['whole', false]);
      answer = () => `${HEAD}content-length: 5\r\n\r\n`;
      const headers = wish({ options: { idle: 300, timeout: 20_000 } });
      const began = performance.now();
      const none = await exchange(host.port, { path: '/forward-probe/', headers });
      expect([none.body.toString(), none.broken]).toEqual(['', true]);
      expect(performance.now() - began).toBeLessThan(10_000);
    });

    test('for a client that is slow with its body, which is not the fault of the server behind', async () => {
      const client = openRaw(
        host.port,
        raw(
          { options: { timeout: 300 } },
          'content-length: 10\r\nconnection: close\r\n',
          'POST /forward-probe/ HTTP/1.1',
        ),
      );
      await upstream.head(/\r\n\r\n/);
      for (const part of ['hello', 'world']) {
        await delay(900);
        client.socket.write(part);
      }
      expect(await client.ended()).toMatch(/^HTTP\/1\.1 200 [\s\S]*helloworld$/);
    });

    test('for a server that lets its client wait for 100 (Continue) no longer than `timeout`', async () => {
      const line = 'POST /forward-probe/ HTTP/1.1';
      const fields = 'expect: 100-continue\r\ncontent-length: 5\r\n';
      const client = openRaw(host.port, raw({ options: { timeout: 300 } }, fields, line));
      expect(await client.ended()).toMatch(/^HTTP\/1\.1 504 /);
    });

    test('for a server that does not take the body no longer than `timeout`', async () => {
      const frozen = net.createServer({ pauseOnConnect: true });
      await new Promise<void>((resolve) => frozen.listen(0, '127.0.0.1', resolve));
      const origin = `http://127.0.0.1:${(frozen.address() as AddressInfo).port}`;
      const got = await exchange(host.port, {
        method: 'POST',
        path: '/forward-probe/',
        headers: [...wish({ origin, options: { timeout: 500 } }), ['content-length', '50000000']],
        body: Buffer.alloc(50_000_000, 'x'),
      }).catch((error: Error) => error.message);
      if (typeof got === 'string') expect(got).toMatch(/EPIPE|ECONNRESET/);
      else expect(codeOf(got)).toEqual([504, 'upstream_timeout']);
      frozen.close();
    });
  });

  describe('a client that leaves', () => {
    test('before the head ends its request behind', async () => {
      answer = () => undefined;
      const client = openRaw(host.port, raw({ options: { timeout: 60_000 } }));
      const [socket] = await upstream.head(/\r\n\r\n$/);
      client.socket.destroy();
      await closed(socket);
    });

    test('in its body ends it without an end of the body', async () => {
      const line = 'POST /forward-probe/ HTTP/1.1';
      for (const fields of ['content-length: 9\r\n', 'transfer-encoding: chunked\r\n']) {
        upstream.forget();
        const text = fields.startsWith('c') ? 'half' : chunk('half');
        const client = openRaw(host.port, raw({}, fields, line) + text);
        const [socket] = await upstream.head(/half/);
        client.socket.destroy();
        await closed(socket);
        expect(upstream.requests()).toEqual([]);
      }
    });

    test('with requests waiting on its connection ends those behind, too', async () => {
      answer = () => undefined;
      const long = { options: { timeout: 60_000 } };
      const client = openRaw(host.port, raw(long) + raw(long) + raw(long));
      while (upstream.requests().length < 3) await delay(10);
      const sockets = upstream.sockets();
      client.socket.destroy();
      await Promise.all(sockets.map(closed));
    });
  });

  describe('a server that leaves', () => {
    test.each([
      ['a length', `${HEAD}content-length: 9\r\n\r\nhalf`],
      ['chunks', `${HEAD}transfer-encoding: chunked\r\n\r\n${chunk('half')}`],
    ])('in the middle of %s cuts the client off', async (_name, bytes) => {
      answer = (_message, socket) => {
        void delay(50).then(() => socket.destroy());
        return bytes;
      };
      const got = await exchange(host.port, { path: '/forward-probe/' });
      expect([got.status, got.body.toString(), got.broken]).toEqual([200, 'half', true]);
    });

    test('in the middle of a head is none that one can read', async () => {
      answer = (_message, socket) => void socket.end(`${HEAD}content-le`);
      expect(codeOf(await exchange(host.port, { path: '/forward-probe/' }))).toEqual([
        502,
        'upstream_invalid',
      ]);
    });

    test('without a word is 502; on a new connection nothing is sent twice', async () => {
      answer = (_message, socket) => void socket.destroy();
      expect(codeOf(await exchange(host.port, { path: '/forward-probe/' }))).toEqual([
        502,
        'upstream_unreachable',
      ]);
      expect(upstream.requests().length).toBe(1);
    });

    /** Takes one request, and ends the connection at the second without a word, as one does whose patience is over. */
    const impatient = (): void => {
      const served = new Set<Socket>();
      answer = ({ body }, socket) => {
        if (served.has(socket)) return void socket.destroy();
        served.add(socket);
        return ok(body);
      };
    };

    test('on a kept connection is asked once more, where the request may be sent twice', async () => {
      impatient();
      for (let i = 0; i < 2; i += 1)
        expect((await exchange(host.port, { path: '/forward-probe/' })).status).toBe(200);
      expect(upstream.requests().length).toBe(3);
    });

    test('on a kept connection is not asked again where it may not', async () => {
      impatient();
      const post = () =>
        speak(
          host.port,
          raw({}, 'content-length: 5\r\nconnection: close\r\n', 'POST /forward-probe/ HTTP/1.1') +
            'hello',
        );
      expect(await post()).toMatch(/^HTTP\/1\.1 200 /);
      expect(await post()).toMatch(/^HTTP\/1\.1 502 [\s\S]*upstream_unreachable/);
      expect(upstream.requests().length).toBe(2);
    });

    test('and whose port is closed has been sent nothing of a request that was not sent before', async () => {
      const other = await startRawUpstream(({ body }) => ok(body));
      await exchange(host.port, { path: '/forward-probe/', headers: wish({ origin: other.url }) });
      await other.close();
      await delay(50);
      const body = 'x'.repeat(100_000);
      const got = await exchange(host.port, {
        method: 'POST',
        path: '/forward-probe/',
        headers: [...wish({ before: other.url }), ['content-length', '100000']],
        body,
      });
      expect([got.status, got.body.toString()]).toEqual([200, body]);
    });
  });

  describe('a server that cannot be reached', () => {
    test.each(['http://127.0.0.1:1', 'http://nobody.invalid', 'https://127.0.0.1:1'])(
      '(%s) has been sent nothing: the same request goes to another, with its body',
      async (before) => {
        for (const framing of [[['content-length', '100000']], []] as const) {
          const body = 'x'.repeat(100_000);
          const headers = [...wish({ before }), ...framing];
          const got = await exchange(host.port, {
            method: 'POST',
            path: '/forward-probe/',
            headers,
            body,
          });
          expect([got.status, got.body.toString()]).toEqual([200, body]);
        }
        const got = await exchange(host.port, {
          path: '/forward-probe/',
          headers: wish({ origin: before }),
        });
        expect(codeOf(got)).toEqual([502, 'upstream_unreachable']);
      },
    );

    test('and does not even say so is given up after seconds, with nothing sent', async () => {
      const silent = await silentServer();
      const got = await exchange(host.port, {
        method: 'POST',
        path: '/forward-probe/',
        headers: [
          ...wish({ before: silent.url, options: { timeout: 30_000 } }),
          ['content-length', '5'],
        ],
        body: 'hello',
      });
      expect([got.status, got.body.toString()]).toEqual([200, 'hello']);
      silent.stop();
    }, 30_000);
  });

  describe('a stream', () => {
    const watches = { watches: true, options: { idle: 60_000 } };

    test('of events ends with a word on when to come again, behind the last whole line', async () => {
      for (const [sent, seen] of [
        ['data: 1\n\n', 'data: 1\n\nretry: 70\n'],
        ['data: 1\n\ndata: ha', 'data: 1\n\ndata: ha\nretry: 70\n'],
        ['data: 1\r', 'data: 1\rretry: 70\n'],
      ] as const) {
        upstream.forget();
        answer = () => EVENTS + chunk(sent);
        const client = openRaw(host.port, raw(watches));
        await client.until(/data: 1/);
        const [socket] = upstream.sockets();
        expect((await counts()).open).toBe(1);
        await endStreams(70);
        await client.until(/\r\n0\r\n\r\n$/);
        expect(unchunked(client.text)).toBe(seen);
        await closed(socket as Socket);
        expect((await counts()).open).toBe(0);
        // The connection of the client goes on.
        answer = () => ok('next');
        client.socket.write(raw());
        await client.until(/next$/);
        client.socket.destroy();
      }
    });

    test('of events without a word ends without one', async () => {
      answer = () => EVENTS + chunk('data: ha');
      const got = exchange(host.port, { path: '/forward-probe/', headers: wish(watches) });
      while ((await counts()).open === 0) await delay(10);
      await endStreams();
      expect([(await got).body.toString(), (await got).broken]).toEqual(['data: ha', false]);
    });

    test('of events in a coding gets its end alone', async () => {
      answer = () =>
        EVENTS.replace('\r\n\r\n', '\r\ncontent-encoding: gzip\r\n\r\n') + chunk('bytes');
      const got = exchange(host.port, { path: '/forward-probe/', headers: wish(watches) });
      while ((await counts()).open === 0) await delay(10);
      await endStreams(70);
      expect([(await got).body.toString(), (await got).broken]).toEqual(['bytes', false]);
    });

    test.each([
      ['of anything else', `${HEAD}transfer-encoding: chunked\r\n\r\n${chunk('half')}`],
      ['that ends with its connection', `${HEAD}\r\nhalf`],
      [
        'of events with a length',
        `${HEAD}content-type: text/event-stream\r\ncontent-length: 9\r\n\r\nhalf`,
      ],
    ])('%s is cut', async (_name, bytes) => {
      answer = () => bytes;
      const got = exchange(host.port, { path: '/forward-probe/', headers: wish(watches) });
      while ((await counts()).open === 0) await delay(10);
      const [socket] = upstream.sockets();
      await endStreams(70);
      expect([(await got).body.toString(), (await got).broken]).toEqual(['half', true]);
      await closed(socket as Socket);
    });

    test('is not what has a length, nor what is whole already', async () => {
      const before = await counts();
      for (const bytes of [
        ok('hello'),
        `${HEAD}transfer-encoding: chunked\r\n\r\n${chunk('all')}0\r\n\r\n`,
      ]) {
        answer = () => bytes;
        await exchange(host.port, { path: '/forward-probe/', headers: wish(watches) });
      }
      expect((await counts()).streams).toBe(before.streams);
    });

    test('is over when its client leaves, and when its server does', async () => {
      answer = () => EVENTS + chunk('data: 1\n\n');
      for (const leave of ['client', 'server']) {
        upstream.forget();
        const client = openRaw(host.port, raw(watches));
        await client.until(/data: 1/);
        expect((await counts()).open).toBe(1);
        if (leave === 'client') client.socket.destroy();
        else upstream.sockets()[0]?.destroy();
        for (let i = 0; i < 100 && (await counts()).open > 0; i += 1) await delay(10);
        expect((await counts()).open).toBe(0);
      }
    });
  });

  test('each answer ends once for whoever counts, whatever becomes of it', async () => {
    const before = await counts();
    const path = '/forward-probe/';
    await exchange(host.port, { path });
    await exchange(host.port, { path, headers: wish({ reads: true }) });
    await exchange(host.port, { method: 'HEAD', path });
    answer = (_message, socket) => {
      setTimeout(() => socket.destroy(), 20);
      return `${HEAD}content-length: 9\r\n\r\nhalf`;
    };
    await exchange(host.port, { path });
    // None that failed before its head is an answer.
    answer = (_message, socket) => void socket.destroy();
    await exchange(host.port, { path });
    answer = () => `${HEAD}content-length: 9\r\n\r\nhalf`;
    const client = openRaw(host.port, raw());
    await client.until(/half/);
    client.socket.destroy();
    for (let i = 0; i < 100 && (await counts()).ends < before.ends + 5; i += 1) await delay(10);
    expect((await counts()).ends).toBe(before.ends + 5);
  });

  test('https is spoken with those whom an authority knows, on kept connections, and with nobody else', async () => {
    let connections = 0;
    const serve = (cert: string) =>
      https
        .createServer({ key: KEY, cert }, (incoming, outgoing) => incoming.pipe(outgoing))
        .on('secureConnection', () => {
          connections += 1;
        });
    const [good, other] = [serve(CERTIFICATES.good), serve(CERTIFICATES.wrongName)];
    for (const server of [good, other])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const portOf = (server: https.Server) => (server.address() as AddressInfo).port;
    const body = 'x'.repeat(1_000_000);
    const post = (origin: string) =>
      exchange(host.port, {
        method: 'POST',
        path: '/forward-probe/',
        headers: [...wish({ origin }), ['content-length', '1000000']],
        body,
      });
    for (const hostname of ['localhost', 'localhost', 'localhost'])
      expect((await post(`https://${hostname}:${portOf(good)}`)).body.toString()).toBe(body);
    expect(connections).toBe(1);
    expect(codeOf(await post(`https://localhost:${portOf(other)}`))).toEqual([
      502,
      'upstream_unreachable',
    ]);
    for (const server of [good, other]) {
      server.closeAllConnections();
      server.close();
    }
  });
});

const unchunked = (text: string): string => {
  let rest = text.slice(text.indexOf('\r\n\r\n') + 4);
  let body = '';
  for (;;) {
    const [head = '', size = '0'] = /^([\da-f]+)\r\n/.exec(rest) ?? [];
    const length = Number.parseInt(size, 16);
    if (length === 0) return body;
    body += rest.slice(head.length, head.length + length);
    rest = rest.slice(head.length + length + 2);
  }
};

/** A port whose queue of connections is full, and whose server looks after nobody. */
const silentServer = async (): Promise<{ readonly url: string; stop(): void }> => {
  const child: ChildProcess = spawn(
    process.execPath,
    [
      '-e',
      "const s=require('net').createServer();s.listen({port:0,host:'127.0.0.1',backlog:1},()=>console.log(s.address().port))",
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const port = Number(await new Promise((resolve) => child.stdout?.once('data', resolve)));
  child.kill('SIGSTOP');
  const sockets: Socket[] = [];
  for (let isFull = false; !isFull && sockets.length < 20; ) {
    const socket = net.connect(port, '127.0.0.1').on('error', () => undefined);
    sockets.push(socket);
    isFull = await Promise.race([
      new Promise<boolean>((resolve) => socket.once('connect', () => resolve(false))),
      delay(300).then(() => true),
    ]);
  }
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      child.kill('SIGKILL');
    },
  };
};
