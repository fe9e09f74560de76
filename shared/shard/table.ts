/**
 * Where keys go: the table that a router, a client and the command line have in common. `faas-patterns/shard` is this.
 *
 * Fails closed: a topology with a mistake makes no table.
 */
import { toBytes, toText } from './bytes';
import { digestOf } from './digest';
import { type Explanation, explanationOf } from './explain';
import type { KeyValue, PlacedKey } from './key/key';
import { PLACERS } from './modes';
import type { Combined, Placer, Warning } from './placer';
import { InvalidTopology, readTopology } from './read';
import type { Mode, Shard, Topology, TopologyInput } from './topology';
import { generalWarnings } from './warnings';

export interface ShardTableOptions {
  /** Which of the tables that follow each other it is: a whole number that only grows. @default 0 */
  readonly epoch?: number;
}

export interface ShardTable {
  readonly mode: Mode;
  /** As they were listed, with their defaults. */
  readonly shards: readonly Shard[];
  readonly epoch: number;
  /** 16 hex digits; two tables with the same one place every key alike. */
  readonly digest: string;
  /** What is odd about the topology. */
  readonly warnings: readonly Warning[];
  /** The owner of a key: the shard that it is pinned to, else the mode's. `undefined`: the key does not decide it. */
  place(key: KeyValue | PlacedKey): Shard | undefined;
  /** The owner first, then who comes next, each shard once. */
  candidates(key: KeyValue | PlacedKey): readonly Shard[];
  explain(key: KeyValue | PlacedKey): Explanation;
  /** The table of another topology. In native mode it takes milliseconds, as only what has changed is computed. */
  change(next: TopologyInput, options?: ShardTableOptions): ShardTable;
}

/** Throws an InvalidTopology with every mistake, and a TypeError for an epoch that is none. */
export const shardTable = (input: TopologyInput, options: ShardTableOptions = {}): ShardTable =>
  make(checked(input), options);

const checked = (input: TopologyInput): Topology => {
  const read = readTopology(input);
  if ('mistakes' in read) throw new InvalidTopology(read.mistakes);
  return read.topology;
};

const make = (
  topology: Topology,
  { epoch = 0 }: ShardTableOptions,
  placer: Placer = PLACERS[topology.mode](topology),
): ShardTable => {
  if (!Number.isSafeInteger(epoch) || epoch < 0)
    throw new TypeError('epoch must be a whole number from 0 on');
  const { mode, shards } = topology;
  const pinned = pinsOf(topology);
  const { pickText = (key) => placer.pick(toBytes(key)) } = placer;
  const digest = digestOf(topology);

  const ownerOf = (key: KeyValue | PlacedKey): number | undefined => {
    if (typeof key === 'string') return pinned?.(key) ?? pickText(key);
    if (!('value' in key)) return pinned?.(key) ?? placer.pick(key);
    const combined = combinedOf(placer, key);
    return combined ? (pinned?.(key.value) ?? combined.pick()) : ownerOf(key.value);
  };
  const candidates = (key: KeyValue | PlacedKey): readonly number[] => {
    const value = shownOf(key);
    const pin = pinned?.(value);
    const rest = combinedOf(placer, key)?.candidates() ?? placer.candidates(toBytes(value));
    return [...new Set(pin === undefined ? rest : [pin, ...rest])];
  };
  const shardsAt = (indices: readonly number[]) => indices.map((index) => shards[index] as Shard);
  return {
    mode,
    shards,
    epoch,
    digest,
    warnings: [...generalWarnings(topology), ...placer.warnings],
    place: (key) => {
      const owner = ownerOf(key);
      return owner === undefined ? undefined : shards[owner];
    },
    candidates: (key) => shardsAt(candidates(key)),
    explain: (key) => {
      const value = shownOf(key);
      return explanationOf(value, {
        trace: combinedOf(placer, key)?.trace() ?? placer.trace(toBytes(value)),
        owner: shards[ownerOf(key) ?? -1],
        isPinned: pinned?.(value) !== undefined,
        candidates: shardsAt(candidates(key)),
        epoch,
        digest,
      });
    },
    change: (next, nextOptions = {}) => {
      const wanted = checked(next);
      return make(wanted, nextOptions, wanted.mode === mode ? placer.change?.(wanted) : undefined);
    },
  };
};

const shownOf = (key: KeyValue | PlacedKey): KeyValue =>
  typeof key === 'object' && 'value' in key ? key.value : key;

/** `undefined`: the value of the key says it all. */
const combinedOf = (placer: Placer, key: KeyValue | PlacedKey): Combined | undefined =>
  typeof key === 'object' && 'value' in key && key.policies
    ? placer.combine?.(key.policies)
    : undefined;

/** A pin to a shard that is down or ejected holds as little as its points would. */
const pinsOf = ({
  pins = {},
  shards,
}: Topology): ((key: KeyValue) => number | undefined) | undefined => {
  const indices = new Map(
    shards.flatMap(({ name, down, ejected }, index) => (down || ejected ? [] : [[name, index]])),
  );
  const byKey = new Map(
    Object.entries(pins).flatMap(([key, name]) => {
      const index = indices.get(name);
      return index === undefined ? [] : [[key, index] as const];
    }),
  );
  if (byKey.size === 0) return undefined;
  return (key) => byKey.get(typeof key === 'string' ? key : (toText(key) as string));
};
