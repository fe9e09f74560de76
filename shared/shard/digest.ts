/** One short word for all that decides who owns which key: two routers that have the same word place every key alike. */
import { canonicalJson } from '../canonical';
import { compareKeys, toBytes, toHex } from './bytes';
import { xxh64 } from './hash/xxh64';
import { haproxyIds } from './modes/haproxy';
import type { Mode, Range, Shard, Topology } from './topology';
import { FORM, USED } from './use';

/** Where the place in the list decides something, be it only between two points that lie on each other. */
const ORDERED: ReadonlySet<Mode> = new Set<Mode>([
  'nginx-consistent',
  'nginx-hash',
  'twemproxy-ketama',
  'twemproxy-modula',
  'envoy-ring',
  'haproxy-consistent',
  'jump',
  'modulo',
  'ordinal',
]);

/** Where the address itself is hashed; elsewhere a shard that moves house is the same shard. */
const ADDRESSED: ReadonlySet<Mode> = new Set<Mode>([
  'nginx-consistent',
  'twemproxy-ketama',
  'envoy-ring',
  'envoy-maglev',
]);

/** 16 hex digits: XXH64 of the members, the mode and its options in one form. */
export const digestOf = (topology: Topology): string => {
  const { mode, shards, table, pins } = topology;
  const ids = haproxyIds(shards);
  const members = shards.map((shard, i) => memberOf(shard, ids[i] as number, mode));
  const options = Object.fromEntries(
    [...USED[mode]].filter((name) => name !== 'table').map((name) => [name, topology[name]]),
  );
  const text = canonicalJson({
    form: FORM,
    mode,
    ...options,
    shards: ORDERED.has(mode)
      ? members
      : members.sort((a, b) => compareKeys(a.name as string, b.name as string)),
    ...(USED[mode].has('table') && { table: tableOf(table) }),
    ...(Object.keys(pins ?? {}).length > 0 && { pins }),
  });
  const word = new Int32Array(2);
  xxh64(toBytes(text), word);
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setInt32(0, word[1] as number);
  bytes.setInt32(4, word[0] as number);
  return toHex(new Uint8Array(bytes.buffer));
};

const memberOf = (
  { address, name, weight, down, ejected }: Shard,
  id: number,
  mode: Mode,
): Readonly<Record<string, unknown>> => ({
  name,
  weight,
  ...(ADDRESSED.has(mode) && { address }),
  ...(mode === 'haproxy-consistent' && { id }),
  ...(down && { down }),
  ...(ejected && { ejected }),
});

const tableOf = (table: Topology['table']): unknown =>
  Array.isArray(table)
    ? [...(table as readonly Range[])].sort((a, b) => compareKeys(a.from ?? '', b.from ?? ''))
    : table;
