/** Which streams are at the wrong shard: the rule, which takes a table and knows no time. */
import type { KeyValue, PlacedKey } from '../../shared/shard/key/key';
import type { ShardTable } from '../../shared/shard/table';

/** Where a stream belonged when it began. */
export interface Placed {
  /** `undefined`: a setting has named the owner, no key has. */
  readonly key: KeyValue | PlacedKey | undefined;
  /** The name of the owner, which need not be who answers: another may stand in for it. `undefined`: any shard will do. */
  readonly owner: string | undefined;
}

/**
 * Whether the key belongs to somebody else by this table: to an owner of another name, whatever the addresses are. Where
 * the table leaves open whose it is, a stream may stay as long as there is still its shard.
 */
export const hasMoved = ({ key, owner }: Placed, table: ShardTable): boolean => {
  if (owner === undefined) return false;
  const now = key === undefined ? undefined : table.place(key)?.name;
  return now === undefined ? !table.shards.some(({ name }) => name === owner) : now !== owner;
};

/** Those of them that must go. */
export const whoMoves = <T extends Placed>(streams: Iterable<T>, table: ShardTable): T[] =>
  [...streams].filter((stream) => hasMoved(stream, table));
