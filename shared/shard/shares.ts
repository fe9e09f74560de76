/** What part of the keys each shard should have by its weight. */
import type { Shard } from './topology';

/** From 0 to 1, of those that are in use; together they are 1, or 0 where none is. */
export const shares = (shards: readonly Shard[]): ReadonlyMap<Shard, number> => {
  const used = shards.filter(({ down, ejected }) => !down && !ejected);
  const total = used.reduce((sum, { weight }) => sum + weight, 0);
  return new Map(used.map((shard) => [shard, total === 0 ? 0 : shard.weight / total]));
};
