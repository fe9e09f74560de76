/** Who comes next, and what becomes of the keys of those that are down or ejected: the same in every mode. */
import { describe, expect, test } from '@jest/globals';
import { envoyMaglev, envoyRing } from '../../../../shared/shard/modes/envoy';
import { haproxyConsistent } from '../../../../shared/shard/modes/haproxy';
import { jump } from '../../../../shared/shard/modes/jump';
import { nginxConsistent, nginxHash } from '../../../../shared/shard/modes/nginx';
import { twemproxyKetama, twemproxyModula } from '../../../../shared/shard/modes/twemproxy';
import type { MakePlacer } from '../../../../shared/shard/placer';
import type { Mode, Shard, Topology } from '../../../../shared/shard/topology';
import { bytesOf, KEYS } from '../peers-keys';
import { shardOf, topologyOf } from '../peers-topology';

const MODES: readonly (readonly [Mode, MakePlacer])[] = [
  ['nginx-consistent', nginxConsistent],
  ['nginx-hash', nginxHash],
  ['twemproxy-ketama', twemproxyKetama],
  ['twemproxy-modula', twemproxyModula],
  ['envoy-ring', envoyRing],
  ['envoy-maglev', envoyMaglev],
  ['haproxy-consistent', haproxyConsistent],
  ['jump', jump],
];

const FIVE = [1, 2, 3, 4, 5].map((weight) => shardOf(`10.0.0.${weight}:80`, { weight }));
const BYTES = KEYS.map(bytesOf);

const changed = (more: Partial<Shard>, ...indexes: readonly number[]): Shard[] =>
  FIVE.map((shard, at) => (indexes.includes(at) ? { ...shard, ...more } : shard));

describe.each(MODES)('%s', (mode, make) => {
  const of = (shards: readonly Shard[]): Topology => topologyOf(mode, shards);
  const all = make(of(FIVE));

  test('candidates are all that can be used, each once, the owner first', () => {
    const some = make(of(changed({ down: true }, 1)));
    for (const key of BYTES) {
      const candidates = [...some.candidates(key)];
      expect(candidates[0]).toBe(some.pick(key));
      expect(candidates.toSorted()).toEqual([0, 2, 3, 4]);
    }
  });

  test('keys of one that is down go to who comes next, and no other key moves', () => {
    const some = make(of(changed({ down: true }, 4)));
    let moved = 0;
    for (const key of BYTES) {
      const [owner, next] = all.candidates(key);
      expect(some.pick(key)).toBe(owner === 4 ? next : owner);
      if (owner === 4) moved++;
    }
    expect(moved).toBeGreaterThan(50);
  });

  test('one that is ejected is as if it were not listed', () => {
    // HAProxy gives a place in the list to each, so that the ids of the others stay.
    const ids = FIVE.map((shard, at) => ({ ...shard, id: at + 1 }));
    const some = make(of(ids.map((shard, at) => ({ ...shard, ejected: at === 1 }))));
    const rest = make(of(ids.filter((_, at) => at !== 1)));
    for (const key of BYTES) expect(some.pick(key)).toBe([0, 2, 3, 4][rest.pick(key) as number]);
  });

  test('where one is left, whatever the key says, it goes there', () => {
    const { pick, candidates } = make(of(changed({ down: true }, 0, 1, 2, 4)));
    for (const key of [...BYTES.slice(0, 100), bytesOf('')]) {
      expect(pick(key)).toBe(3);
      expect([...candidates(key)]).toEqual([3]);
    }
  });

  test('where nobody is left, nobody is named', () => {
    for (const shards of [
      changed({ down: true }, 0, 1, 2, 3, 4),
      changed({ ejected: true }, 0, 1, 2, 3, 4),
    ]) {
      const { pick, candidates, trace } = make(of(shards));
      for (const key of [bytesOf('key'), bytesOf('')]) {
        expect(pick(key)).toBeUndefined();
        expect([...candidates(key)]).toEqual([]);
        expect(trace(key)).not.toHaveProperty('point');
      }
    }
  });

  test('keys stand for themselves: the same bytes elsewhere in a buffer, the same shard', () => {
    for (const key of BYTES.slice(0, 100)) {
      const shifted = Uint8Array.of(1, 2, 3, ...key, 4).subarray(3, 3 + key.length);
      expect(all.pick(shifted)).toBe(all.pick(key));
      expect(all.trace(shifted)).toEqual(all.trace(key));
    }
  });
});

test('twemproxy hashes an empty key to 0, and what it does not know by its tag as a whole', () => {
  for (const hash of ['md5', 'jenkins', 'crc32a']) {
    const { trace } = twemproxyKetama(
      topologyOf('twemproxy-ketama', FIVE, { hash, hashTag: '{}' }),
    );
    const hashOf = (key: string) => trace(bytesOf(key)).hash;
    expect(hashOf('')).toBe('0');
    expect(hashOf('a{}b')).not.toBe('0');
    expect(hashOf('a{b}c{d}')).toBe(hashOf('b'));
    expect(hashOf('}a{b')).not.toBe(hashOf('b'));
    expect(hashOf('a}b')).not.toBe(hashOf('a'));
  }
});

test('maglev also names those that no attempt finds', () => {
  const shards = [1, 1000].map((weight) => shardOf(`10.0.0.${weight % 7}:80`, { weight }));
  const { candidates } = envoyMaglev(topologyOf('envoy-maglev', shards));
  for (const key of BYTES) expect([...candidates(key)].toSorted()).toEqual([0, 1]);
});
