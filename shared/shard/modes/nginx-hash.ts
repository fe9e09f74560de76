/**
 * nginx: `hash …` without `consistent`. Source: ngx_http_upstream_hash_module.
 *
 * The servers are lined up by their weights, those that are down too; each try adds another hash of the key.
 */

import { toBytes } from '../bytes';
import { CRC32_START, crc32Bytes, crc32End } from '../hash/crc';
import type { MakePlacer } from '../placer';
import type { Shard } from '../topology';
import { membersOf } from './members';
import { downSpills, onlyOf, TRIES } from './nginx-tries';

export const nginxHash: MakePlacer = ({ shards }) => {
  const members = membersOf(shards);
  const { listed, usable, only, usableCount } = members;
  const ends = new Uint32Array(listed.length);
  let total = 0;
  listed.forEach((index, at) => {
    total += (shards[index] as Shard).weight;
    ends[at] = total;
  });

  /** The slot whose shard can be used; -1: nginx gives up. */
  const find = (key: Uint8Array): number => {
    let sum = 0;
    for (let tries = 0; tries < TRIES; tries++) {
      sum = next(sum, tries, key);
      const slot = sum % total;
      if (usable[ownerOf(listed, ends, slot)] === 1) return slot;
    }
    return -1;
  };
  return {
    pick: (key) => {
      if (only !== undefined) return only;
      if (key.length === 0 || usableCount === 0) return undefined;
      const slot = find(key);
      return slot < 0 ? undefined : ownerOf(listed, ends, slot);
    },
    /** Whom the tries do not reach comes last, as listed. */
    candidates: (key) => {
      if (key.length === 0 || usableCount === 0) return onlyOf(members);
      let sum = 0;
      const tried = Array.from(STARTS, (_, tries) => {
        sum = next(sum, tries, key);
        return ownerOf(listed, ends, sum % total);
      });
      return [...new Set([...tried, ...listed])].filter((index) => usable[index] === 1);
    },
    trace: (key) => {
      const slot = key.length === 0 || usableCount === 0 ? -1 : find(key);
      return { hash: `${next(0, 0, key)}`, ...(slot >= 0 && { point: `${slot}` }) };
    },
    warnings: downSpills(shards, members),
  };
};

/** From the second try on its number stands before the key. */
const STARTS = Int32Array.from({ length: TRIES }, (_, tries) =>
  tries === 0 ? CRC32_START : crc32Bytes(CRC32_START, toBytes(`${tries}`)),
);

const next = (sum: number, tries: number, key: Uint8Array): number =>
  (sum + ((crc32End(crc32Bytes(STARTS[tries] as number, key)) >>> 16) & 0x7fff)) >>> 0;

const ownerOf = (listed: Uint32Array, ends: Uint32Array, slot: number): number => {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ends[middle] as number) <= slot) low = middle + 1;
    else high = middle;
  }
  return listed[low] as number;
};
