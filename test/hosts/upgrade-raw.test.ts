/** Requests to upgrade, by the byte: what is refused, what is no WebSocket, what hides behind it, and how one is ended. */
import { mkdtempSync } from 'node:fs';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { closeFrame } from '../../shared/websocket/frames';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';
import { exchange } from '../support/raw-http';

/** What came from the host on one connection, and a hand on it. */
interface Behind {
  readonly socket: Socket;
  readonly text: () => string;
  ended: boolean;
}

const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n';

let server: Server;
let behind: Behind[] = [];
/** What the server answers to a connection, given what came on it so far. */
let answer: (came: Behind) => void;

beforeAll(async () => {
  server = net.createServer({ allowHalfOpen: true }, (socket) => {
    let text = '';
    const one: Behind = { socket, text: () => text, ended: false };
    behind.push(one);
    socket.on('data', (part) => {
      text += part.toString('latin1');
      answer(one);
    });
    socket.on('end', () => {
      one.ended = true;
    });
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

beforeEach(() => {
  for (const { socket } of behind) socket.destroy();
  behind = [];
  answer = once(SWITCH);
});

afterAll(() => {
  for (const { socket } of behind) socket.destroy();
  server.close();
});

/** As soon as the head is there. */
const once =
  (text: string) =>
  ({ socket, text: came }: Behind): void => {
    if (came().includes('\r\n\r\n') && socket.bytesWritten === 0) socket.write(text, 'latin1');
  };

const plain = (status: string, body = '', fields = '') =>
  once(`HTTP/1.1 ${status}\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`);

interface Client {
  readonly socket: Socket;
  readonly bytes: () => Buffer;
  readonly text: () => string;
  readonly closed: Promise<void>;
  readonly isClosed: () => boolean;
  readonly isEnded: () => boolean;
}

const until = async (holds: () => boolean, ms = 8_000): Promise<void> => {
  for (const began = Date.now(); !holds(); await delay(5))
    if (Date.now() - began > ms) throw new Error('it did not come to that');
};

describe.each(['node', 'functions-framework'])('the %s host', (name) => {
  const file = bundle(`test/support/upgrade-probe/${name}.ts`);
  let host: HostProcess;

  beforeAll(async () => {
    host = await startHost({
      file,
      environment: {
        PIPELINES_DIR: mkdtempSync(path.join(os.tmpdir(), 'faas-')),
        PROBE_UPGRADE_ORIGIN: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      },
    });
  });

  afterAll(() => host.stop('SIGKILL'));

  const speak = (...parts: readonly (string | Uint8Array)[]): Client => talk(parts, false);

  /** `allowHalfOpen`: it goes on when the host has ended. */
  const talk = (parts: readonly (string | Uint8Array)[], allowHalfOpen: boolean): Client => {
    const socket = net.connect({ port: host.port, host: '127.0.0.1', allowHalfOpen });
    const came: Buffer[] = [];
    let isClosed = false;
    let isEnded = false;
    socket.on('data', (part: Buffer) => came.push(part));
    socket.on('end', () => {
      isEnded = true;
    });
    socket.on('error', () => undefined);
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => {
        isClosed = true;
        resolve();
      });
    });
    for (const part of parts)
      socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
    const bytes = () => Buffer.concat(came);
    return {
      socket,
      bytes,
      text: () => bytes().toString('latin1'),
      closed,
      isClosed: () => isClosed,
      isEnded: () => isEnded,
    };
  };

  const handshake = (more = '', target = '/forward/x') =>
    `GET /probe-upgrade${target} HTTP/1.1\r\nHost: test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${more}\r\n`;

  const get = (target: string) => `GET /probe-upgrade${target} HTTP/1.1\r\nHost: test\r\n\r\n`;
  const statuses = (text: string) =>
    [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status);

  /** A WebSocket that is open, as both ends see it. */
  const open = async (): Promise<{
    client: Client;
    peer: Behind;
    spoken: () => Buffer;
    heard: () => string;
  }> => {
    const client = talk([handshake()], true);
    await until(() => client.text().includes('\r\n\r\n'));
    const peer = behind[0] as Behind;
    const heardBefore = client.bytes().length;
    const head = peer.text().length;
    return {
      client,
      peer,
      spoken: () => client.bytes().subarray(heardBefore),
      heard: () => peer.text().slice(head),
    };
  };
  const end = () => exchange(host.port, { path: '/probe-upgrade/end' });

  describe('a refusal is an answer like any other', () => {
    test.each([
      ['200 OK', 'hello'],
      ['400 Bad Request', 'no'],
      ['401 Unauthorized', ''],
      ['404 Not Found', 'x'.repeat(500_000)],
      ['426 Upgrade Required', 'later'],
      ['503 Service Unavailable', ''],
    ])('%s', async (status, body) => {
      answer = plain(
        status,
        body,
        'WWW-Authenticate: Basic realm="x"\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n',
      );
      const client = speak(handshake());
      await client.closed;
      const [head = '', ...rest] = client.text().split('\r\n\r\n');
      expect(statuses(head)).toEqual([status.slice(0, 3)]);
      expect(rest.join('\r\n\r\n')).toBe(body);
      expect(head).toMatch(/^www-authenticate: Basic realm="x"$/im);
      expect(head.match(/^set-cookie: .*$/gim)).toHaveLength(2);
      expect(head).toMatch(/^connection: close$/im);
      expect(head).toMatch(/^x-request-id: /im);
      expect(head).not.toMatch(/^upgrade/im);
    });

    test('in chunks, and what its server breaks off the client sees broken', async () => {
      answer = once('HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n');
      const whole = speak(handshake());
      await whole.closed;
      expect(whole.text()).toMatch(/403[\s\S]*\r\n3\r\nabc\r\n0\r\n\r\n$/);
      answer = (came) => {
        once('HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')(came);
        setTimeout(() => came.socket.destroy(), 50);
      };
      const broken = speak(handshake());
      await broken.closed;
      expect(broken.text()).toMatch(/403[\s\S]*abc\r\n$/);
    });

    test('it arrives whole, however much its client goes on to say, and however slowly it reads', async () => {
      answer = plain('403 Forbidden', 'y'.repeat(8 * 2 ** 20));
      const client = speak(handshake());
      client.socket.pause();
      client.socket.write(Buffer.alloc(2 ** 20, 1));
      await delay(300);
      client.socket.write(Buffer.alloc(2 ** 20, 1));
      client.socket.resume();
      await client.closed;
      expect(client.text().split('\r\n\r\n')[1]).toHaveLength(8 * 2 ** 20);
    });

    test('a client that leaves in the middle of it ends it behind, too', async () => {
      answer = once('HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\nabc');
      const client = speak(handshake());
      await until(() => client.text().includes('abc'));
      client.socket.destroy();
      await until(() => behind[0]?.ended === true);
    });
  });

  describe('what is no WebSocket is 502, and what is no answer 504', () => {
    test.each([
      ['another protocol', 'HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n'],
      ['101 without a word to what', 'HTTP/1.1 101 OK\r\n\r\n'],
      ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
      ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ])('%s', async (_, text) => {
      answer = once(text);
      const client = speak(handshake());
      await client.closed;
      expect(client.text()).toMatch(/^HTTP\/1\.1 502 [\s\S]*"code":"upstream_invalid"/);
    });

    test('an end, silence, and nobody there', async () => {
      answer = ({ socket }) => socket.end();
      const ended = speak(handshake());
      await ended.closed;
      expect(ended.text()).toMatch(/^HTTP\/1\.1 502 [\s\S]*"code":"upstream_unreachable"/);
      answer = () => undefined;
      const silent = speak(handshake());
      await silent.closed;
      expect(silent.text()).toMatch(/^HTTP\/1\.1 504 [\s\S]*"code":"upstream_timeout"/);
      await until(() => behind.every((one) => one.ended));
    });
  });

  describe('a function that does not forward answers as ever', () => {
    test('its own, a failure, a path that nobody has, health', async () => {
      const own = speak(handshake('', '/streams'));
      await own.closed;
      expect(own.text()).toMatch(/^HTTP\/1\.1 200 [\s\S]*"streams"/);
      const lost = speak(handshake().replace('/probe-upgrade/forward', '/nobody'));
      await lost.closed;
      expect(lost.text()).toMatch(/^HTTP\/1\.1 404 [\s\S]*problem\+json[\s\S]*not_found/);
      const health = speak(handshake().replace('/probe-upgrade/forward/x', '/health/readiness'));
      await health.closed;
      expect(health.text()).toMatch(/^HTTP\/1\.1 200 /);
      expect(behind).toHaveLength(0);
    });

    test('one that fails when it is shown the stream', async () => {
      const client = speak(handshake('', '/throws/x'));
      await client.closed;
      expect(client.text()).toMatch(/^HTTP\/1\.1 500 [\s\S]*"code":"internal"/);
      await until(() => behind[0]?.ended === true);
    });

    test('one that waits until the server behind has broken off', async () => {
      answer = (came) => {
        once(SWITCH)(came);
        setTimeout(() => came.socket.resetAndDestroy(), 50);
      };
      const client = speak(handshake('', '/late/x'));
      await client.closed;
      expect(client.text()).toMatch(/^HTTP\/1\.1 101 [\s\S]*\r\n\r\n$/);
    });

    test('one that changes its mind after the server behind has agreed', async () => {
      const client = speak(handshake('', '/dropped/x'));
      await client.closed;
      expect(client.text()).toMatch(/^HTTP\/1\.1 200 [\s\S]*something else$/);
      await until(() => behind[0]?.ended === true);
    });
  });

  describe('nothing hides behind a request to upgrade', () => {
    test('what was sent behind a refused one reaches nobody', async () => {
      answer = plain('426 Upgrade Required');
      const client = speak(handshake() + get('/forward/hidden'), get('/forward/later'));
      await client.closed;
      expect(statuses(client.text())).toEqual(['426']);
      expect(behind).toHaveLength(1);
      expect(behind[0]?.text()).toMatch(/^GET \/x HTTP\/1\.1\r\n/);
      expect(behind[0]?.text()).toMatch(/\r\n\r\n$/);
      expect(behind[0]?.text()).not.toMatch(/hidden|later/);
    });

    test('nor before the server has said 101', async () => {
      let release = (): void => undefined;
      answer = (one) => {
        release = () => once(SWITCH)(one);
      };
      const client = speak(handshake(), 'early');
      await until(() => behind[0]?.text().includes('\r\n\r\n') === true);
      await delay(50);
      expect(behind[0]?.text()).toMatch(/\r\n\r\n$/);
      release();
      await until(() => behind[0]?.text().endsWith('\r\n\r\nearly') === true);
      client.socket.destroy();
    });

    test('one with a body is an ordinary request, and what follows the body is the next', async () => {
      const body = get('/forward/hidden');
      const client = speak(
        handshake(`Content-Length: ${body.length}\r\n`, '/echo') + body + get('/streams'),
      );
      await until(() => statuses(client.text()).length === 2);
      expect(client.text()).toContain(JSON.stringify(body));
      expect(client.isClosed()).toBe(false);
      expect(behind).toHaveLength(0);
      client.socket.destroy();
    });

    test('chunks, a length of nothing and a list of lengths', async () => {
      const chunked = speak(
        `${handshake('Transfer-Encoding: chunked\r\n', '/echo')}3\r\nabc\r\n0\r\n\r\n${get('/streams')}`,
      );
      await until(() => statuses(chunked.text()).length === 2);
      expect(chunked.text()).toContain('"body":"abc"');
      chunked.socket.destroy();
      const none = speak(handshake('Content-Length: 0\r\n'));
      await until(() => none.text().includes('\r\n\r\n'));
      expect(statuses(none.text())).toEqual(['101']);
      expect(behind[0]?.text()).not.toMatch(/content-length/i);
      none.socket.destroy();
      const both = speak(handshake('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n'));
      await both.closed;
      expect(statuses(both.text())).toEqual(['400']);
    });

    test('a thousand fields do not hide the length of a body', async () => {
      const fields = 'a: b\r\n'.repeat(1_500);
      const body = get('/forward/hidden');
      const client = speak(
        handshake(`${fields}X-Last: last\r\nContent-Length: ${body.length}\r\n`, '/echo') +
          body +
          get('/streams'),
      );
      await until(() => statuses(client.text()).length === 2);
      expect(client.text()).toContain(JSON.stringify(body));
      expect(client.text()).toContain('"last":"last"');
      expect(behind).toHaveLength(0);
      client.socket.destroy();
    });

    test('one behind an answer that is under way is cut, and reaches nobody', async () => {
      answer = ({ socket, text }) => {
        if (text().includes('/slow')) setTimeout(() => socket.end('HTTP/1.1 204 OK\r\n\r\n'), 200);
        else once(SWITCH)({ socket, text, ended: false });
      };
      const client = speak(get('/forward/slow') + handshake());
      await client.closed;
      expect(statuses(client.text())).toEqual([]);
      expect(behind.map(({ text }) => text()).join('')).not.toContain('/x');
      expect((await exchange(host.port, { path: '/health/liveness' })).status).toBe(200);
    });
  });

  describe('any other Upgrade is ignored, and the connection goes on', () => {
    const other = (protocol: string, method = 'GET', more = '', version = '1.1') =>
      `${method} /probe-upgrade/echo HTTP/${version}\r\nHost: test\r\nConnection: keep-alive, Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABkAAQ\r\n${more}\r\n`;

    test.each([
      ['h2c', other('h2c'), '"body":""'],
      [
        'h2c with a body',
        `${other('h2c', 'POST', 'Content-Length: 5\r\n')}hello`,
        '"body":"hello"',
      ],
      [
        'h2c with chunks',
        `${other('h2c', 'POST', 'Transfer-Encoding: chunked\r\n')}5\r\nhello\r\n0\r\n\r\n`,
        '"body":"hello"',
      ],
      ['several', other('h2c, websocket'), '"body":""'],
      ['another', other('TLS/1.0'), '"body":""'],
      [
        'a WebSocket by POST',
        `${other('websocket', 'POST', 'Content-Length: 2\r\n')}ab`,
        '"body":"ab"',
      ],
    ])('%s', async (_, text, expected) => {
      // The next request in the same packet, and then all again.
      const client = speak(text + get('/streams'));
      await until(() => statuses(client.text()).length === 2);
      client.socket.write(text);
      await until(() => statuses(client.text()).length === 3);
      expect(statuses(client.text())).toEqual(['200', '200', '200']);
      expect(client.text().split(expected)).toHaveLength(3);
      expect(behind).toHaveLength(0);
      client.socket.destroy();
    });

    test('a WebSocket in HTTP/1.0', async () => {
      const client = speak(other('websocket', 'GET', '', '1.0'));
      await until(() => client.text().includes('"body":""'));
      client.socket.destroy();
    });

    test('a body that is sent only when it is asked for', async () => {
      const client = speak(other('h2c', 'POST', 'Content-Length: 5\r\nExpect: 100-continue\r\n'));
      await until(() => client.text().includes('100 Continue'));
      client.socket.write('hello');
      await until(() => client.text().includes('"body":"hello"'));
      client.socket.destroy();
    });

    test('two hundred on one connection', async () => {
      const client = speak();
      for (let i = 1; i <= 200; i += 1) {
        client.socket.write(other('h2c'));
        await until(() => statuses(client.text()).length === i);
      }
      client.socket.destroy();
      expect(host.output()).not.toMatch(/MaxListeners|uncaught/);
    });

    test('it is forwarded without Upgrade and what Connection names', async () => {
      answer = plain('204 No Content');
      const client = speak(other('h2c').replace('/echo', '/forward/plain'));
      await until(() => statuses(client.text()).length === 1);
      expect(behind[0]?.text()).toMatch(/^GET \/plain HTTP\/1\.1\r\n/);
      expect(behind[0]?.text()).not.toMatch(/^(upgrade|http2-settings):/im);
      client.socket.destroy();
    });

    test('CONNECT is cut', async () => {
      const client = speak('CONNECT test:443 HTTP/1.1\r\nHost: test:443\r\n\r\n');
      await client.closed;
      expect(client.text()).toBe('');
    });
  });

  test('fields that Connection names end here, in the request and in the answer', async () => {
    answer = once(
      SWITCH.replace(
        'Connection: upgrade',
        'Connection: upgrade, X-Far\r\nX-Far: far\r\nX-End: end',
      ),
    );
    const client = speak(
      handshake(
        'Connection: X-Near\r\nX-Near: near\r\nTE: trailers\r\nProxy-Authorization: x\r\nX-On: on\r\n',
      ),
    );
    await until(() => client.text().includes('\r\n\r\n'));
    expect(behind[0]?.text()).toMatch(/^x-on: on$/im);
    expect(behind[0]?.text()).not.toMatch(/^(x-near|te|proxy-authorization):/im);
    expect(client.text()).toMatch(/^x-end: end$/im);
    expect(client.text()).toMatch(/^sec-websocket-accept: x$/im);
    expect(client.text()).not.toMatch(/x-far/i);
    client.socket.destroy();
  });

  test('one side may end while the other still speaks', async () => {
    const { client, peer, spoken, heard } = await open();
    client.socket.end('last words');
    await until(() => peer.ended);
    expect(heard()).toBe('last words');
    peer.socket.write('still ');
    await delay(50);
    peer.socket.end('here');
    await client.closed;
    expect(spoken().toString()).toBe('still here');
  });

  test('the same the other way round', async () => {
    const { client, peer, spoken, heard } = await open();
    peer.socket.end('last words');
    await until(() => client.isEnded());
    expect(spoken().toString()).toBe('last words');
    client.socket.write('still ');
    await delay(50);
    client.socket.end('here');
    await until(() => peer.ended);
    expect(heard()).toBe('still here');
  });

  test('what a server has said before its connection breaks still arrives', async () => {
    const { client, peer, spoken } = await open();
    client.socket.pause();
    const frame = Buffer.concat([
      Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 0x10, 0, 0]),
      Buffer.alloc(2 ** 20, 7),
    ]);
    peer.socket.write(frame);
    await until(() => peer.socket.writableLength === 0);
    peer.socket.resetAndDestroy();
    await delay(50);
    client.socket.resume();
    await until(() => client.isEnded() || client.isClosed());
    expect(spoken().length).toBeLessThanOrEqual(frame.length);
    expect(spoken().length).toBeGreaterThan(0);
  });

  test('the goodbye waits for the end of a frame and nothing comes behind it', async () => {
    const { client, peer, spoken, heard } = await open();
    const text = Buffer.from([0x81, 5, ...Buffer.from('hello')]);
    const masked = Buffer.from([0x82, 0x83, 0, 0, 0, 0, 1, 2, 3]);
    peer.socket.write(text.subarray(0, 4));
    client.socket.write(masked.subarray(0, 7));
    await until(() => spoken().length === 4 && heard().length === 7);
    await end();
    await delay(100);
    expect(spoken().length).toBe(4);
    expect(heard().length).toBe(7);
    peer.socket.write(Buffer.concat([text.subarray(4), text]));
    client.socket.write(Buffer.concat([masked.subarray(7), masked]));
    await until(() => client.isEnded() && peer.ended);
    expect(spoken()).toEqual(Buffer.concat([text, closeFrame(1012)]));
    const said = Buffer.from(heard(), 'latin1');
    expect(said.subarray(0, 9)).toEqual(masked);
    expect(said.subarray(9)).toEqual(Buffer.from(closeFrame(1001, said.subarray(11, 15))));
    expect(said.length).toBe(17);
    expect(said.subarray(11, 15)).not.toEqual(Buffer.alloc(4));
  });

  test('a frame that never ends is cut in seconds', async () => {
    const { client, peer, spoken } = await open();
    peer.socket.write(Buffer.from([0x82, 126, 1, 0, 1, 2, 3]));
    await until(() => spoken().length === 7);
    const began = Date.now();
    await end();
    await until(() => client.isEnded());
    expect(Date.now() - began).toBeGreaterThan(1_500);
    expect(Date.now() - began).toBeLessThan(20_000);
    expect(spoken().length).toBe(7);
    await until(() => peer.ended);
  });

  test('whoever has said Close says it once', async () => {
    const { client, peer, spoken, heard } = await open();
    const close = Buffer.from(closeFrame(1001));
    peer.socket.write(close);
    await until(() => spoken().length === 4);
    await end();
    await until(() => client.isEnded());
    expect(spoken()).toEqual(close);
    // The other direction has not said it yet.
    await until(() => peer.ended);
    expect(heard().length).toBe(8);
  });

  test('what a client says behind its end is heard by nobody, and it is not cut off for it', async () => {
    const { client, peer, heard } = await open();
    await end();
    await until(() => client.isEnded());
    const before = heard().length;
    client.socket.write(Buffer.alloc(300_000, 1));
    await delay(100);
    expect(client.socket.errored).toBeNull();
    expect(heard().length).toBe(before);
    client.socket.end();
    peer.socket.end();
    await client.closed;
  });

  test('a client that leaves during the handshake ends it behind', async () => {
    answer = () => undefined;
    const client = speak(handshake());
    await until(() => behind.length === 1);
    client.socket.destroy();
    await until(() => behind[0]?.ended === true, 1_000);
    const reset = speak(handshake());
    await until(() => behind.length === 2);
    reset.socket.resetAndDestroy();
    await until(() => behind[1]?.ended === true, 1_000);
  });

  test('what a client says too early is kept, but not without end', async () => {
    let release = (): void => undefined;
    answer = (one) => {
      release = () => once(SWITCH)(one);
    };
    const client = speak(handshake(), Buffer.alloc(30 * 2 ** 20, 1));
    await until(() => behind[0]?.text().includes('\r\n\r\n') === true);
    await delay(200);
    expect(client.socket.writableLength).toBeGreaterThan(10 * 2 ** 20);
    const head = behind[0]?.text().length as number;
    release();
    let heard = 0;
    behind[0]?.socket.removeAllListeners('data').on('data', (part: Buffer) => {
      heard += part.length;
    });
    await until(() => heard === 30 * 2 ** 20);
    expect(head).toBeLessThan(2_000);
    client.socket.destroy();
  });
});
