/**
 * The table of `faas-patterns/shard` in the real workerd, beside the same table on Node: the topologies whose placements
 * are recorded from nginx, twemproxy and HAProxy, those of Envoy's vectors, and all else that a table says.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  MODES,
  type Shard,
  type Topology,
  type TopologyInput,
} from '../../../shared/shard/topology';
import { PEERS_TIMEOUT } from '../../support/peers';
import { type ShardQuestion, shardAnswers } from '../../support/probe/shard-answers';
import { bundleForEdge, startWorkerd, type Workerd } from '../../support/workerd';
import { HAPROXY_CASES, NGINX_CASES, TWEMPROXY_CASES, twemproxyCases } from './peers-cases';
import { KEYS } from './peers-keys';
import { shardOf } from './peers-topology';

let worker: Workerd;

beforeAll(async () => {
  worker = await startWorkerd({ code: bundleForEdge('test/support/probe/edge-shard.ts') });
}, PEERS_TIMEOUT);

afterAll(() => worker?.stop());

const askEdge = async (question: ShardQuestion): Promise<ReturnType<typeof shardAnswers>> => {
  const response = await fetch(worker.url, { method: 'POST', body: JSON.stringify(question) });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${text}\n${worker.output()}`);
  return JSON.parse(text);
};

/** As JSON has it, so that `undefined` members are none on both sides. */
const askNode = (question: ShardQuestion): ReturnType<typeof shardAnswers> =>
  JSON.parse(JSON.stringify(shardAnswers(question)));

/** Not UTF-8, empty, with zero bytes, the one half of a surrogate. */
const BYTES = ['', '00', 'ff', 'c3', '6b00', 'eda080', 'fefffdfc', '80'.repeat(70)];

const compare = async (
  topology: TopologyInput,
  changes: readonly TopologyInput[] = [],
  keys: readonly string[] = KEYS,
) => {
  const question = { topology, keys, bytes: BYTES, changes };
  const [there, here] = [await askEdge(question), askNode(question)];
  if ('tables' in there && 'tables' in here)
    for (const [i, table] of here.tables.entries()) {
      // First what can be told in few lines.
      const owners = there.tables[i]?.owners ?? [];
      const different = table.owners.flatMap((owner, at) =>
        owners[at] === owner ? [] : [[keys[at], owner, owners[at]]],
      );
      expect(different.slice(0, 3)).toEqual([]);
      expect(there.tables[i]?.digest).toBe(table.digest);
    }
  expect(there).toEqual(here);
  return here;
};

/** For topologies that a peer takes. */
const compareTable = async (...question: Parameters<typeof compare>): Promise<void> => {
  expect(await compare(...question)).toHaveProperty('tables');
};

const owners = (answer: ReturnType<typeof shardAnswers>): ReadonlySet<string | null> =>
  new Set('tables' in answer ? answer.tables[0]?.owners : []);

describe('the owners and digests of Node, for the placements recorded from', () => {
  test.each(Object.entries(NGINX_CASES))('nginx: %s', async (_name, { shards }) => {
    await compareTable({ mode: 'nginx-consistent', shards });
    await compareTable({ mode: 'nginx-hash', shards });
  });

  const twemproxy = twemproxyCases({ port: 6379, closed: 6380, folder: '/run/shards' });
  test.each(TWEMPROXY_CASES)('twemproxy: %s', async (name) => {
    const topology = twemproxy[name] as Omit<Topology, 'mode'>;
    await compareTable({ mode: 'twemproxy-ketama', ...topology });
    await compareTable({ mode: 'twemproxy-modula', ...topology });
  });

  test.each(Object.entries(HAPROXY_CASES))('HAProxy: %s', async (_name, topology) => {
    await compareTable({ mode: 'haproxy-consistent', ...topology });
  });

  const hosts = (first: number, last: number, more: (at: number) => Partial<Shard> = () => ({})) =>
    Array.from({ length: last - first + 1 }, (_, at) =>
      shardOf(`127.0.0.1:${first + at}`, more(at)),
    );
  const names = hosts(90, 95, (at) => ({ name: `${90 + at}` }));
  const weights = hosts(90, 92, (at) => ({ weight: at + 1 }));
  test.each<[string, TopologyInput]>([
    ['ring', { mode: 'envoy-ring', shards: hosts(90, 95), minimumRingSize: 12 }],
    [
      'ring of MurmurHash2',
      { mode: 'envoy-ring', shards: hosts(80, 85), minimumRingSize: 12, hash: 'murmur_hash_2' },
    ],
    ['ring of names', { mode: 'envoy-ring', shards: names, minimumRingSize: 12 }],
    ['ring of weights', { mode: 'envoy-ring', shards: weights, minimumRingSize: 20 }],
    ['ring of 1024', { mode: 'envoy-ring', shards: hosts(90, 99) }],
    ['maglev', { mode: 'envoy-maglev', shards: hosts(90, 95), tableSize: 7 }],
    ['maglev of names', { mode: 'envoy-maglev', shards: names, tableSize: 7 }],
    ['maglev of weights', { mode: 'envoy-maglev', shards: weights, tableSize: 17 }],
    ['maglev of 65537', { mode: 'envoy-maglev', shards: hosts(90, 99) }],
  ])("Envoy's vectors: %s", async (_name, topology) => {
    // The hashes and points of these keys are those in which the vectors show.
    await compareTable(
      topology,
      [],
      [...KEYS, ...Array.from({ length: 1000 }, (_, at) => `${at}`)],
    );
  });
});

const members = (...list: readonly string[]) =>
  list.map((name, at) => ({ name, address: `10.0.0.${at + 1}:80`, weight: at + 1 }));

/** One that can be used, of each mode. */
const sampleOf = (mode: TopologyInput['mode']): TopologyInput => ({
  mode,
  shards: members('a', 'b', 'ç', '数'),
  pins: { [KEYS[0] as string]: 'b', 'user:ü': 'ç' },
  ...((mode === 'lookup' || mode === 'prefix') && { table: { u: 'a', '': 'b', ž: '数' } }),
  ...(mode === 'range' && {
    table: [
      { to: 'm', shard: 'a' },
      { from: 'm', to: '\u{1f40e}', shard: 'b' },
    ],
  }),
});

describe('every mode says what it says on Node', () => {
  test.each(MODES)('%s', async (mode) => {
    const base = sampleOf(mode);
    const answer = await compare(base, [
      { ...base, shards: [...members('a', 'b', 'ç', '数'), ...members('new')] },
      { ...base, shards: members('b', 'ç', 'a', '数') },
      { ...base, shards: members('a', 'b', 'ç', '数').map((one) => ({ ...one, down: true })) },
    ]);
    expect(owners(answer).size).toBeGreaterThan(1);
  });

  test('native, of a hundred weights, through a life of changes', async () => {
    const many = Array.from({ length: 100 }, (_, at) => ({
      name: `shard-${at}`,
      address: `10.0.${at}.1:80`,
      weight: 1 + ((at * 37) % 100),
    }));
    const topology = (shards: typeof many): TopologyInput => ({ mode: 'native', shards });
    await compare(topology(many), [
      topology(many.slice(1)),
      topology(many.slice(1).map((one, at) => (at === 7 ? { ...one, weight: 100 } : one))),
      topology(many),
    ]);
  });

  test('a digest is the same in every process and for ever', async () => {
    const answer = await askEdge({
      topology: {
        mode: 'native',
        shards: [
          { name: 'a', address: '10.0.0.1:80' },
          { name: 'b', address: '10.0.0.2:80', weight: 2 },
        ],
      },
      keys: [],
    });
    expect(answer).toMatchObject({ tables: [{ digest: '1c431ace8545f493' }] });
  });
});

describe('what is wrong with a topology is told in the same words', () => {
  test.each<[string, unknown]>([
    ['no object', []],
    ['an unknown mode', { mode: 'nigx', shards: [{ address: '' }, { name: 'b', weight: 1.5 }, 7] }],
    ['no shard', { mode: 'native', shards: [] }],
    [
      'unknown members',
      { mode: 'native', shards: [{ address: 'c', wieght: 1 }], pins: { 'a/b': 1 } },
    ],
    [
      'names that are not apart, an unknown hash, a pin to nobody',
      {
        mode: 'twemproxy-ketama',
        shards: [{ address: 'a' }, { address: 'b', name: 'a', weight: 0 }],
        hash: 'crc64',
        pins: { k: 'nobody' },
      },
    ],
    ['a size that is no prime', { mode: 'envoy-maglev', tableSize: 65_536, shards: members('a') }],
    ['no table', { mode: 'lookup', shards: members('a') }],
    [
      'ranges over each other',
      {
        mode: 'range',
        shards: members('a'),
        table: [{ shard: 'a' }, { from: 'm', shard: 'a' }],
      },
    ],
    ['no template', { mode: 'ordinal' }],
  ])('%s', async (_name, topology) => {
    const answer = await compare(topology as TopologyInput, [], []);
    expect(answer).toMatchObject({ name: 'InvalidTopology', mistakes: expect.any(Array) });
    expect('mistakes' in answer && answer.mistakes?.length).toBeGreaterThan(0);
  });
});
