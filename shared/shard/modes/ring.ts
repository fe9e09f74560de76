/** Points of 32 bits in order, each with the shard that owns it. */

export interface Ring {
  readonly points: Uint32Array;
  readonly index: Index;
  /** Index of the shard, by the same position. */
  readonly owners: Uint32Array;
  /** How many points were dropped for lying on one of another shard. */
  readonly fallenTogether: number;
}

/** Numbers are exact up to 2^53: a point and, behind it, the index of its shard. */
const SHARDS = 2 ** 21;

export interface RingBuilder {
  put(point: number, shard: number): void;
  /** Of points that lie on each other the shard listed first keeps its one. */
  build(): Ring;
}

export const ringBuilder = (capacity: number): RingBuilder => {
  const pairs = new Float64Array(capacity);
  let count = 0;
  return {
    put: (point, shard) => {
      pairs[count++] = point * SHARDS + shard;
    },
    build: () => {
      const sorted = pairs.subarray(0, count).sort();
      const points = new Uint32Array(count);
      const owners = new Uint32Array(count);
      let kept = 0;
      let fallenTogether = 0;
      for (let at = 0; at < count; at++) {
        const pair = sorted[at] as number;
        const point = Math.floor(pair / SHARDS);
        const owner = pair - point * SHARDS;
        if (kept > 0 && points[kept - 1] === point) {
          if (owners[kept - 1] !== owner) fallenTogether++;
          continue;
        }
        points[kept] = point;
        owners[kept++] = owner;
      }
      const distinct = points.slice(0, kept);
      return {
        points: distinct,
        index: indexOf(distinct),
        owners: owners.slice(0, kept),
        fallenTogether,
      };
    },
  };
};

/** Where to begin to look, by the first bits of a hash: about as many beginnings as there are points. */
export interface Index {
  readonly shift: number;
  readonly starts: Uint32Array;
}

const MAX_BITS = 24;

export const indexOf = (points: Uint32Array): Index => {
  const bits = Math.min(MAX_BITS, 32 - Math.clz32(points.length) + 1);
  const shift = 32 - bits;
  const starts = new Uint32Array(2 ** bits);
  for (let slot = 0, at = 0; slot < starts.length; slot++) {
    while (at < points.length && (points[at] as number) >>> shift < slot) at++;
    starts[slot] = at;
  }
  return { shift, starts };
};

/** Position of the first point that is not below the hash; behind the last one comes the first. */
export const seek = ({ points, index }: Ring, hash: number): number => {
  const { length } = points;
  let at = index.starts[hash >>> index.shift] as number;
  while (at < length && (points[at] as number) < hash) at++;
  return at === length ? 0 : at;
};
