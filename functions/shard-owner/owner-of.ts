/**
 * Whose a request is by one table. One without a key is judged by the policy that sent it here, which is the router's
 * too: `fixed` and `fallback` name an owner like any key does; under `spread` it is nobody's, so that whoever is a member
 * may take it, in any role and by any digest: no table could say otherwise. Fails closed: under `reject` it is nobody's to take.
 */
import { Failure } from '../../shared/failure';
import { isLeftToChance } from '../../shared/shard/chance';
import type { MissingPolicy } from '../../shared/shard/config/missing';
import type { Key, NoKey } from '../../shared/shard/key/key';
import type { ShardTable } from '../../shared/shard/table';
import type { Owner } from './ownership';

/** Throws `key_missing` (400). */
export const ownerOf = (
  found: Key | NoKey,
  missing: MissingPolicy,
  table: Pick<ShardTable, 'mode' | 'place'>,
): Owner => {
  if (!('missing' in found)) return placed(table.place(found)?.name, table);
  if (missing === 'reject') throw new Failure('key_missing');
  if (missing === 'spread') return { kind: 'anyone' };
  if ('fixed' in missing) return { kind: 'shard', name: missing.fixed };
  return placed(table.place(missing.fallback)?.name, table);
};

/** A key that its table leaves to chance is sent to any shard, as the peer of that mode does; in other modes it is nobody's. */
const placed = (name: string | undefined, { mode }: Pick<ShardTable, 'mode'>): Owner => {
  if (name !== undefined) return { kind: 'shard', name };
  return { kind: isLeftToChance(mode) ? 'anyone' : 'nobody' };
};
