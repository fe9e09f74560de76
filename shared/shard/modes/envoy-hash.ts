/**
 * The hash of a request as Envoy's policies make it, and what its two load balancers do with one alike.
 * Source: hash_policy.cc, thread_aware_lb_impl.cc.
 *
 * Whatever a ring hashes its points with, a request is hashed by XXH64: the values of one policy each with the hash of
 * the one before as its seed; policies one after the other, each turning what there is by a bit.
 */
import { toBytes } from '../bytes';
import { toBigInt, type Word } from '../hash/hash';
import { rotate, set, xor } from '../hash/word';
import { xxh64 } from '../hash/xxh64';
import type { Placer, Trace, Warning } from '../placer';
import type { Members } from './members';

export interface HashedPlacing {
  readonly members: Members;
  /** Index of the shard, by position: points of a ring, slots of a table. */
  readonly owners: Uint32Array;
  /** Position of what a hash finds; -1: nobody can be used. */
  readonly find: (hash: Word) => number;
  /** Begun when somebody asks for the first: the hash must stay as it is. */
  readonly candidates: (hash: Word) => Iterable<number>;
  readonly point: (at: number) => string;
  readonly warnings: readonly Warning[];
}

export const placerByHash = ({
  members: { only },
  owners,
  find,
  candidates,
  point,
  warnings,
}: HashedPlacing): Placer => {
  const word: Word = new Int32Array(2);
  const ownerOf = (hash: Word): number | undefined => {
    const at = find(hash);
    return at < 0 ? undefined : (owners[at] as number);
  };
  const traceOf = (hash: Word): Trace => {
    const at = find(hash);
    return { hash: `${toBigInt(hash)}`, ...(at >= 0 && { point: point(at) }) };
  };
  return {
    pick: (key) => {
      if (only !== undefined) return only;
      xxh64(key, word);
      return ownerOf(word);
    },
    candidates: (key) => candidates(hashOf(key)),
    trace: (key) => traceOf(hashOf(key)),
    combine: (policies) => {
      const values = policies.map((one) => one.map(toBytes));
      const hash = hashOfPolicies(values);
      return {
        pick: () => ownerOf(hash),
        candidates: () => candidates(hash),
        trace: () => ({ ...traceOf(hash), hashed: joined(values.flat()) }),
      };
    },
    warnings,
  };
};

const hashOf = (key: Uint8Array): Word => {
  const hash: Word = new Int32Array(2);
  xxh64(key, hash);
  return hash;
};

const hashOfPolicies = (policies: readonly (readonly Uint8Array[])[]): Word => {
  const all: Word = new Int32Array(2);
  const one: Word = new Int32Array(2);
  for (const values of policies) {
    set(one, 0, 0);
    for (const value of values) xxh64(value, one, one[1], one[0]);
    rotate(all, 1);
    xor(all, one[1] as number, one[0] as number);
  }
  return all;
};

const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};
