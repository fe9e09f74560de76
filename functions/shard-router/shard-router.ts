/** The decorator: any of the shards can be asked for any key, and passes on what is another's. */
import type { Decorator } from '../../shared/handler';
import { loadRouterConfig } from './config';
import { type OpenRouterOptions, openRouter } from './open';

export interface ShardRouterOptions extends Omit<OpenRouterOptions, 'config'> {
  /** As SHARD_ROUTER_CONFIG: JSON, or the name of a file where there are `files`. */
  readonly config: string;
  /** The name of the shard that the next handler is. */
  readonly self: string;
}

/**
 * Hands on what belongs to `self` to the next handler, and lets the host forward all else to the shard that owns it.
 *
 * Rejects with `key_missing`, `shard_unavailable`, `table_unavailable`, and what reading a key rejects with.
 * Throws a TypeError, with all mistakes, for settings that cannot be used.
 */
export const shardRouter = ({ config, self, ...options }: ShardRouterOptions): Decorator => {
  const router = openRouter({ ...options, config: loadRouterConfig(config, options.files) });
  return (next) => router.handler({ shard: self, handler: next });
};
