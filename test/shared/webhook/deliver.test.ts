import { getEventListeners } from 'node:events';
import { createServer as createSocketServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  type DeliverOptions,
  type Delivery,
  deliver,
  MAX_ANSWER,
  MAX_JSON_ANSWER,
  MAX_PAYLOAD,
} from '../../../shared/webhook/deliver';
import { unguarded } from '../../../shared/webhook/guard';
import { closeReceivers, type Hit, listen, nobody, rawReceiver, receiver } from './receiver';

afterEach(closeReceivers);

const send = (url: string, options: Partial<DeliverOptions> = {}): Promise<Delivery> =>
  deliver({
    url,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from('{"a":1}'),
    timeout: 5_000,
    signal: new AbortController().signal,
    guard: unguarded,
    ...options,
  });

const timed = async <T>(work: Promise<T>): Promise<[T, number]> => {
  const start = performance.now();
  return [await work, performance.now() - start];
};

describe('what goes out', () => {
  test('is one POST with the headers and bytes that were given', async () => {
    const peer = await receiver((response) => response.writeHead(204).end());
    // A view into a larger buffer, as Buffer.from(text) often is.
    const body = new Uint8Array([1, 2, 0, 255, 128, 10, 13, 0x7b, 3]).subarray(2, 8);
    const delivery = await send(`${peer.url}/hook?x=%2F`, {
      body,
      headers: { 'ce-id': 'run:step' },
    });
    expect(delivery).toEqual({ status: 204, headers: {}, body: Buffer.alloc(0), truncated: false });
    expect(peer.hits).toHaveLength(1);
    const [hit] = peer.hits as [Hit];
    expect(hit.method).toBe('POST');
    expect(hit.url).toBe('/hook?x=%2F');
    expect([...hit.body]).toEqual([...body]);
    expect(hit.headers).toMatchObject({
      'ce-id': 'run:step',
      'content-length': '6',
      'accept-encoding': 'identity',
      'user-agent': 'faas-patterns',
    });
  });

  test.each([
    ['a line break', { 'x-a': 'v\r\nx-evil: 1' }],
    ['a bare line feed', { 'x-a': 'v\nx-evil: 1' }],
    ['a character beyond ASCII', { 'x-a': 'naïve' }],
    ['a name that is none', { 'x a': 'v' }],
    ['a host of its own', { Host: 'elsewhere.test' }],
    ['a length of its own', { 'content-length': '1' }],
    ['credentials', { authorization: 'Basic eDp5' }],
    ['a wish for compression', { 'Accept-Encoding': 'gzip' }],
  ])('never carries %s', async (_, headers) => {
    const peer = await receiver((response) => response.end());
    expect(await send(peer.url, { headers: headers as Record<string, string> })).toEqual({
      error: 'invalid_request',
    });
    expect(peer.connections).toBe(0);
  });

  test.each([
    'ftp://127.0.0.1/',
    'data:text/plain,x',
    'file:///etc/hostname',
    'not a url',
    'http://',
  ])('goes to no other scheme: %s', async (url) => {
    expect(await send(url)).toEqual({ error: 'invalid_request' });
  });

  test('goes to no URL with credentials', async () => {
    const peer = await receiver((response) => response.end());
    expect(await send(peer.url.replace('//', '//user:secret@'))).toEqual({
      error: 'invalid_request',
    });
    expect(peer.connections).toBe(0);
  });

  test('is at most 1 MiB', async () => {
    const peer = await receiver((response) => response.end());
    expect(await send(peer.url, { body: Buffer.alloc(MAX_PAYLOAD + 1) })).toEqual({
      error: 'too_large',
    });
    expect(peer.connections).toBe(0);
    expect(await send(peer.url, { body: Buffer.alloc(MAX_PAYLOAD) })).toMatchObject({
      status: 200,
    });
    expect(peer.hits[0]?.body).toHaveLength(MAX_PAYLOAD);
  });

  test('takes no proxy from the environment', async () => {
    const proxy = await receiver((response) => response.end('proxied'));
    const peer = await receiver((response) => response.end('direct'));
    const names = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy', 'NO_PROXY', 'no_proxy'];
    const before = Object.fromEntries(names.map((name) => [name, process.env[name]]));
    try {
      for (const name of names) process.env[name] = /^no/i.test(name) ? '' : proxy.url;
      const delivery = await send(peer.url);
      expect('body' in delivery && delivery.body.toString()).toBe('direct');
      expect(proxy.connections).toBe(0);
    } finally {
      for (const [name, value] of Object.entries(before))
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
    }
  });

  test('shares one connection between deliveries', async () => {
    const peer = await receiver((response) => response.end('ok'));
    for (let i = 0; i < 5; i += 1) await send(peer.url);
    expect(peer.hits).toHaveLength(5);
    expect(peer.connections).toBe(1);
  });
});

describe('an answer', () => {
  test.each([200, 201, 301, 302, 303, 307, 308, 400, 404, 410, 429, 500, 503])(
    'of status %i is told and nothing is followed',
    async (status) => {
      const elsewhere = await receiver((response) => response.end());
      const peer = await receiver((response) =>
        response.writeHead(status, { location: elsewhere.url }).end(),
      );
      expect(await send(peer.url)).toMatchObject({ status });
      expect(peer.hits).toHaveLength(1);
      expect(elsewhere.connections).toBe(0);
    },
  );

  test('keeps two of its fields and no other', async () => {
    const peer = await receiver((response) =>
      response
        .writeHead(429, {
          'retry-after': '120',
          'content-type': 'text/plain',
          'set-cookie': 'a=b',
          server: 'x',
        })
        .end('later'),
    );
    expect(await send(peer.url)).toEqual({
      status: 429,
      headers: { 'retry-after': '120', 'content-type': 'text/plain' },
      body: Buffer.from('later'),
      truncated: false,
    });
  });

  test('is not inflated', async () => {
    const packed = gzipSync(Buffer.alloc(200 * 1024));
    const peer = await receiver((response) =>
      response
        .writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'application/json' })
        .end(packed),
    );
    const delivery = await send(peer.url);
    expect('body' in delivery && delivery.body.equals(packed)).toBe(true);
  });

  test.each([
    ['JSON of a success', 200, 'application/json', MAX_JSON_ANSWER],
    ['JSON of a failure', 500, 'application/json', MAX_ANSWER],
    ['text', 200, 'text/plain', MAX_ANSWER],
  ])('is kept up to its bound: %s', async (_, status, type, bound) => {
    for (const [length, truncated] of [
      [bound, false],
      [bound + 1, true],
    ] as const) {
      const peer = await receiver((response) =>
        response.writeHead(status, { 'content-type': type }).end(Buffer.alloc(length, 'x')),
      );
      const delivery = await send(peer.url);
      expect(delivery).toMatchObject({ status, truncated });
      expect('body' in delivery && delivery.body).toHaveLength(bound);
    }
  });

  test('without an end costs neither memory nor time', async () => {
    let hungUp = () => {};
    const left = new Promise<void>((resolve) => {
      hungUp = resolve;
    });
    const part = Buffer.alloc(65_536, 'x');
    const total = 300 * 1_048_576;
    const peer = await receiver((response, state) => {
      const more = () => {
        while (state.written < total && !response.destroyed) {
          state.written += part.length;
          if (!response.write(part)) return;
        }
        void response.end();
      };
      response.on('drain', more);
      response.on('close', hungUp);
      more();
    });
    const before = process.memoryUsage().rss;
    const [delivery, elapsed] = await timed(send(peer.url));
    expect(delivery).toMatchObject({ status: 200, truncated: true });
    await left;
    expect(peer.written).toBeLessThan(16 * 1_048_576);
    expect(process.memoryUsage().rss - before).toBeLessThan(60 * 1_048_576);
    expect(elapsed).toBeLessThan(2_000);
  });
});

describe('a receiver that is no help', () => {
  const DEADLINE = 300;
  /** Beyond the deadline, on a machine that does other things as well. */
  const SLACK = 1_500;

  const expectTimeout = async (url: string) => {
    const [delivery, elapsed] = await timed(send(url, { timeout: DEADLINE }));
    expect(delivery).toEqual({ error: 'timeout' });
    expect(elapsed).toBeGreaterThan(DEADLINE - 20);
    expect(elapsed).toBeLessThan(DEADLINE + SLACK);
  };

  test('and never answers ends at the deadline', async () => {
    const peer = await receiver(() => {});
    await expectTimeout(peer.url);
  });

  test('and drips its body cannot stretch the deadline', async () => {
    const peer = await receiver((response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      const drip = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(drip));
    });
    await expectTimeout(peer.url);
  });

  test('and drips its head cannot stretch the deadline', async () => {
    const url = await listen(
      createSocketServer((socket) => {
        socket.on('error', () => {});
        socket.write('HTTP/1.1 200 OK\r\n');
        const drip = setInterval(() => socket.write('x: y\r\n'), 20);
        socket.on('close', () => clearInterval(drip));
      }),
    );
    await expectTimeout(url);
  });

  test('and floods with 100 Continue cannot stretch the deadline', async () => {
    const url = await listen(
      createSocketServer((socket) => {
        socket.on('error', () => {});
        const drip = setInterval(() => socket.write('HTTP/1.1 100 Continue\r\n\r\n'), 20);
        socket.on('close', () => clearInterval(drip));
      }),
    );
    await expectTimeout(url);
  });

  test('and resets the connection is unreachable', async () => {
    expect(await send(await rawReceiver('', 'reset'))).toEqual({ error: 'unreachable' });
  });

  test('and breaks off its answer has not answered', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf';
    expect(await send(await rawReceiver(head, 'end'))).toEqual({ error: 'unreachable' });
    expect(await send(await rawReceiver(head, 'reset'))).toEqual({ error: 'unreachable' });
    const chunks = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n';
    expect(await send(await rawReceiver(chunks, 'keep'))).toEqual({ error: 'unreachable' });
  });

  test.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['a head without an end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx'],
  ])('and sends %s has given an invalid answer', async (_, bytes) => {
    expect(await send(await rawReceiver(bytes, 'keep'))).toEqual({ error: 'invalid_answer' });
  });

  test('and is not there is unreachable', async () => {
    expect(await send(await nobody())).toEqual({ error: 'unreachable' });
    expect(await send('http://nowhere.invalid/')).toEqual({ error: 'unreachable' });
  });

  test('and speaks no TLS where it should is not trusted', async () => {
    const peer = await receiver((response) => response.end());
    const delivery = await send(peer.url.replace('http:', 'https:'));
    expect(delivery).toEqual({ error: 'unreachable' });
    expect(peer.hits).toHaveLength(0);
  });
});

describe('the signal', () => {
  test('ends a delivery under way', async () => {
    const peer = await receiver(() => abort.abort());
    const abort = new AbortController();
    const [delivery, elapsed] = await timed(send(peer.url, { signal: abort.signal }));
    expect(delivery).toEqual({ error: 'aborted' });
    expect(elapsed).toBeLessThan(1_000);
  });

  test('that aborts while the client is being loaded lets nothing out', async () => {
    const peer = await receiver((response) => response.end());
    const abort = new AbortController();
    const delivery = send(peer.url, { signal: abort.signal });
    abort.abort();
    expect(await delivery).toEqual({ error: 'aborted' });
    for (let i = 0; i < 3; i += 1) await send(peer.url);
    expect(peer.hits).toHaveLength(3);
  });

  test('aborted before lets nothing out', async () => {
    const peer = await receiver((response) => response.end());
    expect(await send(peer.url, { signal: AbortSignal.abort() })).toEqual({ error: 'aborted' });
    expect(peer.connections).toBe(0);
  });

  test('is left without listeners', async () => {
    const peer = await receiver((response) => response.end());
    const { signal } = new AbortController();
    await send(peer.url, { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});
