/** What a schema cannot say of a topology: names that nobody has, spans that overlap, a size that is no prime. */
import type { InputError } from '../failure';
import { compareKeys } from './bytes';
import { replicasOf } from './complete';
import { ENVOY_HASHES, HAPROXY_HASHES, TWEMPROXY_HASHES } from './hash/named';
import type { Mode, Range, Shard, Topology, TopologyInput } from './topology';
import { pointerToken } from './validate';

const TWEMPROXY = Object.keys(TWEMPROXY_HASHES);
const HAPROXY = Object.keys(HAPROXY_HASHES);
const ENVOY = Object.keys(ENVOY_HASHES);
const SHORT = [...new Set([...TWEMPROXY, ...HAPROXY])];

/** By mode, the names that `hash` may have; other modes have no choice. */
export const HASHES: Partial<Record<Mode, readonly string[]>> = {
  'twemproxy-ketama': TWEMPROXY,
  'twemproxy-modula': TWEMPROXY,
  'haproxy-consistent': HAPROXY,
  'envoy-ring': ENVOY,
  jump: [...SHORT, ...ENVOY],
  modulo: SHORT,
  ordinal: SHORT,
};

/** `input` as it was written, which the pointers lead into; `topology` the same with its defaults. */
export const findMistakes = (topology: Topology, input: TopologyInput): readonly InputError[] => [
  ...membersOf(topology),
  ...ordinalOf(topology, input),
  ...numbersOf(topology),
  ...tableOf(topology),
  ...unknownShards(topology, '/pins', Object.entries(topology.pins ?? {})),
];

function* membersOf({ mode, shards }: Topology): Generator<InputError> {
  if (shards.length === 0 && mode !== 'ordinal')
    yield { pointer: '/shards', message: 'must have at least one shard' };
  yield* repeated(shards, ({ name }) => name, 'name', 'names must differ');
  if (mode === 'haproxy-consistent')
    yield* repeated(
      shards,
      // Who has none gets one that is free.
      ({ id }, i) => id ?? `free ${i}`,
      'id',
      'ids must differ',
    );
  for (const [i, { urls }] of shards.entries()) {
    if (urls?.length === 0)
      yield { pointer: `/shards/${i}/urls`, message: 'must have at least one' };
    for (const [j, url] of (urls ?? []).entries())
      if (!isOrigin(url))
        yield { pointer: `/shards/${i}/urls/${j}`, message: 'must be http(s)://host[:port]' };
  }
  for (const [i, { weight }] of shards.entries())
    if (weight === 0 && mode !== 'haproxy-consistent')
      yield { pointer: `/shards/${i}/weight`, message: 'must be >= 1' };
}

/** No path, no query, no credentials: what a request says of these goes on as it came. */
const isOrigin = (url: string): boolean =>
  /^https?:\/\/[^/?#@\s]+\/?$/i.test(url) && URL.canParse(url);

function* repeated(
  shards: readonly Shard[],
  of: (shard: Shard, i: number) => string | number,
  member: string,
  rule: string,
): Generator<InputError> {
  const first = new Map<string | number, number>();
  for (const [i, shard] of shards.entries()) {
    const before = first.get(of(shard, i));
    if (before === undefined) first.set(of(shard, i), i);
    else
      yield { pointer: `/shards/${i}/${member}`, message: `is that of /shards/${before}: ${rule}` };
  }
}

function* ordinalOf(topology: Topology, { shards = [] }: TopologyInput): Generator<InputError> {
  const { mode, template, replicas } = topology;
  if (mode !== 'ordinal' || (shards.length > 0 && template === undefined)) return;
  if (template === undefined)
    yield { pointer: '/template', message: 'is required where no shards are listed' };
  else if (!template.includes('{n}'))
    yield { pointer: '/template', message: 'must have {n} where the number goes' };
  if (replicas === undefined)
    yield { pointer: '/replicas', message: 'is required with a template' };
  else if (template !== undefined && shards.length > 0) {
    const made = replicasOf(template, replicas);
    if (made.length !== shards.length || made.some((one, i) => one.address !== shards[i]?.address))
      yield { pointer: '/shards', message: 'are others than template and replicas make' };
  }
}

function* numbersOf(topology: Topology): Generator<InputError> {
  const { mode, hash, tableSize, minimumRingSize = 0, maximumRingSize = 8_388_608 } = topology;
  const known = HASHES[mode];
  if (hash !== undefined && known && !known.includes(hash))
    yield { pointer: '/hash', message: `must be one of ${known.join(', ')}` };
  if (minimumRingSize > maximumRingSize)
    yield { pointer: '/minimumRingSize', message: `must be <= ${maximumRingSize}, the most` };
  if (tableSize !== undefined && !isPrime(tableSize))
    yield { pointer: '/tableSize', message: 'must be a prime' };
}

const isPrime = (number: number): boolean => {
  for (let divisor = 2; divisor * divisor <= number; divisor += 1)
    if (number % divisor === 0) return false;
  return true;
};

function* tableOf(topology: Topology): Generator<InputError> {
  const { mode, table } = topology;
  const isRange = mode === 'range';
  if (!isRange && mode !== 'lookup' && mode !== 'prefix') return;
  if (table === undefined) yield { pointer: '/table', message: 'is required' };
  else if (Array.isArray(table) !== isRange)
    yield { pointer: '/table', message: `must be ${isRange ? 'array' : 'object'} in this mode` };
  else if (isRange) yield* rangesOf(topology, table as readonly Range[]);
  else yield* unknownShards(topology, '/table', Object.entries(table));
}

function* rangesOf({ shards }: Topology, ranges: readonly Range[]): Generator<InputError> {
  const names = new Set(shards.map(({ name }) => name));
  for (const [i, { from = '', to, shard }] of ranges.entries()) {
    if (!names.has(shard)) yield unknownShard(`/table/${i}/shard`);
    if (to !== undefined && compareKeys(from, to) >= 0)
      yield { pointer: `/table/${i}/to`, message: 'must come behind from' };
  }
  const sorted = [...ranges.entries()].sort(([, a], [, b]) =>
    compareKeys(a.from ?? '', b.from ?? ''),
  );
  let last = sorted[0];
  for (const one of sorted.slice(1)) {
    const end = last?.[1].to;
    if (end === undefined || compareKeys(one[1].from ?? '', end) < 0)
      yield { pointer: `/table/${one[0]}`, message: `overlaps /table/${last?.[0]}` };
    if (end !== undefined && (one[1].to === undefined || compareKeys(one[1].to, end) > 0))
      last = one;
  }
}

function* unknownShards(
  { shards }: Topology,
  pointer: string,
  entries: readonly (readonly [string, string])[],
): Generator<InputError> {
  const names = new Set(shards.map(({ name }) => name));
  for (const [key, shard] of entries)
    if (!names.has(shard)) yield unknownShard(`${pointer}/${pointerToken(key)}`);
}

const unknownShard = (pointer: string): InputError => ({
  pointer,
  message: 'must be the name of a shard',
});
