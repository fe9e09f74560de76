/**
 * A router and two shards, a and b, as processes, each with a file of members of its own that nobody reads again unless a
 * fence says so: who knows what is the test's to say. Behind the shards one application that writes down what it executes.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ShardTable, shardTable } from '../../shared/shard/table';
import { bundle } from './bundle';
import { type HostProcess, startHost } from './host-process';

export type ShardName = 'a' | 'b';
export type Member = 'router' | ShardName;

export interface Executed {
  readonly shard: ShardName;
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Pair {
  readonly router: HostProcess;
  readonly shards: Readonly<Record<ShardName, HostProcess>>;
  readonly executed: Executed[];
  /** Writes the members down for some of them, who do not hear of it; gives their table. */
  tell(whom: readonly Member[], members: readonly ShardName[], epoch: number): ShardTable;
  stop(): Promise<void>;
}

export interface PairOptions {
  /** The host of the router. */
  readonly host?: string;
  /** Beside mode and members. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** SHARD_OWNER_ROLES of both shards. */
  readonly roles?: string;
  /** What the application answers. @default 200 */
  readonly answer?: (outgoing: http.ServerResponse) => void;
}

/** All know a and b, at epoch 1. */
export const startPair = async ({
  host = 'node',
  config = { key: { header: 'x-key' } },
  roles,
  answer = (outgoing) => outgoing.end('done'),
}: PairOptions = {}): Promise<Pair> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pair-'));
  const fileOf = (who: Member) => path.join(folder, `${who}.json`);
  const settings = (who: Member) =>
    JSON.stringify({
      mode: 'native',
      ...config,
      members: { from: 'file', path: fileOf(who), every: '1h' },
    });
  const executed: Executed[] = [];
  const servers: http.Server[] = [];
  const application = (shard: ShardName): Promise<number> =>
    new Promise((resolve) => {
      const server = http.createServer(async (incoming, outgoing) => {
        const parts: Buffer[] = [];
        for await (const part of incoming) parts.push(part as Buffer);
        const { method = '', url = '', headers } = incoming;
        executed.push({ shard, method, url, headers, body: Buffer.concat(parts) });
        answer(outgoing);
      });
      servers.push(server);
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  const urls = new Map<ShardName, string>();
  const tell: Pair['tell'] = (whom, members, epoch) => {
    const shards = members.map((address) => ({
      address,
      urls: [urls.get(address) ?? 'http://127.0.0.1:9'],
    }));
    for (const who of whom) writeFileSync(fileOf(who), JSON.stringify({ epoch, shards }));
    return shardTable({ mode: 'native', shards }, { epoch });
  };
  const shard = async (name: ShardName): Promise<HostProcess> => {
    const started = await startHost({
      file: bundle('deploy/entry/node.ts'),
      environment: {
        FUNCTION_TARGET: 'shard-owner',
        SHARD_OWNER_CONFIG: settings(name),
        SHARD_OWNER_NAME: name,
        SHARD_OWNER_TARGET: `http://127.0.0.1:${await application(name)}`,
        SHARD_OWNER_ROLES: roles,
      },
    });
    urls.set(name, started.url);
    return started;
  };
  tell(['a', 'b'], ['a', 'b'], 1);
  const [a, b] = await Promise.all([shard('a'), shard('b')]);
  tell(['router', 'a', 'b'], ['a', 'b'], 1);
  const router = await startHost({
    file: bundle(`deploy/entry/${host}.ts`),
    environment: { FUNCTION_TARGET: 'shard-router', SHARD_ROUTER_CONFIG: settings('router') },
  });
  // Whoever has begun reads his members when he is asked, or soon after; from here on nobody reads them unasked.
  for (const { url } of [router, a, b]) await answers(url);
  executed.length = 0;
  return {
    router,
    shards: { a, b },
    executed,
    tell,
    stop: async () => {
      const hosts = [router, a, b].filter(({ child }) => child.exitCode === null);
      await Promise.all(hosts.map((one) => one.stop('SIGKILL')));
      for (const server of servers) server.closeAllConnections();
      for (const server of servers) server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** Any answer but that nobody knows the table. */
const answers = async (url: string): Promise<void> => {
  for (const end = performance.now() + 10_000; performance.now() < end; ) {
    const response = await fetch(url, { headers: { 'x-key': 'any' } });
    const text = await response.text();
    if (!text.includes('table_unavailable')) return;
  }
  throw new Error(`${url} has no table`);
};

/** A key that each of these tables gives to this shard. */
export const keyOf = (...owned: readonly (readonly [ShardTable, ShardName])[]): string => {
  for (let n = 0; n < 100_000; n += 1)
    if (owned.every(([table, name]) => table.place(`key-${n}`)?.name === name)) return `key-${n}`;
  throw new Error('there is no such key');
};
