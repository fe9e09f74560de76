/** Whose a request is: the owner of its key, or what the settings say of one that has none. */
import { Failure } from '../../shared/failure';
import { isLeftToChance } from '../../shared/shard/chance';
import type { MissingPolicy } from '../../shared/shard/config/missing';
import type { Key, NoKey } from '../../shared/shard/key/key';
import type { ShardTable } from '../../shared/shard/table';
import type { Shard } from '../../shared/shard/topology';
import { unsure } from '../../shared/shard/unsure';
import { nobody } from './refusal';

export interface Placement {
  /** `undefined`: nothing decides, any shard will do. */
  readonly owner: Shard | undefined;
  /** What places it; `undefined` where no key does. */
  readonly key: Key | undefined;
}

/**
 * By `table`. Throws `key_missing` where the policy is to reject, `table_unavailable` where it names a shard that the
 * members of now do not have, and `shard_unavailable` for a key that is nobody's.
 */
export const placeRequest = (
  found: Key | NoKey,
  policy: MissingPolicy,
  table: ShardTable,
): Placement => {
  if (!('missing' in found)) return placeKey(found, table);
  if (policy === 'reject') throw new Failure('key_missing');
  if (policy === 'spread') return { owner: undefined, key: undefined };
  if ('fallback' in policy) {
    return placeKey({ value: policy.fallback, source: 'fallback' }, table);
  }
  const owner = table.shards.find(({ name }) => name === policy.fixed);
  if (!owner) throw unsure();
  return { owner, key: undefined };
};

const placeKey = (key: Key, table: ShardTable): Placement => {
  const owner = table.place(key);
  if (owner === undefined && !isLeftToChance(table.mode)) throw nobody();
  return { owner, key };
};

/** The owner first, then who comes next; of a request that no key places, all that are in use. */
export const candidatesOf = ({ owner, key }: Placement, table: ShardTable): readonly Shard[] => {
  if (key && owner) return table.candidates(key);
  return owner ? [owner] : table.shards.filter(({ down, ejected }) => !down && !ejected);
};
