/** WebSockets through both hosts, as processes, between an independent client and an independent server. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';
import { PEERS_TIMEOUT } from '../support/peers';
import { exchange } from '../support/raw-http';
import { connect, echo, type PeerServer, startPeerServer } from '../support/websocket-peer';

const MIB = 2 ** 20;
const none = mkdtempSync(path.join(os.tmpdir(), 'faas-'));

let upstream: PeerServer;

beforeAll(async () => {
  upstream = await startPeerServer({ perMessageDeflate: true, handleProtocols: () => 'chat.v2' });
}, PEERS_TIMEOUT);

afterEach(async () => {
  for (const socket of upstream.sockets) socket.close();
  await until(() => upstream.sockets.size === 0);
  upstream.onSocket = echo;
  upstream.takes = () => true;
  upstream.holds = async () => undefined;
  upstream.codes.length = 0;
});

afterAll(() => upstream.stop());

const probeEnvironment = () => ({
  PIPELINES_DIR: none,
  PROBE_UPGRADE_ORIGIN: `http://127.0.0.1:${upstream.port}`,
});

describe.each(['node', 'functions-framework'])('the %s host', (name) => {
  const file = bundle(`test/support/upgrade-probe/${name}.ts`);
  let host: HostProcess;
  const start = (environment: Record<string, string> = {}) =>
    startHost({ file, environment: { ...probeEnvironment(), ...environment } });
  const url = (path = '/', { port } = host) =>
    `ws://127.0.0.1:${port}/probe-upgrade/forward${path}`;
  const state = async ({ port } = host) =>
    JSON.parse((await exchange(port, { path: '/probe-upgrade/streams' })).body.toString()) as {
      streams: string[];
      ended: number;
    };
  const end = ({ port } = host) => exchange(port, { path: '/probe-upgrade/end' });

  beforeAll(async () => {
    host = await start();
  });

  afterAll(() => host.stop('SIGKILL'));

  test('messages of every length of head come back as they went, text and binary', async () => {
    const client = await connect(url());
    for (const size of [0, 1, 125, 126, 127, 4_096, 65_535, 65_536, 70_000]) {
      const bytes = randomBytes(size);
      client.socket.send(bytes);
      expect(Buffer.compare((await client.next()) as Buffer, bytes)).toBe(0);
      const text = 'ü'.repeat(size >> 1);
      client.socket.send(text);
      expect((await client.next()) === text).toBe(true);
    }
    client.socket.close(1000);
    expect(await client.closed).toBe(1000);
  });

  test('fragments with pings between them, and what both have agreed to compress', async () => {
    const client = await connect(url(), { perMessageDeflate: true });
    expect(client.socket.extensions).toContain('permessage-deflate');
    for (let i = 0; i < 20; i += 1) {
      client.socket.send(`part ${i} ${'a'.repeat(5_000)} `, { fin: i === 19 });
      client.socket.ping(`ping ${i}`);
    }
    expect(String(await client.next()).match(/part \d+/g)).toHaveLength(20);
    expect(client.pongs).toEqual(Array.from({ length: 20 }, (_, i) => `ping ${i}`));
    client.socket.close();
    await client.closed;
  });

  test('a message of 16 MiB', async () => {
    const client = await connect(url(), { maxPayload: 32 * MIB });
    const bytes = randomBytes(16 * MIB);
    client.socket.send(bytes);
    expect(Buffer.compare((await client.next()) as Buffer, bytes)).toBe(0);
    client.socket.close();
    await client.closed;
  });

  test('the handshake goes on as it came, and its answer comes back as it was given', async () => {
    let seen: IncomingMessage | undefined;
    upstream.onSocket = (_, incoming) => {
      seen = incoming;
    };
    const client = await connect(url('/a%2Fb/c?x=%20&y'), {
      protocols: ['chat.v2', 'chat.v1'],
      headers: { 'x-own': 'own', cookie: 'a=b' },
    });
    expect(client.socket.protocol).toBe('chat.v2');
    expect(client.head.statusCode).toBe(101);
    expect(client.head.headers).toMatchObject({
      upgrade: 'websocket',
      connection: 'Upgrade',
      'x-request-id': expect.stringMatching(/./),
    });
    expect(seen?.url).toBe('/a%2Fb/c?x=%20&y');
    expect(seen?.headers).toMatchObject({
      host: `127.0.0.1:${upstream.port}`,
      'x-own': 'own',
      cookie: 'a=b',
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-version': '13',
      'sec-websocket-protocol': 'chat.v2,chat.v1',
      traceparent: expect.stringMatching(/^00-/),
    });
    client.socket.close();
    await client.closed;
  });

  test('whoever forwards has it in hand until it is over, and counts it once', async () => {
    const before = (await state()).ended;
    const clients = [await connect(url()), await connect(url())];
    expect((await state()).streams).toEqual(['websocket', 'websocket']);
    for (const { socket } of clients) socket.close();
    await Promise.all(clients.map(({ closed }) => closed));
    await until(() => upstream.sockets.size === 0);
    await delay(50);
    expect(await state()).toEqual({ streams: [], ended: before + 2 });
  });

  test('what the server says together with its answer is not lost, even to a function that waits', async () => {
    upstream.onSocket = (socket) => {
      socket.send('first');
      echo(socket);
    };
    const client = await connect(url().replace('/forward', '/late'));
    client.socket.send('second');
    expect([await client.next(), await client.next()]).toEqual(['first', 'second']);
    client.socket.close();
    await client.closed;
  });

  test('codes and reasons of both sides pass', async () => {
    const client = await connect(url());
    client.socket.close(4321, 'because');
    expect(await client.closed).toBe(4321);
    upstream.onSocket = (socket) => socket.close(4999);
    expect(await (await connect(url())).closed).toBe(4999);
    await until(() => upstream.codes.length === 2);
    expect(upstream.codes).toEqual([4321, 4999]);
  });

  test('a server that dies ends its clients, and a client that dies its connection behind', async () => {
    const client = await connect(url());
    for (const one of upstream.sockets) one._socket.resetAndDestroy();
    expect(await client.closed).toBe(1006);
    const other = await connect(url());
    other.socket._socket.resetAndDestroy();
    await until(() => upstream.sockets.size === 0);
    await delay(50);
    expect((await state()).streams).toEqual([]);
  });

  test('a reader who does not read costs no memory, in either direction', async () => {
    const fresh = await start();
    const warm = await connect(url('/', fresh));
    warm.socket.send(randomBytes(MIB));
    await warm.next();
    const before = peakMemory(fresh);
    let sent = 0;
    let socket: { bufferedAmount: number } | undefined;
    upstream.onSocket = (one) => {
      one.pause();
      socket = one;
      for (; sent < 128; sent += 1) one.send(Buffer.alloc(MIB));
    };
    const client = await connect(url('/', fresh));
    client.socket.pause();
    for (let i = 0; i < 128; i += 1) client.socket.send(Buffer.alloc(MIB));
    await delay(1_500);
    // Nearly all is where it came from.
    expect(socket?.bufferedAmount).toBeGreaterThan(100 * MIB);
    expect(client.socket.bufferedAmount).toBeGreaterThan(100 * MIB);
    expect(peakMemory(fresh) - before).toBeLessThan(32 * 1024);
    client.socket.resume();
    let bytes = 0;
    while (bytes < 128 * MIB) bytes += (await client.next()).length;
    expect(peakMemory(fresh) - before).toBeLessThan(48 * 1024);
    await fresh.stop('SIGKILL');
    for (const one of upstream.sockets) one.terminate();
  });

  test('300 at once, each with its own', async () => {
    const clients = await Promise.all(Array.from({ length: 300 }, (_, i) => connect(url(`/${i}`))));
    for (let round = 0; round < 3; round += 1) {
      for (const [i, { socket }] of clients.entries()) socket.send(`${i} ${round}`);
      expect(await Promise.all(clients.map(({ next }) => next()))).toEqual(
        clients.map((_, i) => `${i} ${round}`),
      );
    }
    expect((await state()).streams).toHaveLength(300);
    for (const { socket } of clients) socket.close();
    expect(new Set(await Promise.all(clients.map(({ closed }) => closed)))).toEqual(
      new Set([1005]),
    );
    await delay(100);
    expect((await state()).streams).toEqual([]);
  });

  test('when it is ended early, the client hears 1012 and the server behind that it has gone', async () => {
    const client = await connect(url());
    client.socket.send('before');
    await client.next();
    await end();
    expect(await client.closed).toBe(1012);
    await until(() => upstream.codes.length === 1);
    expect(upstream.codes).toEqual([1001]);
    await end();
  });

  test('one that is silent for `idle` is over; a word of either side keeps it', async () => {
    const fresh = await start({ PROBE_UPGRADE_IDLE: '500' });
    const silent = await connect(url('/', fresh));
    const asking = await connect(url('/', fresh));
    const pings = setInterval(() => asking.socket.ping(), 100);
    expect(await silent.closed).toBe(1001);
    await delay(700);
    clearInterval(pings);
    expect(asking.socket.readyState).toBe(1);
    expect(await asking.closed).toBe(1001);
    await until(() => upstream.codes.length === 2);
    expect(upstream.codes).toEqual([1001, 1001]);
    // A refusal that begins and then says nothing more.
    upstream.takes = () => false;
    upstream.onRequest = (_, outgoing) => void outgoing.writeHead(403).write('no');
    await expect(refusalOf(url('/', fresh))).rejects.toThrow(/aborted/);
    await fresh.stop('SIGKILL');
  });

  test('SIGTERM ends them with 1001, also one that is about to begin, and the host exits with 0', async () => {
    const fresh = await start();
    const clients = await Promise.all([1, 2, 3].map(() => connect(url('/', fresh))));
    // One whose function still waits, and one whose server does.
    const late = connect(url('/', fresh).replace('/forward', '/late'));
    await until(() => upstream.sockets.size === 4);
    upstream.holds = () => delay(400);
    const later = connect(url('/', fresh));
    await delay(100);
    const began = Date.now();
    const stopped = fresh.stop('SIGTERM');
    clients.push(await late, await later);
    for (const { head } of clients) expect(head.headers.connection).toBe('Upgrade');
    expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual(Array(5).fill(1001));
    expect(await stopped).toBe(0);
    expect(Date.now() - began).toBeLessThan(9_000);
    expect(upstream.codes).toEqual(Array(5).fill(1001));
    expect(fresh.output()).not.toMatch(/drain_timed_out|uncaught/);
  });

  test('a client that never closes does not hold up a host that stops', async () => {
    const fresh = await start();
    const client = await connect(url('/', fresh));
    client.socket.pause();
    client.socket._socket.pause();
    const began = Date.now();
    expect(await fresh.stop('SIGTERM')).toBe(0);
    expect(Date.now() - began).toBeLessThan(9_000);
    expect(fresh.output()).not.toMatch(/drain_timed_out/);
    client.socket.terminate();
  });
});

/** Its body; rejects when that breaks off. */
const refusalOf = async (url: string): Promise<string> => {
  const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const headers = { connection: 'Upgrade', upgrade: 'websocket' };
    http.get(url.replace('ws:', 'http:'), { headers }, resolve).once('error', reject);
  });
  let text = '';
  for await (const part of answer) text += part;
  return text;
};

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await delay(10);
};

const peakMemory = ({ child }: HostProcess): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]);
