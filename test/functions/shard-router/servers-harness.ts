/** Shards whose servers do what a test says. */
import type { Choice, Outcome, Servers, Wish } from '../../../functions/shard-router/choice';
import { createServers, type ServersOptions } from '../../../functions/shard-router/servers';
import type { Shard } from '../../../shared/shard/topology';
import { randomOf } from '../../support/random';

export type Go = Extract<Choice, { kind: 'go' }>;

export const OPEN_FOR = 10_000;
export const FAILURES = 3;
export const NONE: ReadonlySet<string> = new Set();

export const chance = (seed: number) => {
  const random = randomOf(seed);
  return { below: (limit: number) => Math.floor(random() * limit) };
};

/** `a`, reached at `http://a-1`, `http://a-2`, … */
export const shardOf = (name: string, replicas = 1, more: Partial<Shard> = {}): Shard => ({
  address: `${name}:80`,
  name,
  weight: 1,
  down: false,
  ejected: false,
  urls: Array.from({ length: replicas }, (_, n) => `http://${name}-${n + 1}`),
  ...more,
});

export const serversOf = (
  shards: readonly Shard[],
  options: Partial<ServersOptions> = {},
): Servers => {
  const servers = createServers({
    onDown: 'fail',
    failures: FAILURES,
    openFor: OPEN_FOR,
    random: chance(1),
    ...options,
  });
  servers.update(shards);
  return servers;
};

/** For the first of them, which the others come after. */
export const wishOf = (shards: readonly Shard[], more: Partial<Wish> = {}): Wish => ({
  owner: shards[0],
  candidates: () => shards,
  tried: NONE,
  since: 0,
  ...more,
});

/** Any of them. */
export const anyOf = (shards: readonly Shard[], more: Partial<Wish> = {}): Wish =>
  wishOf(shards, { owner: undefined, ...more });

/** A request from its choice to its end. */
export const send = (servers: Servers, wish: Wish, outcome: Outcome, now: number): Choice => {
  const choice = servers.choose(wish, now);
  if (choice.kind !== 'go') return choice;
  const flight = servers.begin(choice);
  flight.settle(outcome, now);
  flight.end();
  return choice;
};

/** Opens the circuit of one server, whoever would be chosen. */
export const open = (servers: Servers, shard: Shard, url: string, now: number): void => {
  for (let n = 0; n < FAILURES; n += 1) {
    const flight = servers.begin({ kind: 'go', shard, url, role: 'owner', probe: false });
    flight.settle('failed', now);
    flight.end();
  }
};

/** Opens all circuits of a shard. */
export const openAll = (servers: Servers, shard: Shard, now: number): void => {
  for (const url of shard.urls ?? []) open(servers, shard, url, now);
};

export const goOf = (choice: Choice): Go => {
  if (choice.kind !== 'go') throw new Error(`nobody was chosen: ${choice.kind}`);
  return choice;
};
