/**
 * The table of maglev: hosts take slots in turn, each the next free one along a way of its own.
 *
 * Of the looks at slots more than half would go to the last few free ones, which hardly anybody finds. For those it is
 * computed how far along the way each of them lies, and the nearest is taken: the same slots, sooner.
 * Source: D. Eisenbud and others, "Maglev" (2016), section 3.4; maglev_lb.cc.
 */

export interface MaglevHost {
  /** Of its shard. */
  readonly index: number;
  /** Of all weight, as Envoy computes it. */
  readonly part: number;
  /** Where its way begins, and how far each step goes: 1 to the size of the table less 1. */
  readonly first: number;
  readonly skip: number;
}

/** So few free slots are known one by one. */
const FEW = 128;

/** By slot, the index of the shard; `size` is a prime. Without hosts it is empty. */
export const fillTable = (hosts: readonly MaglevHost[], size: number): Uint32Array => {
  const table = new Uint32Array(hosts.length === 0 ? 0 : size);
  const largest = Math.max(...hosts.map(({ part }) => part));
  const parts = Float64Array.from(hosts, ({ part }) => part);
  const owners = Uint32Array.from(hosts, ({ index }) => index);
  const skips = Int32Array.from(hosts, ({ skip }) => skip);
  /** Where each stands. */
  const ways = Int32Array.from(hosts, ({ first }) => first);
  const targets = new Float64Array(hosts.length);
  // A bit a slot: the looks fit where memory is fastest.
  const taken = new Int32Array((table.length >>> 5) + 1);
  let nearest: ((host: number) => number) | undefined;
  for (let round = 1, left = table.length; left > 0; round++)
    for (let host = 0; host < hosts.length && left > 0; host++) {
      const target = targets[host] as number;
      if (round * (parts[host] as number) < target) continue;
      targets[host] = target + largest;
      let slot = ways[host] as number;
      if (nearest) slot = nearest(host);
      else {
        const skip = skips[host] as number;
        while (isTaken(taken, slot)) {
          slot += skip;
          if (slot >= size) slot -= size;
        }
      }
      taken[slot >>> 5] = (taken[slot >>> 5] as number) | (1 << (slot & 31));
      table[slot] = owners[host] as number;
      ways[host] = slot;
      left--;
      if (left === FEW) nearest = nearestOf(freeOf(taken, size), { ways, skips, size });
    }
  return table;
};

const isTaken = (taken: Int32Array, slot: number): boolean =>
  (((taken[slot >>> 5] as number) >>> (slot & 31)) & 1) === 1;

const freeOf = (taken: Int32Array, size: number): number[] => {
  const free: number[] = [];
  for (let slot = 0; slot < size; slot++) if (!isTaken(taken, slot)) free.push(slot);
  return free;
};

interface Ways {
  readonly ways: Int32Array;
  readonly skips: Int32Array;
  readonly size: number;
}

/** Gives the free slot that a host comes to first, and strikes it off. */
const nearestOf = (free: number[], { ways, skips, size }: Ways): ((host: number) => number) => {
  const inverses = new Float64Array(skips.length);
  return (host) => {
    inverses[host] ||= inverseOf(skips[host] as number, size);
    const inverse = inverses[host] as number;
    const way = ways[host] as number;
    let found = 0;
    let least = size;
    for (let at = 0; at < free.length; at++) {
      const ahead = (free[at] as number) - way;
      // Below 2^46: exact.
      const product = (ahead < 0 ? ahead + size : ahead) * inverse;
      const steps = product - Math.floor(product / size) * size;
      if (steps >= least) continue;
      least = steps;
      found = at;
    }
    const slot = free[found] as number;
    free[found] = free[free.length - 1] as number;
    free.pop();
    return slot;
  };
};

/** By which a number times it is 1, modulo a prime (the extended algorithm of Euclid). */
const inverseOf = (number: number, prime: number): number => {
  let [rest, other] = [prime, number];
  let [inverse, next] = [0, 1];
  while (other > 1) {
    const times = Math.floor(rest / other);
    [rest, other] = [other, rest - times * other];
    [inverse, next] = [next, inverse - times * next];
  }
  return next < 0 ? next + prime : next;
};
