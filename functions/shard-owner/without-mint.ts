/** Where a shard looks for the key: as its routers do, but what they would make up is not made up a second time. */
import type { KeySource } from '../../shared/shard/key/key';

/** The same source without any `mint`. */
export const withoutMint = (source: KeySource): KeySource => {
  if ('cookie' in source) return { cookie: source.cookie };
  if ('all' in source) return { ...source, all: source.all.map(withoutMint) };
  if ('first' in source) return { first: source.first.map(withoutMint) };
  return source;
};
