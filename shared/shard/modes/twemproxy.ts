/**
 * twemproxy: `distribution: ketama` and `modula`. Source: nc_ketama.c, nc_modula.c, nc_server.c, nc_conf.c.
 *
 * It has no servers that are down beside those it ejects; with us such a one keeps its points, and its keys go to
 * who comes next.
 */

import { compareBytes, numberedBytes, toBytes } from '../bytes';
import { md5 } from '../hash/md5';
import { named, TWEMPROXY_DEFAULT, TWEMPROXY_HASHES } from '../hash/named';
import type { MakePlacer, Warning } from '../placer';
import type { Shard, Topology } from '../topology';
import { around, type Members, membersOf, usableFrom, withoutPoints } from './members';
import { type Ring, ringBuilder, seek } from './ring';

/** libmemcached's: what a ring has for each server on average. */
const POINTS = 160;
/** Of one MD5. */
const POINTS_PER_DIGEST = 4;

export const twemproxyKetama: MakePlacer = (topology) => {
  const { shards, hash: name } = topology;
  const members = membersOf(shards);
  const ring = ringOf(shards, members);
  const { points, owners } = ring;
  const part = partOf(topology);
  const hash = keyHash(topology, part);
  const find = (key: Uint8Array): number => usableFrom(owners, seek(ring, hash(key)), members);
  return {
    pick: (key) => {
      if (members.only !== undefined) return members.only;
      const at = find(key);
      return at < 0 ? undefined : (owners[at] as number);
    },
    candidates: (key) => around(owners, seek(ring, hash(key)), members),
    trace: (key) => {
      const at = find(key);
      return {
        hash: `${hash(key)}`,
        hashed: part(key),
        ...(at >= 0 && { point: `${points[at]}` }),
      };
    },
    warnings: [
      ...(name === 'crc32' && members.listed.length > 1 ? [KETAMA_CRC32] : []),
      ...withoutPoints(shards, members, owners),
    ],
  };
};

export const twemproxyModula: MakePlacer = (topology) => {
  const { shards, hash: name = TWEMPROXY_DEFAULT } = topology;
  const members = membersOf(shards);
  const slots = Uint32Array.from(
    nodesOf(shards, members).flatMap(({ index, weight }) => Array(weight).fill(index)),
  );
  const part = partOf(topology);
  const hash = keyHash(topology, part);
  const find = (key: Uint8Array): number => usableFrom(slots, hash(key) % slots.length, members);
  return {
    pick: (key) => {
      if (members.only !== undefined) return members.only;
      const at = find(key);
      return at < 0 ? undefined : (slots[at] as number);
    },
    candidates: (key) => around(slots, hash(key) % slots.length, members),
    trace: (key) => {
      const at = find(key);
      return { hash: `${hash(key)}`, hashed: part(key), ...(at >= 0 && { point: `${at}` }) };
    },
    warnings: name === 'fnv1a_64' ? modulaFnv(slots.length) : [],
  };
};

interface Node {
  /** Of its shard. */
  readonly index: number;
  readonly weight: number;
  readonly name: Uint8Array;
}

/** Not as they are listed: twemproxy sorts them, short names before long ones. */
const nodesOf = (shards: readonly Shard[], { listed }: Members): Node[] =>
  [...listed]
    .map((index) => {
      const shard = shards[index] as Shard;
      return { index, weight: shard.weight, name: toBytes(nodeName(shard)) };
    })
    .sort((a, b) => a.name.length - b.name.length || compareBytes(a.name, b.name));

const ringOf = (shards: readonly Shard[], members: Members): Ring => {
  const nodes = nodesOf(shards, members);
  const total = nodes.reduce((sum, { weight }) => sum + weight, 0);
  const { put, build } = ringBuilder((POINTS + POINTS_PER_DIGEST) * nodes.length);
  const digest = new Uint32Array(4);
  for (const [rank, { name, weight }] of nodes.entries()) {
    const count = digestsOf(weight, total, nodes.length);
    const numbered = numberedBytes(name, '-');
    for (let at = 0; at < count; at++) {
      md5(numbered(at), digest);
      for (let word = 0; word < digest.length; word++) put(digest[word] as number, rank);
    }
  }
  const ring = build();
  const { owners } = ring;
  for (let at = 0; at < owners.length; at++)
    owners[at] = nodes[owners[at] as number]?.index as number;
  return ring;
};

/** In numbers of 32 bits as the original: 47 equal servers thus get 39 digests each and not 40. */
const digestsOf = (weight: number, total: number, count: number): number => {
  const { fround } = Math;
  const part = fround(fround(weight) / fround(total));
  const share = fround(fround(fround(part * POINTS) / POINTS_PER_DIGEST) * fround(count));
  return Math.floor(fround(share + 1e-10));
};

/** memcached's port, which libmemcached leaves out. */
const DEFAULT_PORT = /:0*11211$/;

/** The name that a server was given, or what stands in its place. */
const nodeName = ({ address, name }: Shard): string => {
  if (name !== address) return name;
  return address.startsWith('/') ? `${address}:` : address.replace(DEFAULT_PORT, '');
};

/** An empty key is hash 0 without a calculation. */
const keyHash = ({ hash: name }: Topology, part: Part): ((key: Uint8Array) => number) => {
  const hash = named(TWEMPROXY_HASHES, name, TWEMPROXY_DEFAULT);
  return (key) => (key.length === 0 ? 0 : hash(part(key)));
};

type Part = (key: Uint8Array) => Uint8Array;

/** What of a key is hashed: all of it, unless there is something between the two characters of the tag. */
const partOf = ({ hashTag = '' }: Topology): Part => {
  const [open, close] = toBytes(hashTag);
  if (open === undefined || close === undefined) return (key) => key;
  return (key) => {
    const start = key.indexOf(open);
    const end = start < 0 ? -1 : key.indexOf(close, start + 1);
    return end > start + 1 ? key.subarray(start + 1, end) : key;
  };
};

const KETAMA_CRC32: Warning = {
  code: 'ketama_crc32',
  message:
    'Nearly all keys go to one shard: crc32 is at most 32767 here, where the ring has hardly a point; crc32a has all 32 bits.',
};

/** The prime of FNV in 32 bits is no prime: 435 = 3 · 5 · 29. */
const modulaFnv = (slots: number): Warning[] => {
  const common = [3, 5, 29].filter((factor) => slots % factor === 0);
  if (common.length === 0) return [];
  return [
    {
      code: 'modula_fnv1a_64',
      message: `The keys are spread unevenly: ${slots} slots and the multiplier of fnv1a_64, 435, are both divisible by ${common.join(' and ')}.`,
    },
  ];
};
