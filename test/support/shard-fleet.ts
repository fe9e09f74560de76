/**
 * Routers and shards as processes of their own, over one Redis server for the members; one router reads from a second
 * server, to which each change comes late, as from a replica that is behind.
 */
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { publishMembers } from '../../shared/shard/members/publish';
import { DEFAULT_MEMBERS_KEY } from '../../shared/shard/members/stored';
import { type ShardTable, shardTable } from '../../shared/shard/table';
import type { ShardInput, TopologyInput } from '../../shared/shard/topology';
import { redisStore } from '../../shared/store/redis';
import { bundle } from './bundle';
import { type Child, startChild } from './child';
import { type HostProcess, startHost } from './host-process';
import { type RedisServer, startRedis } from './redis';
import { type ClientAnswer, type Evidence, readAnswers, readExecutions } from './shard-judge';
import type { LoadOptions } from './shard-load';

export interface FleetOptions {
  /** Names of all shards that will ever be: each has its processes from the start to the end, in the table or not. */
  readonly shards: readonly string[];
  /** The first members, known to all: weights by name. */
  readonly members: Readonly<Record<string, number>>;
  /** Routers that hear of changes at once; one more is behind. */
  readonly routers: number;
  /** How far the last router is behind, ms. */
  readonly lag: number;
  /** For routers and shards alike, without shards and members. */
  readonly config: Omit<TopologyInput, 'shards'> & { readonly key: unknown };
}

export interface Fleet {
  /** Makes these the members, as weights by name; gives their table. */
  publish(members: Readonly<Record<string, number>>): Promise<ShardTable>;
  /** Begins requests, and waits for the first answers; what it gives ends them, and tells how they were answered. */
  load(
    options: Pick<LoadOptions, 'rate' | 'keys'>,
  ): Promise<() => Promise<readonly ClientAnswer[]>>;
  /** What each router takes for the table of now. */
  digests(): Promise<readonly string[]>;
  /** Ends routers and shards, and tells all that there is to know. */
  evidence(): Promise<Evidence>;
  stop(): Promise<void>;
}

export const startFleet = async (options: FleetOptions): Promise<Fleet> => {
  const { shards, lag } = options;
  const { mode } = options.config;
  const folder = mkdtempSync(path.join(tmpdir(), 'fleet-'));
  const file = (name: string) => path.join(folder, name);
  const config = JSON.stringify({ ...options.config, members: { from: 'store' } });
  const [redis, late, recorder] = await Promise.all([
    startRedis(),
    startRedis(),
    startChild('test/support/shard-recorder.ts', shards, { timeout: 120_000 }),
  ]);
  const ports = JSON.parse(await recorder.line()) as readonly number[];
  const store = redisStore({ url: redis.url });
  const history = new Map<string, ShardTable>();
  const delayed = new Set<NodeJS.Timeout>();

  const owners = await Promise.all(
    shards.map((name, i) =>
      startHost({
        file: bundle('test/support/shard-counted-owner.ts'),
        environment: {
          FUNCTION_TARGET: 'shard-owner',
          STORE_URL: redis.url,
          SHARD_OWNER_CONFIG: config,
          SHARD_OWNER_NAME: name,
          SHARD_OWNER_TARGET: `http://127.0.0.1:${ports[i]}`,
          ARRIVALS: file(`arrivals-${name}`),
        },
      }),
    ),
  );
  const memberOf = (name: string, weight: number): ShardInput => ({
    address: name,
    urls: [(owners[shards.indexOf(name)] as HostProcess).url],
    weight,
  });
  const publish = async (members: Readonly<Record<string, number>>, wait = lag) => {
    const topology = { mode } as TopologyInput;
    const input = { shards: Object.entries(members).map(([name, w]) => memberOf(name, w)) };
    const published = await publishMembers(store, DEFAULT_MEMBERS_KEY, input, { topology });
    if (!('epoch' in published)) throw new Error(JSON.stringify(published));
    const table = shardTable({ ...topology, ...input }, { epoch: published.epoch });
    history.set(`${table.epoch}`, table);
    const copy = await copyOf(redis);
    const arrive = () => paste(late, copy, table.epoch);
    if (wait === 0) await arrive();
    else delayed.add(setTimeout(() => void arrive().catch(() => undefined), wait));
    return table;
  };
  await publish(options.members, 0);
  const routers = await Promise.all(
    Array.from({ length: options.routers + 1 }, (_, i) =>
      startHost({
        file: bundle('deploy/entry/node.ts'),
        environment: {
          FUNCTION_TARGET: 'shard-router',
          STORE_URL: i === options.routers ? late.url : redis.url,
          SHARD_ROUTER_CONFIG: config,
        },
      }),
    ),
  );

  const loads: Child[] = [];
  const answers: ClientAnswer[] = [];
  const end = async (hosts: readonly HostProcess[]): Promise<void> => {
    await Promise.all(
      hosts.map((host) => (host.child.exitCode === null ? host.stop() : undefined)),
    );
  };
  return {
    publish: (members) => publish(members),
    load: async (wanted) => {
      const settings: LoadOptions = {
        ...wanted,
        routers: routers.map(({ url }) => url),
        file: file(`answers-${loads.length}`),
        // No two calls are named alike.
        firstCall: loads.length * 1_000_000,
      };
      const child = await startChild('test/support/shard-load.ts', [JSON.stringify(settings)], {
        timeout: 120_000,
      });
      loads.push(child);
      await child.line();
      return async () => {
        child.send('end');
        await child.line();
        const told = readAnswers(readFileSync(settings.file, 'utf8'));
        answers.push(...told);
        return told;
      };
    },
    digests: () =>
      Promise.all(
        routers.map(async ({ url }) => {
          const response = await fetch(`${url}/shard-router/owner/table`);
          return ((await response.json()) as { digest: string }).digest;
        }),
      ),
    evidence: async () => {
      await end([...routers, ...owners]);
      recorder.send(`dump ${file('executions')}`);
      await recorder.line();
      const read = (name: string) => readFileSync(file(name), 'utf8');
      return {
        history,
        executions: readExecutions(read('executions')),
        answers,
        arrivals: shards.flatMap((name) => read(`arrivals-${name}`).split('\n').filter(Boolean)),
      };
    },
    stop: async () => {
      for (const timer of delayed) clearTimeout(timer);
      for (const child of loads) child.kill();
      recorder.kill();
      await end([...routers, ...owners]);
      await store.close();
      await Promise.all([redis.stop(), late.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
};

const ENTRY = `faas:e:${DEFAULT_MEMBERS_KEY}`;

/** The entry of the members as the store keeps it, with its version. */
const copyOf = async (redis: RedisServer): Promise<string> =>
  (await redis.command('GET', ENTRY)).replace(/^\$\d+\r\n/, '');

/** As replication does it: the same bytes, nobody is asked. */
const paste = async (redis: RedisServer, copy: string, version: number): Promise<void> => {
  await redis.command('SET', ENTRY, copy);
  await redis.command('SET', 'faas:version', `${version}`);
};
