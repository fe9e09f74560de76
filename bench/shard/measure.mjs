/** node measure.mjs PROGRAM ROUNDS: the figures as JSON. */
import { createRequire } from 'node:module';

const [program, rounds] = process.argv.slice(2);
const { shardTable } = createRequire(import.meta.url)(program);

const KEYS = 1_000_000;
const keys = Array.from({ length: KEYS }, (_, i) => `user:${i}`);
const members = (count, prefix = 'shard', weightOf = () => 1) =>
  Array.from({ length: count }, (_, i) => ({
    address: `${prefix}-${i}:80`,
    weight: weightOf(i),
  }));

/** CPU ms of this process. */
const cpu = (work) => {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { ms: (user + system) / 1000, result };
};
const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];

const placeAll = (table) => {
  const places = new Map(table.shards.map((shard, i) => [shard, i]));
  const owners = new Int32Array(KEYS);
  for (let i = 0; i < KEYS; i += 1) owners[i] = places.get(table.place(keys[i])) ?? -1;
  return owners;
};

/** Of all keys once, without what the counting costs. */
const lookups = (table) => {
  let seen = 0;
  for (let i = 0; i < KEYS; i += 1) if (table.place(keys[i]) !== undefined) seen += 1;
  return seen;
};

const speed = (mode, count) => {
  const topology = { mode, shards: members(count) };
  const next = { mode, shards: members(count + 1) };
  const builds = [];
  const changes = [];
  const rates = [];
  const opening = [];
  for (let round = 0; round < Number(rounds); round += 1) {
    const made = cpu(() => shardTable(topology));
    builds.push(made.ms);
    // What a table finds when it is first asked, it has found by then.
    opening.push(cpu(() => lookups(made.result)).ms);
    changes.push(cpu(() => made.result.change(next)).ms);
    rates.push(KEYS / cpu(() => lookups(made.result)).ms / 1000);
  }
  return {
    mode,
    count,
    // The first one also waits for the compiler, as a first one does.
    first: builds[0],
    build: median(builds),
    change: median(changes),
    opening: median(opening),
    rate: median(rates),
  };
};

const share = (owners, count) => {
  const counts = new Float64Array(count);
  for (const owner of owners) counts[owner] += 1;
  return counts;
};

const movesBetween = (one, other) => {
  const [a, b] = [placeAll(one), placeAll(other)];
  const nameAt = (table, place) => table.shards[place]?.name;
  let moved = 0;
  let collateral = 0;
  const weights = (table) => new Map(table.shards.map(({ name, weight }) => [name, weight]));
  const [before, after] = [weights(one), weights(other)];
  const isSame = (name) => before.get(name) === after.get(name);
  for (let i = 0; i < KEYS; i += 1) {
    const [from, to] = [nameAt(one, a[i]), nameAt(other, b[i])];
    if (from === to) continue;
    moved += 1;
    if (isSame(from) && isSame(to)) collateral += 1;
  }
  return { moved: moved / KEYS, collateral: collateral / KEYS };
};

const evenness = (mode) => {
  const ratios = Array.from({ length: 20 }, (_, set) => {
    const owners = placeAll(shardTable({ mode, shards: members(100, `set-${set}`) }));
    return Math.max(...share(owners, 100)) / (KEYS / 100);
  }).sort((a, b) => a - b);
  const shards = members(100);
  const table = shardTable({ mode, shards });
  const of = (list) => movesBetween(table, table.change({ mode, shards: list }));
  return {
    mode,
    median: (ratios[9] + ratios[10]) / 2,
    most: ratios[19],
    add: of(members(101)),
    remove: of(shards.filter((_, i) => i !== 50)),
    reweight: of(shards.map((one, i) => (i === 50 ? { ...one, weight: 2 } : one))),
  };
};

const SPEEDS = [
  ['native', 10],
  ['native', 100],
  ['native', 1000],
  ['nginx-consistent', 100],
  ['twemproxy-ketama', 100],
  ['envoy-ring', 100],
  ['envoy-maglev', 100],
  ['haproxy-consistent', 100],
  ['jump', 100],
];
const EVEN = ['native', 'nginx-consistent', 'twemproxy-ketama', 'envoy-ring', 'envoy-maglev'];

process.stdout.write(
  JSON.stringify({
    speeds: SPEEDS.map(([mode, count]) => speed(mode, count)),
    evenness: EVEN.map(evenness),
  }),
);
