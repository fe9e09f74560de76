/** Where a shard can be reached. */
import type { Shard } from '../../shared/shard/topology';

/** The origins of its replicas, each once, without a slash at the end. */
export const urlsOf = ({ urls, address }: Pick<Shard, 'urls' | 'address'>): readonly string[] => [
  ...new Set((urls ?? [`http://${address}`]).map((url) => url.replace(/\/$/, ''))),
];
