/** Points of 32 bits in order, each with the shard that owns it. */

export interface Ring {
  readonly points: Uint32Array;
  readonly index: Index;
  /** Index of the shard, by the same position. */
  readonly owners: Uint32Array;
  /** How many points were dropped for lying on one of another shard. */
  readonly fallenTogether: number;
}

export interface RingBuilder {
  put(point: number, shard: number): void;
  /** Of points that lie on each other the shard listed first keeps its one. */
  build(): Ring;
}

export const ringBuilder = (capacity: number): RingBuilder => {
  const put = { points: new Uint32Array(capacity), owners: new Uint32Array(capacity) };
  let count = 0;
  return {
    put: (point, shard) => {
      put.points[count] = point;
      put.owners[count++] = shard;
    },
    build: () => {
      const { points, owners } = sorted(put, count);
      let kept = 0;
      let fallenTogether = 0;
      for (let at = 0; at < count; at++) {
        const point = points[at] as number;
        const owner = owners[at] as number;
        if (kept > 0 && points[kept - 1] === point) {
          const first = owners[kept - 1] as number;
          if (first !== owner) fallenTogether++;
          if (first > owner) owners[kept - 1] = owner;
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

interface Pairs {
  readonly points: Uint32Array;
  readonly owners: Uint32Array;
}

const DIGIT_BITS = 11;
const DIGITS = 2 ** DIGIT_BITS;

/** By points, digit by digit from the lowest, which is several times as fast as comparing them. */
const sorted = (pairs: Pairs, count: number): Pairs => {
  let from = pairs;
  let to: Pairs = { points: new Uint32Array(count), owners: new Uint32Array(count) };
  const places = new Uint32Array(DIGITS);
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    places.fill(0);
    for (let at = 0; at < count; at++) {
      const value = digit(from.points[at] as number, shift);
      places[value] = (places[value] as number) + 1;
    }
    let before = 0;
    for (let value = 0; value < DIGITS; value++) {
      const here = places[value] as number;
      places[value] = before;
      before += here;
    }
    for (let at = 0; at < count; at++) {
      const point = from.points[at] as number;
      const value = digit(point, shift);
      const place = places[value] as number;
      places[value] = place + 1;
      to.points[place] = point;
      to.owners[place] = from.owners[at] as number;
    }
    [from, to] = [to, from];
  }
  return from;
};

const digit = (point: number, shift: number): number => (point >>> shift) & (DIGITS - 1);

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
