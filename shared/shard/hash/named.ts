/** Hashes by the names that the peers' configurations have for them. */
import { crc16, crc32, crc32Short } from './crc';
import { fnv1ax32, fnv1ax64, fnv1x32, fnv1x64 } from './fnv';
import { djb2, sdbm, wt6 } from './haproxy';
import type { Hash32, Hash64 } from './hash';
import { hsieh } from './hsieh';
import { jenkins, oneAtATime } from './jenkins';
import { md5Word } from './md5';
import { murmur, murmur64 } from './murmur';
import { xxh64 } from './xxh64';

/** twemproxy's `hash:`. */
export const TWEMPROXY_HASHES = {
  one_at_a_time: oneAtATime,
  md5: md5Word,
  crc16,
  crc32: crc32Short,
  crc32a: crc32,
  fnv1_64: fnv1x64,
  fnv1a_64: fnv1ax64,
  fnv1_32: fnv1x32,
  fnv1a_32: fnv1ax32,
  hsieh,
  murmur,
  jenkins,
} as const satisfies Record<string, Hash32>;

export const TWEMPROXY_DEFAULT = 'fnv1a_64';

/** HAProxy's `hash-type consistent …`. */
export const HAPROXY_HASHES = { sdbm, djb2, wt6, crc32 } as const satisfies Record<string, Hash32>;

export const HAPROXY_DEFAULT = 'sdbm';

/** Envoy's `hash_function` of a ring. */
export const ENVOY_HASHES = {
  xx_hash: (bytes, into) => xxh64(bytes, into),
  murmur_hash_2: murmur64,
} as const satisfies Record<string, Hash64>;

export const ENVOY_DEFAULT = 'xx_hash';

/** A function by its name in a table, or that of `fallback` when no name is given. */
export const named = <T>(
  table: Readonly<Record<string, T>>,
  name: string | undefined,
  fallback: string,
): T => table[name ?? fallback] as T;

const ALL_HASHES: Readonly<Record<string, Hash32>> = { ...TWEMPROXY_HASHES, ...HAPROXY_HASHES };

/** Into 32 bits, by any of the names; `crc32` is the whole one, as HAProxy has it. */
export const hash32 = (name: string): Hash32 => ALL_HASHES[name] as Hash32;

/** Into 64 bits, by any of the names; one of 32 bits fills the lower half. */
export const hash64 = (name: string = ENVOY_DEFAULT): Hash64 => {
  const short = ALL_HASHES[name];
  if (short === undefined) return named(ENVOY_HASHES, name, ENVOY_DEFAULT);
  return (bytes, into) => {
    into[0] = short(bytes);
    into[1] = 0;
  };
};
