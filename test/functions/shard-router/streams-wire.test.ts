/** A thousand event streams and WebSockets through the router of both hosts, while an eleventh shard joins ten. */
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { shardTable } from '../../../shared/shard/table';
import { PEERS_TIMEOUT } from '../../support/peers';
import { connect, type PeerServer, startPeerServer } from '../../support/websocket-peer';
import { type HostName, startRouter } from './lab';

const STREAMS = 1_000;
const WINDOW = 2_000;

const folder = mkdtempSync(path.join(os.tmpdir(), 'faas-'));
const shards: PeerServer[] = [];
/** Event streams that are open, by shard. */
const sources: Set<http.ServerResponse>[] = [];

/** Each says who it is, and on /all a word to all that are with it. */
beforeAll(async () => {
  for (let i = 0; i < 11; i += 1) {
    const shard = await startPeerServer();
    const open = new Set<http.ServerResponse>();
    shard.onSocket = (socket) => socket.send(`s${i}`);
    shard.onRequest = (_, outgoing) => {
      outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
      outgoing.write(`data: s${i}\n\n`);
      open.add(outgoing);
      outgoing.once('close', () => open.delete(outgoing));
    };
    shards.push(shard);
    sources.push(open);
  }
}, PEERS_TIMEOUT);

afterAll(() => {
  for (const shard of shards) shard.stop();
});

const members = (count: number) =>
  shards.slice(0, count).map(({ port }, i) => ({ name: `s${i}`, address: `127.0.0.1:${port}` }));

interface Client {
  readonly key: string;
  readonly protocol: 'sse' | 'websocket';
  /** Who has answered, each time that it came. */
  readonly shards: string[];
  /** With which goodbye, and when. */
  readonly ends: { readonly how: string; readonly at: number }[];
  words: number;
  stop(): void;
}

const SAYS_ALL = 'all of you';

/** As browsers do: it comes again when it was told to. */
const webSocket = async (port: number, key: string): Promise<Client> => {
  const client: Client = { key, protocol: 'websocket', shards: [], ends: [], words: 0, stop() {} };
  const begin = async (): Promise<void> => {
    const url = `ws://127.0.0.1:${port}/`;
    const { socket, next, closed } = await connect(url, { headers: { 'x-key': key } });
    client.shards.push(String(await next()));
    socket.on('message', (data: Buffer) => {
      if (data.toString() === SAYS_ALL) client.words += 1;
    });
    let isStopped = false;
    client.stop = () => {
      isStopped = true;
      socket.terminate();
    };
    void closed.then((code) => {
      if (isStopped) return;
      client.ends.push({ how: `${code}`, at: Date.now() });
      void begin();
    });
  };
  await begin();
  return client;
};

const eventSource = async (port: number, key: string): Promise<Client> => {
  const client: Client = { key, protocol: 'sse', shards: [], ends: [], words: 0, stop() {} };
  const begin = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const request = http.get(
        { host: '127.0.0.1', port, path: '/', headers: { 'x-key': key }, agent: false },
        (answer) => {
          let text = '';
          let isStopped = false;
          client.stop = () => {
            isStopped = true;
            answer.destroy();
          };
          answer.on('data', (part: Buffer) => {
            const before = text.length;
            text += part;
            if (before === 0) {
              client.shards.push(/^data: (\S+)/.exec(text)?.[1] ?? text);
              resolve();
            }
            if (part.includes(SAYS_ALL)) client.words += 1;
          });
          answer.on('error', () => undefined);
          answer.once('close', () => {
            if (isStopped) return;
            const retry = /\nretry: ?(\d+)\n/.exec(text)?.[1];
            const how = answer.complete ? `end after retry ${retry}` : 'cut';
            client.ends.push({ how, at: Date.now() });
            setTimeout(() => void begin().catch(() => undefined), Number(retry ?? 0));
          });
        },
      );
      request.once('error', reject);
    });
  await begin();
  return client;
};

describe.each<HostName>(['node', 'functions-framework'])('on the %s host', (name) => {
  test('exactly those whose key has moved are told to come again, and none is lost', async () => {
    const file = path.join(folder, `${name}.json`);
    const write = (count: number) => {
      writeFileSync(`${file}.next`, JSON.stringify({ epoch: count, shards: members(count) }));
      renameSync(`${file}.next`, file);
    };
    write(10);
    const { host } = await startRouter(
      {
        members: { from: 'file', path: file, every: '100ms' },
        streams: { window: `${WINDOW}ms`, retry: '100ms' },
      },
      name,
    );
    const before = shardTable({ mode: 'native', shards: members(10) });
    const after = before.change({ mode: 'native', shards: members(11) });
    const clients: Client[] = [];
    for (let i = 0; i < STREAMS; i += 50)
      clients.push(
        ...(await Promise.all(
          Array.from({ length: 50 }, (_, n) => {
            const key = `document/${i + n}`;
            return n % 2 ? webSocket(host.port, key) : eventSource(host.port, key);
          }),
        )),
      );
    for (const { key, shards } of clients) expect(shards).toEqual([before.place(key)?.name]);

    const movers = new Set(
      clients.filter(({ key }) => before.place(key)?.name !== after.place(key)?.name),
    );
    expect(movers.size).toBeGreaterThan(60);
    expect(movers.size).toBeLessThan(125);
    write(11);
    const ended = () => clients.filter(({ ends }) => ends.length > 0);
    const isBack = ({ shards }: Client) => shards.length === 2;
    while (ended().length < movers.size || ![...movers].every(isBack)) await delay(20);
    // Long enough for anybody else to be told, too.
    await delay(WINDOW);
    expect(new Set(ended())).toEqual(movers);
    for (const { key, protocol, shards, ends } of movers) {
      expect(ends.map(({ how }) => how)).toEqual([
        protocol === 'sse' ? 'end after retry 100' : '1012',
      ]);
      expect(shards).toEqual([before.place(key)?.name, 's10']);
    }
    const moments = [...movers].flatMap(({ ends }) => ends.map(({ at }) => at));
    const spread = Math.max(...moments) - Math.min(...moments);
    expect(spread).toBeGreaterThan(WINDOW / 2);
    expect(spread).toBeLessThan(WINDOW * 10);

    for (const { sockets } of shards) for (const socket of sockets) socket.send(SAYS_ALL);
    for (const open of sources) for (const one of open) one.write(`data: ${SAYS_ALL}\n\n`);
    while (clients.some(({ words }) => words === 0)) await delay(20);
    await delay(100);
    expect(clients.every(({ words }) => words === 1)).toBe(true);
    for (const client of clients) client.stop();
    expect(await host.stop('SIGTERM')).toBe(0);
    expect(host.output()).not.toMatch(/uncaught|MaxListeners|drain_timed_out/);
  }, 120_000);
});
