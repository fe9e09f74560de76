/** Hashes beside published values, and beside implementations that others wrote. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { crc16, crc32, crc32Short } from '../../../../shared/shard/hash/crc';
import { fnv1ax32, fnv1ax64, fnv1x32, fnv1x64 } from '../../../../shared/shard/hash/fnv';
import { avalanche, djb2 } from '../../../../shared/shard/hash/haproxy';
import { type Hash64, toBigInt } from '../../../../shared/shard/hash/hash';
import { jenkins, oneAtATime } from '../../../../shared/shard/hash/jenkins';
import { md5, md5Word } from '../../../../shared/shard/hash/md5';
import { murmur64 } from '../../../../shared/shard/hash/murmur';
import { xxh64 } from '../../../../shared/shard/hash/xxh64';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const wide = (hash: Hash64, text: string): bigint => {
  const word = new Int32Array(2);
  hash(bytes(text), word);
  return toBigInt(word);
};

describe('XXH64', () => {
  /** Those of Envoy's tests and of the documentation of xxhash for Python. */
  test.each([
    ['', 17241709254077376921n],
    ['foo', 3728699739546630719n],
    ['bar', 5234164152756840025n],
    ['foo\nbar', 8917841378505826757n],
    ['lyft', 4400747396090729504n],
    ['Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n],
  ])('of %j', (text, hash) => expect(wide((key, into) => xxh64(key, into), text)).toBe(hash));

  test('starts from a seed', () => {
    const seeded: Hash64 = (key, into) => xxh64(key, into, 0, 20141025);
    expect(wide(seeded, 'xxhash')).toBe(0xb559b98d844e0635n);
  });

  test('chains values by both halves of the seed, as Envoy does', () => {
    const word = new Int32Array(2);
    xxh64(bytes('bar'), word);
    xxh64(bytes('foo'), word, word[1], word[0]);
    const one = toBigInt(word);
    xxh64(bytes('foo'), word);
    xxh64(bytes('bar'), word, word[1], word[0]);
    expect([one, toBigInt(word)]).toContain(17745830980996999794n);
  });

  test('is the same by the letter of its specification, whatever the length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 150 }), fc.bigInt(0n, 2n ** 64n - 1n), (key, seed) => {
        const word = new Int32Array(2);
        xxh64(key, word, Number(seed >> 32n), Number(seed & 0xffffffffn));
        expect(toBigInt(word)).toBe(specified(key, seed));
      }),
    );
  });
});

const M = 2n ** 64n;
const [P1, P2, P3, P4, P5] = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
] as const;
const turn = (value: bigint, by: bigint) => ((value << by) | (value >> (64n - by))) % M;
const round = (lane: bigint, input: bigint) => (turn((lane + input * P2) % M, 31n) * P1) % M;

const specified = (key: Uint8Array, seed: bigint): bigint => {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  let at = 0;
  let hash = (seed + P5) % M;
  if (key.length >= 32) {
    const lanes = [seed + P1 + P2, seed + P2, seed, seed + M - P1].map((lane) => lane % M);
    for (; at + 32 <= key.length; at += 32)
      for (const [lane, value] of lanes.entries())
        lanes[lane] = round(value, view.getBigUint64(at + 8 * lane, true));
    hash = lanes.reduce(
      (sum, lane, index) => (sum + turn(lane, [1n, 7n, 12n, 18n][index] as bigint)) % M,
      0n,
    );
    for (const lane of lanes) hash = ((hash ^ round(0n, lane)) * P1 + P4) % M;
  }
  hash = (hash + BigInt(key.length)) % M;
  for (; at + 8 <= key.length; at += 8)
    hash = (turn(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * P1 + P4) % M;
  if (at + 4 <= key.length) {
    hash = (turn(hash ^ ((BigInt(view.getUint32(at, true)) * P1) % M), 23n) * P2 + P3) % M;
    at += 4;
  }
  for (; at < key.length; at++)
    hash = (turn(hash ^ ((BigInt(key[at] as number) * P5) % M), 11n) * P1) % M;
  hash = ((hash ^ (hash >> 33n)) * P2) % M;
  hash = ((hash ^ (hash >> 29n)) * P3) % M;
  return hash ^ (hash >> 32n);
};

/** Envoy's tests again. */
test.each([
  ['', 6142509188972423790n],
  ['foo', 9631199822919835226n],
  ['bar', 11474628671133349555n],
  ['foo\nbar', 16306510975912980159n],
  ['lyft', 12847078931730529320n],
])('MurmurHash64A of %j', (text, hash) => expect(wide(murmur64, text)).toBe(hash));

describe('MD5', () => {
  test('is what node:crypto says, whatever the length', () => {
    const into = new Uint32Array(4);
    for (let length = 0; length < 200; length++) {
      const key = Uint8Array.from({ length }, (_, at) => at * 7 + length);
      md5(key, into);
      const expected = createHash('md5').update(key).digest();
      expect([...into]).toEqual([0, 4, 8, 12].map((at) => expected.readUInt32LE(at)));
      expect(md5Word(key)).toBe(expected.readUInt32LE(0));
    }
  });
});

/** The check value of the catalogues of CRCs is that of these nine digits. */
test('CRCs', () => {
  const digits = bytes('123456789');
  expect(crc32(digits)).toBe(0xcbf43926);
  expect(crc32Short(digits)).toBe(0x4bf4);
  // CRC-16/XMODEM, below what twemproxy leaves above it.
  expect(crc16(digits) & 0xffff).toBe(0x31c3);
  expect(crc16(digits)).toBeGreaterThan(0xffff);
});

/** Test vectors of the FNV authors; the lower halves of those of 64 bits. */
test('FNV', () => {
  expect(fnv1x32(bytes('foobar'))).toBe(0x31f0b262);
  expect(fnv1ax32(bytes('foobar'))).toBe(0xbf9cf968);
  expect(fnv1x64(bytes('foobar'))).toBe(Number(low64('foobar', false)));
  expect(fnv1ax64(bytes('foobar'))).toBe(Number(low64('foobar', true)));
});

const low64 = (text: string, isXorFirst: boolean): bigint => {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes(text))
    hash = isXorFirst
      ? ((hash ^ BigInt(byte)) * 0x100000001b3n) % M
      : ((hash * 0x100000001b3n) % M) ^ BigInt(byte);
  return hash & 0xffffffffn;
};

/** Those of Wikipedia and of Bob Jenkins' own self-test. */
test('Jenkins and Bernstein', () => {
  expect(oneAtATime(bytes('a'))).toBe(0xca2e9442);
  expect(oneAtATime(bytes('The quick brown fox jumps over the lazy dog'))).toBe(0x519e91f5);
  expect(djb2(bytes('foo'))).toBe(193491849);
  expect(jenkins(new Uint8Array())).toBe((0xdeadbeef + 13) >>> 0);
});

test('the avalanche is one to one', () => {
  const seen = new Set<number>();
  for (let value = 0; value < 100_000; value++) seen.add(avalanche(value * 4096));
  expect(seen.size).toBe(100_000);
});

test('bytes from 0x80 on are negative to the hashes of twemproxy that take signed characters', () => {
  const high = Uint8Array.of(0xff);
  // -1 behind the multiplication turns every bit over.
  expect(fnv1x32(high)).toBe(~Math.imul(2166136261, 16777619) >>> 0);
  expect(fnv1ax32(high)).toBe(Math.imul(~2166136261, 16777619) >>> 0);
});
