/** What native mode promises, at full size: a million keys. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hashBytes, hashText } from '../../../shared/shard/key-hash';
import { SLOTS, tryFor, wait } from '../../../shared/shard/native/score';
import {
  changeSlots,
  inOrder,
  type Member,
  ownerAt,
  type Slots,
  slotsOf,
} from '../../../shared/shard/native/slots';
import {
  equal,
  KEYS,
  movesBetween,
  sharesOf,
  weighted,
  whole,
  wholeChange,
  wholeOf,
} from './native-harness';

const nameOf = (slots: Slots, slot: number) => slots.members[ownerAt(slots, slot)]?.name;

/** As bytes: a comparison of half a million elements takes the test framework minutes. */
const same = (a: ArrayBufferView, b: ArrayBufferView): boolean =>
  Buffer.compare(bytes(a), bytes(b)) === 0;

const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

describe('the hash of a key', () => {
  // Of the reference implementation, by others' published checks of it.
  test.each([
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['test', 0, 0xba6bd213],
    ['test', 0x9747b28c, 0x704b81dc],
    ['Hello, world!', 0, 0xc0363e43],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
    ['aaa', 0x9747b28c, 0x283e0130],
    ['ππππππππ', 0x9747b28c, 0xd58063c1],
  ])('of %j with seed %i is that of MurmurHash3_x86_32', (text, seed, hash) => {
    expect(hashText(text, seed)).toBe(hash);
  });

  test('of a text is that of its UTF-8 bytes', () => {
    const encoder = new TextEncoder();
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })),
        fc.nat(),
        (text, seed) => {
          expect(hashText(text, seed)).toBe(hashBytes(encoder.encode(text), seed));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe.each([5, 10, 100])('with %i members', (count) => {
  const named = (name: string, weight = 1): Member => ({ name, weight });
  const members = [named('one'), ...equal(count - 1)];
  const before = wholeOf(members);
  const others = members.slice(1);
  const part = KEYS / count;

  test.each([
    ['added', 'new', [...members, named('new')], KEYS / (count + 1)],
    ['removed', 'one', others, part],
    ['made heavier', 'one', [named('one', 2), ...others], (2 * KEYS) / (count + 1) - part],
  ] as const)(
    'one is %s: no key moves between the others, and no more than must',
    (_, changed, next, ideal) => {
      const { moved, collateral } = movesBetween(before, wholeChange(before, next), [changed]);
      expect(collateral).toBe(0);
      expect(moved).toBeGreaterThan(0.9 * ideal);
      expect(moved).toBeLessThanOrEqual(1.05 * ideal);
    },
  );

  test('one is made lighter: as if it had never been heavier', () => {
    const heavy = wholeChange(before, [named('one', 100), ...others]);
    expect(movesBetween(heavy, wholeChange(heavy, members), ['one']).collateral).toBe(0);
    expect(movesBetween(before, wholeChange(heavy, members), []).moved).toBe(0);
  });
});

describe('keys are spread evenly', () => {
  test('over 100 equal members, of 20 sets: the most loaded by the mean is at most 1.06 in the median, 1.09 in each', () => {
    const ratios = Array.from({ length: 20 }, (_, set) => {
      const shares = sharesOf(wholeOf(equal(100, `set-${set}-`)));
      return Math.max(...shares.values()) / (KEYS / 100);
    }).sort((a, b) => a - b);
    expect(((ratios[9] as number) + (ratios[10] as number)) / 2).toBeLessThanOrEqual(1.06);
    expect(ratios[19]).toBeLessThanOrEqual(1.09);
  });

  test.each([2, 10, 100])(
    'over %i members of weights 1 to 100: each share within 3 standard deviations',
    (count) => {
      const members = weighted(count);
      const total = members.reduce((sum, { weight }) => sum + weight, 0);
      const shares = sharesOf(wholeOf(members));
      for (const { name, weight } of members) {
        const ideal = weight / total;
        // Slots are dealt by chance, and so are keys to slots.
        const deviation = Math.sqrt(ideal * (1 - ideal) * (1 / SLOTS + 1 / KEYS));
        const off = Math.abs((shares.get(name) as number) / KEYS - ideal) / deviation;
        expect([name, Number(off < 3 || off)]).toEqual([name, 1]);
      }
    },
  );
});

test('what is told from a set depends neither on its order, nor on how it came to be, nor on what was asked before', () => {
  const member = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'ü', ''),
    weight: fc.integer({ min: 1, max: 100 }),
  });
  const set = fc.uniqueArray(member, { selector: ({ name }) => name, minLength: 1 });
  fc.assert(
    fc.property(fc.array(set, { minLength: 2, maxLength: 5 }), (sets) => {
      const last = sets.at(-1) as readonly Member[];
      const slow = sets.reduce<Slots | undefined>((slots, members, turn) => {
        const next = slots ? changeSlots(slots, members) : slotsOf(members);
        for (let slot = turn; slot < SLOTS; slot += 3) ownerAt(next, slot);
        return next;
      }, undefined) as Slots;
      const fresh = wholeOf([...last].reverse());
      whole(slow);
      expect(same(slow.waits, fresh.waits)).toBe(true);
      for (let slot = 0; slot < SLOTS; slot += 97)
        expect(nameOf(slow, slot)).toBe(nameOf(fresh, slot));
    }),
    { numRuns: 8 },
  );
});

describe('a slot that two wait for alike goes to the name that comes first', () => {
  const alone = (name: string) => wholeOf([{ name, weight: 1 }]);
  const ownersOf = (slots: Slots) =>
    new Set([0, 1, 2, 3, SLOTS - 1].map((slot) => nameOf(slots, slot)));

  test.each([
    ['a', 'b', 'a'],
    ['z', 'b', 'b'],
  ])('%s enters beside %s', (entrant, owner, winner) => {
    const tied = { ...alone(owner), waits: alone(entrant).waits };
    const members = [owner, entrant].map((name) => ({ name, weight: 1 }));
    expect(ownersOf(wholeChange(tied, members))).toEqual(new Set([winner]));
  });

  test('a third one leaves', () => {
    const gone = alone('gone');
    const twins = ['b', 'a', 'c'].map((name) => ({ name, weight: 1, a: 1, b: 2 }));
    const tied = { ...gone, members: [...gone.members, ...twins] };
    expect(ownersOf(wholeChange(tied, twins))).toEqual(new Set(['a']));
  });
});

test('who comes next is who would own the slot if the owner went', () => {
  const members = weighted(7);
  const slots = wholeOf(members);
  const without = new Map(
    members.map(({ name }) => [
      name,
      wholeChange(
        slots,
        members.filter((one) => one.name !== name),
      ),
    ]),
  );
  for (let slot = 0; slot < SLOTS; slot += 9_973) {
    const [first, second, ...rest] = inOrder(slots, slot).map(({ name }) => name);
    expect(nameOf(slots, slot)).toBe(first);
    expect(nameOf(without.get(first as string) as Slots, slot)).toBe(second);
    expect(rest).toHaveLength(5);
  }
});

test('a table is never changed by one that is made from it', () => {
  const slots = wholeOf(equal(3));
  const [owners, waits] = [slots.owners.slice(), slots.waits.slice()];
  wholeChange(slots, weighted(5));
  wholeChange(slots, []);
  expect([same(slots.owners, owners), same(slots.waits, waits)]).toEqual([true, true]);
});

test('the wait is -ln(1 - p) / weight to 7 digits, and the shortcut never passes over a winner', () => {
  const drawn = fc.oneof(
    fc.integer({ min: 0, max: 0xffffffff }),
    fc.nat({ max: 100 }),
    fc.nat({ max: 100 }).map((less) => 0xffffffff - less),
  );
  fc.assert(
    fc.property(drawn, fc.integer({ min: 1, max: 100 }), (number, weight) => {
      const exact = -Math.log1p(-(number + 0.5) / 2 ** 32) / weight;
      const waited = wait(number, weight);
      expect(Math.abs(waited / exact - 1)).toBeLessThan(1e-7);
      expect(number).toBeLessThan(waited * tryFor(weight));
    }),
    { numRuns: 5_000 },
  );
});
