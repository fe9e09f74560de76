import { describe, expect, test } from '@jest/globals';
import {
  type Fence,
  type Owner,
  type Ownership,
  type OwnershipFacts,
  ownershipOf,
  type Role,
  type StandIn,
} from '../../../functions/shard-owner/ownership';

const MINE = '00112233aabbccdd';
const OTHER = 'ffeeddcc99887766';
const ROLES: readonly Role[] = ['owner', 'replica', 'next', 'bound', 'spread'];
const STAND_INS: readonly StandIn[] = ['next', 'bound', 'spread'];

const fences: readonly (Fence | undefined)[] = [
  undefined,
  ...[6, 7, 8].flatMap((epoch) =>
    [MINE, OTHER].flatMap((digest) => ROLES.map((role) => ({ epoch, digest, role }))),
  ),
];
const owners: readonly Owner[] = [
  { kind: 'shard', name: 'a' },
  { kind: 'shard', name: 'b' },
  { kind: 'anyone' },
  { kind: 'nobody' },
];
const subsets: readonly ReadonlySet<StandIn>[] = Array.from(
  { length: 2 ** STAND_INS.length },
  (_, bits) => new Set(STAND_INS.filter((_role, i) => bits & (1 << i))),
);
const flags = [false, true];

/** Shard a at epoch 7, in every situation there is. */
const everything: readonly OwnershipFacts[] = owners.flatMap((owner) =>
  flags.flatMap((isMember) =>
    flags.flatMap((isFresh) =>
      flags.flatMap((isRefreshed) =>
        fences.flatMap((fence) =>
          subsets.map((standsIn) => ({
            name: 'a',
            owner,
            isMember,
            epoch: 7,
            digest: MINE,
            isFresh,
            isRefreshed,
            fence,
            standsIn,
          })),
        ),
      ),
    ),
  ),
);

/** The rule as a table: the first row that fits decides. What a row does not name may be anything. */
interface Row {
  readonly refreshed?: boolean;
  readonly fresh?: boolean;
  /** `none`; `same` digest at this epoch or a lower one; `newer`, the same digest at a higher epoch; `other` digest. */
  readonly fence?: readonly ('none' | 'same' | 'newer' | 'other')[];
  readonly member?: boolean;
  readonly owner?: 'me' | 'another' | 'anyone' | 'nobody';
  readonly role?: readonly Role[];
  readonly taken?: boolean;
  readonly decision: Ownership['kind'];
  readonly as?: Role | 'the role of the fence';
}

const TABLE: readonly Row[] = [
  { refreshed: false, fresh: false, decision: 'refresh' },
  { refreshed: false, fence: ['other', 'newer'], decision: 'refresh' },
  { fresh: false, decision: 'unsure' },
  { member: false, decision: 'foreign' },
  { owner: 'nobody', decision: 'foreign' },
  { owner: 'anyone', fence: ['none'], decision: 'owned', as: 'spread' },
  { owner: 'anyone', decision: 'owned', as: 'the role of the fence' },
  { owner: 'me', role: ['replica'], decision: 'owned', as: 'replica' },
  { owner: 'me', decision: 'owned', as: 'owner' },
  // From here on the key is another's.
  { fence: ['none', 'other'], decision: 'foreign' },
  { role: ['owner', 'replica'], decision: 'foreign' },
  { taken: false, decision: 'foreign' },
  { decision: 'owned', as: 'the role of the fence' },
];

const kindOf = (fence: Fence | undefined) => {
  if (!fence) return 'none';
  if (fence.digest !== MINE) return 'other';
  return fence.epoch > 7 ? 'newer' : 'same';
};

const fits = (row: Row, facts: OwnershipFacts): boolean => {
  const { fence, owner } = facts;
  const whose = owner.kind !== 'shard' ? owner.kind : owner.name === 'a' ? 'me' : 'another';
  return (
    (row.refreshed === undefined || row.refreshed === facts.isRefreshed) &&
    (row.fresh === undefined || row.fresh === facts.isFresh) &&
    (row.member === undefined || row.member === facts.isMember) &&
    (row.owner === undefined || row.owner === whose) &&
    (row.fence === undefined || row.fence.includes(kindOf(fence))) &&
    (row.role === undefined || (fence !== undefined && row.role.includes(fence.role))) &&
    (row.taken === undefined || row.taken === facts.standsIn.has(fence?.role as StandIn))
  );
};

const expected = (facts: OwnershipFacts): readonly [Row, Ownership] => {
  const row = TABLE.find((one) => fits(one, facts)) as Row;
  const { decision, as } = row;
  if (decision === 'foreign') return [row, { kind: 'foreign', epoch: 7, digest: MINE }];
  if (decision !== 'owned') return [row, { kind: decision }];
  const role = as === 'the role of the fence' ? (facts.fence as Fence).role : (as as Role);
  return [row, { kind: 'owned', role }];
};

describe('who may execute', () => {
  test('is what the table says, in every situation there is, and each row says something', () => {
    const used = new Set<Row>();
    const wrong = everything.filter((facts) => {
      const [row, decision] = expected(facts);
      used.add(row);
      return JSON.stringify(ownershipOf(facts)) !== JSON.stringify(decision);
    });
    expect(wrong.slice(0, 3)).toEqual([]);
    expect(everything).toHaveLength(4 * 2 * 2 * 2 * 31 * 8);
    expect(TABLE.filter((row) => !used.has(row))).toEqual([]);
  });

  test('is never asked for twice', () => {
    const twice = everything.filter(
      (facts) => facts.isRefreshed && ownershipOf(facts).kind === 'refresh',
    );
    expect(twice).toEqual([]);
  });

  test('is not widened by anything that a request says, where this shard stands in for nobody', () => {
    const widened = everything.filter(
      (facts) =>
        facts.standsIn.size === 0 &&
        ownershipOf(facts).kind === 'owned' &&
        ownershipOf({ ...facts, fence: undefined, isRefreshed: true }).kind !== 'owned',
    );
    expect(widened).toEqual([]);
  });

  test('a table of another digest is looked for by its digest alone, one of the same by its epoch', () => {
    const facts = everything[0] as OwnershipFacts;
    const about = (epoch: number, digest: string) =>
      ownershipOf({
        ...facts,
        isFresh: true,
        isRefreshed: false,
        isMember: true,
        fence: { epoch, digest, role: 'owner' },
      }).kind;
    expect([about(7, MINE), about(6, MINE), about(8, MINE)]).toEqual(['owned', 'owned', 'refresh']);
    expect([about(7, OTHER), about(6, OTHER), about(8, OTHER)]).toEqual([
      'refresh',
      'refresh',
      'refresh',
    ]);
  });
});
