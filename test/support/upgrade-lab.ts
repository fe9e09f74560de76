/** A host in front of a server that says what a test wants, both spoken to by the byte. */
import { mkdtempSync } from 'node:fs';
import net, { type AddressInfo, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { bundle } from './bundle';
import { type HostProcess, startHost } from './host-process';
import { exchange } from './raw-http';

/** What came from the host on one connection, and a hand on it. */
export interface Behind {
  readonly socket: Socket;
  readonly text: () => string;
  ended: boolean;
}

export interface Client {
  readonly socket: Socket;
  readonly bytes: () => Buffer;
  readonly text: () => string;
  readonly closed: Promise<void>;
  readonly isClosed: () => boolean;
  readonly isEnded: () => boolean;
}

/** A WebSocket that is open, as both ends see it: what each has heard since. */
export interface Opened {
  readonly client: Client;
  readonly peer: Behind;
  readonly spoken: () => Buffer;
  readonly heard: () => string;
}

export const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n';

/** As soon as the head is there. */
export const once =
  (text: string) =>
  ({ socket, text: came }: Behind): void => {
    if (came().includes('\r\n\r\n') && socket.bytesWritten === 0) socket.write(text, 'latin1');
  };

export const plain = (status: string, body = '', fields = '') =>
  once(`HTTP/1.1 ${status}\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`);

export const until = async (holds: () => boolean, ms = 8_000): Promise<void> => {
  for (const began = Date.now(); !holds(); await delay(5))
    if (Date.now() - began > ms) throw new Error('it did not come to that');
};

export const handshake = (more = '', target = '/forward/x') =>
  `GET /probe-upgrade${target} HTTP/1.1\r\nHost: test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${more}\r\n`;

export const get = (target: string) => `GET /probe-upgrade${target} HTTP/1.1\r\nHost: test\r\n\r\n`;

export const statuses = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status);

/** `allowHalfOpen`: it goes on when the host has ended. */
export const talk = (
  port: number,
  parts: readonly (string | Uint8Array)[],
  allowHalfOpen = false,
): Client => {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen });
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

export interface UpgradeLab {
  readonly host: HostProcess;
  /** Connections to the server of this test, in order. */
  readonly behind: readonly Behind[];
  /** What the server does, given what came on a connection so far. @default 101 */
  answer: (came: Behind) => void;
  speak(...parts: readonly (string | Uint8Array)[]): Client;
  open(): Promise<Opened>;
  /** Ends all streams that the host has. */
  end(): Promise<unknown>;
  /** Another host like this one. */
  start(): Promise<HostProcess>;
}

/** For a block of tests: there before them, gone after them. */
export const upgradeLab = (name: string): UpgradeLab => {
  const none = mkdtempSync(path.join(os.tmpdir(), 'faas-'));
  const file = bundle(`test/support/upgrade-probe/${name}.ts`);
  let behind: Behind[] = [];
  let host: HostProcess;
  const forget = () => {
    for (const { socket } of behind) socket.destroy();
    behind = [];
    lab.answer = once(SWITCH);
  };
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    let text = '';
    const one: Behind = { socket, text: () => text, ended: false };
    behind.push(one);
    socket.on('data', (part) => {
      text += part.toString('latin1');
      lab.answer(one);
    });
    socket.on('end', () => {
      one.ended = true;
    });
    socket.on('error', () => undefined);
  });
  const lab: UpgradeLab = {
    get host() {
      return host;
    },
    get behind() {
      return behind;
    },
    answer: once(SWITCH),
    speak: (...parts) => talk(host.port, parts),
    open: async () => {
      const client = talk(host.port, [handshake()], true);
      await until(() => client.text().includes('\r\n\r\n'));
      const peer = behind[0] as Behind;
      const came = client.bytes().length;
      const head = peer.text().length;
      return {
        client,
        peer,
        spoken: () => client.bytes().subarray(came),
        heard: () => peer.text().slice(head),
      };
    },
    end: () => exchange(host.port, { path: '/probe-upgrade/end' }),
    start: () =>
      startHost({
        file,
        environment: {
          PIPELINES_DIR: none,
          PROBE_UPGRADE_ORIGIN: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        },
      }),
  };
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    host = await lab.start();
  });
  beforeEach(forget);
  afterAll(async () => {
    await host.stop('SIGKILL');
    forget();
    server.close();
  });
  return lab;
};
