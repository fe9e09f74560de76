/**
 * The rule: whether this shard may take a request. Decided by the shard's own table; what the request says of the table
 * behind it (its fence) can make the shard look again, and can excuse that it stands in for another, but never makes it
 * the owner. Fails closed: whatever is in doubt after one look is not taken.
 */

/** Why a router has chosen this shard. */
export type Role = 'owner' | 'replica' | 'next' | 'bound' | 'spread';

/** Roles in which a shard takes what it does not own: only where its operator says so. */
export type StandIn = Exclude<Role, 'owner' | 'replica'>;

/** What a router says of the table by which it has chosen. */
export interface Fence {
  readonly epoch: number;
  /** 16 hex digits. */
  readonly digest: string;
  readonly role: Role;
}

/** Whose a request is by this shard's own table. */
export type Owner =
  | { readonly kind: 'shard'; readonly name: string }
  /** Has no key where such requests are spread, or a key that the table leaves to chance: any member's. */
  | { readonly kind: 'anyone' }
  /** Has a key that the table gives to no shard that is in use. */
  | { readonly kind: 'nobody' };

export interface OwnershipFacts {
  /** This shard's. */
  readonly name: string;
  readonly owner: Owner;
  /** Whether this shard is in its own table, and in use there. */
  readonly isMember: boolean;
  /** Of its own table. */
  readonly epoch: number;
  readonly digest: string;
  /** Whether the source of the table has confirmed it lately. */
  readonly isFresh: boolean;
  /** Whether the source was asked for the sake of this request already. */
  readonly isRefreshed: boolean;
  /** `undefined`: the caller comes past the routers, or says nothing that can be read. */
  readonly fence: Fence | undefined;
  /** What this shard takes for others. */
  readonly standsIn: ReadonlySet<StandIn>;
}

export type Ownership =
  /** May be executed. */
  | { readonly kind: 'owned'; readonly role: Role }
  /** Cannot be told by this table: ask its source once, then decide again. */
  | { readonly kind: 'refresh' }
  /** Is another's: the sender learns by which table. */
  | { readonly kind: 'foreign'; readonly epoch: number; readonly digest: string }
  /** Nobody has confirmed the table for too long: the key may have moved. */
  | { readonly kind: 'unsure' };

export const ownershipOf = (facts: OwnershipFacts): Ownership => {
  const { epoch, digest, isFresh, isRefreshed, fence } = facts;
  if (!isRefreshed && (!isFresh || (fence !== undefined && isOther(fence, facts))))
    return { kind: 'refresh' };
  if (!isFresh) return { kind: 'unsure' };
  const role = roleOf(facts);
  return role === undefined ? { kind: 'foreign', epoch, digest } : { kind: 'owned', role };
};

/** The digest decides whether two tables are the same; of two alike the later one is asked for by its epoch. */
const isOther = (fence: Fence, { epoch, digest }: OwnershipFacts): boolean =>
  fence.digest !== digest || fence.epoch > epoch;

const roleOf = ({ name, owner, isMember, digest, fence, standsIn }: OwnershipFacts) => {
  if (!isMember) return undefined;
  if (owner.kind === 'nobody') return undefined;
  if (owner.kind === 'anyone') return fence?.role ?? 'spread';
  if (owner.name === name) return fence?.role === 'replica' ? 'replica' : 'owner';
  // A role is a word about one table: by another, the shard that is stood in for may be another too.
  const role = fence?.digest === digest ? fence.role : undefined;
  return role !== undefined && role !== 'owner' && role !== 'replica' && standsIn.has(role)
    ? role
    : undefined;
};
