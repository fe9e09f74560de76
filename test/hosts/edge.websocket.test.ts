/** WebSockets that are handed on at the edge: a real client and a real server, with the real workerd between them. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { PEERS_TIMEOUT, providePeers } from '../support/peers';
import { exchange } from '../support/raw-http';
import { bundleForEdge, startWorkerd, type Workerd } from '../support/workerd';

/** As much of the package `ws` as is used here. */
interface Socket {
  readonly protocol: string;
  readonly extensions: string;
  on(event: string, listener: (...args: never[]) => void): this;
  send(data: string | Buffer): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
}
interface WebSockets {
  new (url: string, protocols?: readonly string[], options?: object): Socket;
  readonly WebSocketServer: new (
    options: object,
  ) => {
    readonly clients: ReadonlySet<Socket>;
    on(event: 'connection', listener: (socket: Socket) => void): void;
  };
}

let WebSocket: WebSockets;
let server: http.Server;
let worker: Workerd;
let clients: ReadonlySet<Socket>;
const closes: (readonly [number, string])[] = [];
const sockets: Socket[] = [];

beforeAll(async () => {
  WebSocket = (await providePeers('websocket'))('ws') as WebSockets;
  server = http.createServer((_request, answer) => answer.writeHead(426).end('upgrade'));
  const echo = new WebSocket.WebSocketServer({
    server,
    handleProtocols: (protocols: ReadonlySet<string>) => [...protocols].at(-1) ?? false,
    verifyClient: ({ req }: { req: http.IncomingMessage }) => req.url !== '/refused',
  });
  clients = echo.clients;
  echo.on('connection', (socket) => {
    sockets.push(socket);
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      const text = data.toString();
      if (text === 'close') socket.close(4001, 'as asked');
      else if (text === 'die') socket.terminate();
      else socket.send(isBinary ? data : text);
    });
    socket.on('close', (code: number, reason: Buffer) => closes.push([code, reason.toString()]));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  worker = await startWorkerd({
    code: bundleForEdge('test/support/probe/edge-forward.ts'),
    environment: {
      NODE_ENV: 'development',
      PROBE_FORWARD_ORIGIN: `http://127.0.0.1:${port}`,
    },
  });
}, PEERS_TIMEOUT);

afterAll(async () => {
  await worker?.stop();
  for (const socket of sockets) socket.terminate();
  server?.close();
});

/** What a test has opened is closed before the next one looks. */
afterEach(async () => {
  for (const socket of clients) socket.terminate();
  await until(() => clients.size === 0);
  await until(async () => (await streams()).streams.length === 0);
  closes.length = 0;
});

const connect = (path: string, protocols: readonly string[] = []) => {
  const socket = new WebSocket(`ws://127.0.0.1:${worker.port}${path}`, protocols);
  const messages: (string | Buffer)[] = [];
  socket.on('message', (data: Buffer, isBinary: boolean) =>
    messages.push(isBinary ? data : data.toString()),
  );
  const closed = new Promise<readonly [number, string]>((resolve) =>
    socket.on('close', (code: number, reason: Buffer) => resolve([code, reason.toString()])),
  );
  const failed = new Promise<string>((resolve) =>
    socket.on('error', ({ message }: Error) => resolve(message)),
  );
  const opened = new Promise<void>((resolve) => socket.on('open', () => resolve()));
  return { socket, messages, closed, failed, opened };
};

const until = async (check: () => unknown): Promise<void> => {
  for (const end = performance.now() + 5_000; !(await check()); await sleep(5))
    if (performance.now() > end) throw new Error('it has not come true in time');
};

const streams = async (): Promise<{ readonly streams: string[]; readonly ended: number }> =>
  JSON.parse((await exchange(worker.port, { path: '/probe-forward/streams' })).body.toString());

test('messages of all kinds and lengths go both ways as they are', async () => {
  const { socket, messages, opened } = connect('/chat');
  await opened;
  expect((await streams()).streams).toEqual(['websocket']);
  const sent = [
    '',
    'žluťoučký 🐎',
    Buffer.from([0, 255, 1]),
    'x'.repeat(70_000),
    Buffer.alloc(900_000, 7),
  ];
  for (const message of sent) socket.send(message);
  await until(() => messages.length === sent.length);
  const texts = (all: readonly (string | Buffer)[]) =>
    all.map((one) => (typeof one === 'string' ? one : one.toString('latin1')));
  expect(messages.map((one) => typeof one)).toEqual(sent.map((one) => typeof one));
  expect(texts(messages)).toEqual(texts(sent));
  socket.terminate();
  await until(async () => (await streams()).streams.length === 0);
});

test('the subprotocol that the server chooses is the one that the client gets', async () => {
  const { socket, opened } = connect('/chat', ['one', 'two']);
  await opened;
  expect(socket.protocol).toBe('two');
  socket.terminate();
});

test('the goodbye of the server reaches the client, with its code and reason', async () => {
  const { socket, opened, closed } = connect('/chat');
  await opened;
  socket.send('close');
  expect(await closed).toEqual([4001, 'as asked']);
});

test('the goodbye of the client reaches the server', async () => {
  const { socket, opened } = connect('/chat');
  await opened;
  socket.close(4002, 'enough');
  await until(() => closes.length > 0);
  expect(closes).toEqual([[4002, 'enough']]);
});

test('a server that dies ends the client', async () => {
  const { socket, opened, closed } = connect('/chat');
  await opened;
  const before = (await streams()).ended;
  socket.send('die');
  expect((await closed)[0]).toBe(1011);
  expect((await streams()).ended).toBe(before + 1);
});

test('a client that dies ends the server', async () => {
  const { socket, opened } = connect('/chat');
  await opened;
  socket.terminate();
  await until(() => closes.length > 0);
});

test('silence ends both', async () => {
  const { opened, closed } = connect('/chat');
  await opened;
  expect((await closed)[0]).toBe(1001);
});

test('one that is busy is not silent', async () => {
  const { socket, messages, opened } = connect('/chat');
  await opened;
  for (let i = 0; i < 6; i += 1) {
    socket.send(`${i}`);
    await sleep(200);
  }
  expect(messages).toHaveLength(6);
  socket.terminate();
});

test('one that is ended from within another request says 1012, and the server behind 1001', async () => {
  const { opened, closed } = connect('/chat');
  await opened;
  await exchange(worker.port, { method: 'POST', path: '/probe-forward/end' });
  expect((await closed)[0]).toBe(1012);
  await until(() => closes.length > 0);
  expect(closes[0]?.[0]).toBe(1001);
  expect((await streams()).streams).toEqual([]);
});

test('an upgrade that the server refuses is an ordinary answer', async () => {
  expect(await connect('/refused').failed).toMatch(/401/);
});

test('a hundred at once, each with its own messages', async () => {
  const all = Array.from({ length: 100 }, (_, i) => ({ ...connect('/chat'), i }));
  await Promise.all(all.map(({ opened }) => opened));
  for (const { socket, i } of all) for (let n = 0; n < 10; n += 1) socket.send(`${i}:${n}`);
  await until(() => all.every(({ messages }) => messages.length === 10));
  for (const { messages, i } of all)
    expect(messages).toEqual(Array.from({ length: 10 }, (_, n) => `${i}:${n}`));
  for (const { socket } of all) socket.terminate();
});
