/**
 * Where keys go: the table that a router, a client and the command line have in common. `faas-patterns/shard` is this.
 *
 * Fails closed: a topology with a mistake makes no table.
 */
import { toBytes, toText } from './bytes';
import { digestOf } from './digest';
import { type Explanation, explanationOf } from './explain';
import { PLACERS } from './modes';
import type { Placer, Warning } from './placer';
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
  place(key: string | Uint8Array): Shard | undefined;
  /** The owner first, then who comes next, each shard once. */
  candidates(key: string | Uint8Array): readonly Shard[];
  explain(key: string | Uint8Array): Explanation;
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

  const ownerOf = (key: string | Uint8Array): number | undefined =>
    pinned?.(key) ?? (typeof key === 'string' ? pickText(key) : placer.pick(key));
  const candidates = (key: string | Uint8Array): readonly number[] => {
    const pin = pinned?.(key);
    const rest = placer.candidates(toBytes(key));
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
    explain: (key) =>
      explanationOf(key, {
        trace: placer.trace(toBytes(key)),
        owner: shards[ownerOf(key) ?? -1],
        isPinned: pinned?.(key) !== undefined,
        candidates: shardsAt(candidates(key)),
        epoch,
        digest,
      }),
    change: (next, nextOptions = {}) => {
      const wanted = checked(next);
      return make(wanted, nextOptions, wanted.mode === mode ? placer.change?.(wanted) : undefined);
    },
  };
};

/** A pin to a shard that is down or ejected holds as little as its points would. */
const pinsOf = ({
  pins = {},
  shards,
}: Topology): ((key: string | Uint8Array) => number | undefined) | undefined => {
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
