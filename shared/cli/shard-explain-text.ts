/** An explanation for people: a row for each of its members. */
import type { Explanation } from '../shard/explain';

/** Of a request that no key decides there is nothing that was hashed. */
export type Explained = { readonly source: string | null } & {
  readonly [M in keyof Explanation]: Explanation[M] | (M extends 'bytes' | 'hash' ? null : never);
};

/** Where the key came from stands behind the key. */
export const withSource = ({ key, ...rest }: Explanation, source: string): Explained => ({
  key,
  source,
  ...rest,
});

export const rowsOf = (explained: Explained): readonly (readonly string[])[] => {
  const { key, source, bytes, hash, point, pinned, shard, address, candidates } = explained;
  const owner =
    shard === null
      ? 'none: the key does not decide it'
      : `${shard === address ? shard : `${shard}  ${address}`}${pinned ? '  (pinned)' : ''}`;
  return [
    ['key', key ?? (bytes === null ? 'none' : 'bytes that are no text')],
    ['source', source ?? 'none'],
    ['bytes', bytes ?? 'none'],
    ['hash', hash ?? 'none'],
    ['point', point ?? 'none'],
    ['shard', owner],
    ['next', candidates.filter((name) => name !== shard).join(', ') || 'nobody'],
    ['epoch', `${explained.epoch}`],
    ['digest', explained.digest],
  ];
};
