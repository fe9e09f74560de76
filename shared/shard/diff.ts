/** What becomes of keys when one topology takes the place of another: counted key by key, so that any number fits. */
import { shares } from './shares';
import type { ShardTable } from './table';
import type { Shard } from './topology';

/** Keys that change hands; a null is no shard: the key does not decide it. */
export interface Move {
  readonly from: string | null;
  readonly to: string | null;
  readonly keys: number;
}

/** One side. */
export interface Balance {
  readonly digest: string;
  /** The most loaded shard by its ideal, which its weight says; 1 is even, null where no key has an owner. */
  readonly imbalance: number | null;
  readonly shards: readonly {
    readonly shard: string;
    readonly keys: number;
    /** By the weights, of all keys that have an owner. */
    readonly ideal: number;
  }[];
  /** Keys that do not decide their shard. */
  readonly undetermined: number;
}

export interface Diff {
  readonly keys: number;
  readonly moved: number;
  /** Of these, those between two shards that are the same in both: needless, had the topology no better way. */
  readonly collateral: number;
  /** As many have to move for the shares to become what the weights say. */
  readonly ideal: number;
  readonly a: Balance;
  readonly b: Balance;
  /** Most keys first. */
  readonly moves: readonly Move[];
}

export interface Differ {
  /** Whether it moves. */
  add(key: string): boolean;
  result(): Diff;
}

export const differ = (a: ShardTable, b: ShardTable): Differ => {
  const same = pairs(a.shards, b.shards);
  const isUntouched = untouched(same);
  const counts = { a: counter(), b: counter() };
  const moves = new Map<Shard | undefined, Map<Shard | undefined, number>>();
  let keys = 0;
  let moved = 0;
  let collateral = 0;
  return {
    add: (key) => {
      const from = a.place(key);
      const to = b.place(key);
      keys += 1;
      counts.a.add(from);
      counts.b.add(to);
      const before = to && same.get(to);
      if (from === before && (from !== undefined || to === undefined)) return false;
      moved += 1;
      if (from && to && isUntouched(from) && isUntouched(before)) collateral += 1;
      const row = moves.get(from) ?? new Map<Shard | undefined, number>();
      row.set(to, (row.get(to) ?? 0) + 1);
      moves.set(from, row);
      return true;
    },
    result: () => ({
      keys,
      moved,
      collateral,
      ideal: Math.round(keys * idealPart(a.shards, b.shards, same)),
      a: balance(a, counts.a.of, keys),
      b: balance(b, counts.b.of, keys),
      moves: [...moves]
        .flatMap(([from, row]) =>
          [...row].map(([to, many]) => ({
            from: from?.name ?? null,
            to: to?.name ?? null,
            keys: many,
          })),
        )
        .sort((x, y) => y.keys - x.keys),
    }),
  };
};

/** Who of `b` is who of `a`: the same name, or else, where the peers name their servers differently, the same address. */
const pairs = (a: readonly Shard[], b: readonly Shard[]): ReadonlyMap<Shard, Shard> => {
  const byName = new Map(a.map((shard) => [shard.name, shard]));
  const taken = new Set(b.flatMap(({ name }) => byName.get(name) ?? []));
  const byAddress = new Map(
    a.flatMap((shard) => (taken.has(shard) ? [] : [[shard.address, shard]])),
  );
  return new Map(
    b.flatMap((shard) => {
      const before = byName.get(shard.name) ?? byAddress.get(shard.address);
      return before ? [[shard, before]] : [];
    }),
  );
};

/** In both, of the same weight, and as much in use as before. Of `a`. */
const untouched = (same: ReadonlyMap<Shard, Shard>): ((shard: Shard | undefined) => boolean) => {
  const found = new Set(
    [...same].flatMap(([now, before]) =>
      now.weight === before.weight && now.down === before.down && now.ejected === before.ejected
        ? [before]
        : [],
    ),
  );
  return (shard) => shard !== undefined && found.has(shard);
};

const counter = () => {
  const counts = new Map<Shard | undefined, number>();
  return {
    add: (shard: Shard | undefined) => void counts.set(shard, (counts.get(shard) ?? 0) + 1),
    of: (shard: Shard | undefined) => counts.get(shard) ?? 0,
  };
};

/** What has to leave the shards whose share becomes less. */
const idealPart = (
  a: readonly Shard[],
  b: readonly Shard[],
  same: ReadonlyMap<Shard, Shard>,
): number => {
  const after = new Map(
    [...shares(b)].flatMap(([shard, part]) => {
      const before = same.get(shard);
      return before ? [[before, part]] : [];
    }),
  );
  return [...shares(a)].reduce(
    (sum, [shard, part]) => sum + Math.max(0, part - (after.get(shard) ?? 0)),
    0,
  );
};

const balance = (
  { shards, digest }: ShardTable,
  of: (shard: Shard | undefined) => number,
  keys: number,
): Balance => {
  const undetermined = of(undefined);
  const owned = keys - undetermined;
  const ideals = shares(shards);
  const rows = shards.map((shard) => ({
    shard: shard.name,
    keys: of(shard),
    ideal: Math.round(owned * (ideals.get(shard) ?? 0)),
  }));
  const ratios = shards.flatMap((shard) => {
    const ideal = owned * (ideals.get(shard) ?? 0);
    return ideal > 0 ? [of(shard) / ideal] : [];
  });
  return {
    digest,
    imbalance: ratios.length > 0 ? Number(Math.max(...ratios).toFixed(4)) : null,
    shards: rows,
    undetermined,
  };
};
