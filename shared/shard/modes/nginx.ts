/**
 * nginx: `hash … consistent`. Source: ngx_http_upstream_hash_module.
 *
 * A server that is down keeps its points, and after 21 tries nginx takes whose turn it is: there the key decides
 * nothing, and neither does an empty one.
 */

import { toBytes } from '../bytes';
import { CRC32_START, crc32, crc32Byte, crc32Bytes, crc32End, crc32Number } from '../hash/crc';
import type { MakePlacer, Warning } from '../placer';
import type { Shard } from '../topology';
import { around, type Members, membersOf } from './members';
import { downSpills, onlyOf, TRIES } from './nginx-tries';
import { type Ring, ringBuilder, seek } from './ring';

export { nginxHash } from './nginx-hash';

const POINTS = 160;

export const nginxConsistent: MakePlacer = ({ shards }) => {
  const members = membersOf(shards);
  const { usable, usableCount, only } = members;
  const ring = ringOf(shards, members);
  const { points } = ring;
  const answers = answersOf(shards, members);
  const owners = ring.owners.map((owner) => answers[owner] as number);

  /** Position of the point that answers; -1: nginx gives up. */
  const find = (key: Uint8Array): number => {
    if (key.length === 0 || usableCount === 0) return -1;
    let at = seek(ring, crc32(key));
    for (let tries = 0; tries < TRIES; tries++) {
      if (usable[owners[at] as number] === 1) return at;
      at = at + 1 === points.length ? 0 : at + 1;
    }
    return -1;
  };
  return {
    pick: (key) => {
      if (only !== undefined) return only;
      const at = find(key);
      return at < 0 ? undefined : (owners[at] as number);
    },
    /** Also beyond the tries: who asks who comes next wants somebody. */
    candidates: (key) =>
      key.length === 0 ? onlyOf(members) : around(owners, seek(ring, crc32(key)), members),
    trace: (key) => {
      const at = find(key);
      return { hash: `${crc32(key)}`, ...(at >= 0 && { point: `${points[at]}` }) };
    },
    warnings: [...twins(shards, members), ...together(ring), ...downSpills(shards, members)],
  };
};

/** Each point grows out of the one before, the first out of host, zero byte and port. */
const ringOf = (shards: readonly Shard[], { listed }: Members): Ring => {
  const weights = [...listed].reduce((sum, index) => sum + (shards[index] as Shard).weight, 0);
  const { put, build } = ringBuilder(POINTS * weights);
  for (const index of listed) {
    const { address, weight } = shards[index] as Shard;
    const base = seedOf(address);
    let point = 0;
    for (let count = POINTS * weight; count > 0; count--) {
      point = crc32End(crc32Number(base, point));
      put(point, index);
    }
  }
  return build();
};

/** The server string as it is written: neither resolved nor completed by a port. */
const seedOf = (address: string): number => {
  const [, host = address, port = ''] =
    /^unix:(.*)$/is.exec(address) ?? /^(.*):(\d*)$/s.exec(address) ?? [];
  const named = crc32Byte(crc32Bytes(CRC32_START, toBytes(host)), 0);
  return crc32Bytes(named, toBytes(port));
};

/** Points stand for server strings: of several lines with the same one it is the first that can be used. */
const answersOf = (shards: readonly Shard[], { listed, usable }: Members): Uint32Array => {
  const answers = new Uint32Array(shards.length);
  for (const group of groups(shards, listed).values()) {
    const answer = group.find((index) => usable[index] === 1) ?? (group[0] as number);
    for (const index of group) answers[index] = answer;
  }
  return answers;
};

const groups = (shards: readonly Shard[], listed: Uint32Array): Map<string, number[]> => {
  const byAddress = new Map<string, number[]>();
  for (const index of listed) {
    const { address } = shards[index] as Shard;
    byAddress.set(address, [...(byAddress.get(address) ?? []), index]);
  }
  return byAddress;
};

const twins = (shards: readonly Shard[], { listed }: Members): Warning[] =>
  [...groups(shards, listed)]
    .filter(([, group]) => group.length > 1)
    .map(([address, { length }]) => ({
      code: 'same_address',
      message: `${length} shards have the address ${address}: for nginx they are one.`,
    }));

const together = ({ fallenTogether }: Ring): Warning[] =>
  fallenTogether === 0
    ? []
    : [
        {
          code: 'equal_points',
          message: `${fallenTogether} points lie on those of another shard: whoever is listed first has them.`,
        },
      ];
