/**
 * The store in a Redis server (6.2 or later, or what speaks its protocol): shared by all that reach the server.
 *
 * What an answer has acknowledged is in the memory of that server. It outlives a crash of the server only with
 * `appendonly yes` and `appendfsync always` (`capabilities.survivesCrash` says what was found); a failover to a replica
 * may lose the latest writes whatever is set, for replication is not waited for. Time is the server's wall clock: one
 * that jumps forward ends entries early. Versions grow through losses too, unless that clock goes back meanwhile. The
 * server must not evict (`maxmemory-policy noeviction`). Not for Redis Cluster.
 *
 * Fails closed: `store_unavailable`, at once where the server refuses and within `timeout` where it is silent. The
 * connection is opened at the first call, and by the next call after it was lost.
 */
import type { Clock } from '../clock';
import {
  checkInterval,
  checkList,
  checkVersion,
  encodeValue,
  expiryOf,
  keyBytes,
  limits,
  prefixBytes,
} from './limits';
import { redisClock } from './redis-clock';
import { redisEntries } from './redis-entries';
import { parseRedisUrl, REDIS_FORM } from './redis-url';
import { redisWatch } from './redis-watch';
import type { Entry, ListOptions, Store, Version, WriteOptions } from './store';
import { createWatchers } from './watchers';

export interface RedisStoreOptions {
  /** `redis://` or `rediss://`, USER:PASSWORD@ if there is one, HOST, :PORT, /DATABASE, ?prefix= of all keys (faas). */
  readonly url: string;
  /** Tells when entries expire; all that share the store must agree on the time. @default that of the server */
  readonly clock?: Clock;
  /** How long a call waits for the server, in ms; a long list is several calls. @default 2000 */
  readonly timeout?: number;
  /** While somebody watches: how often to look for changes that were not heard of, in ms. @default 1000 */
  readonly pollInterval?: number;
  /** How long after its expiry an entry may still be held when nobody writes, in ms. @default 10000 */
  readonly sweepInterval?: number;
}

/** Throws a TypeError, without the URL, for options that cannot work. */
export const redisStore = ({
  url,
  clock: given,
  timeout = 2_000,
  pollInterval = 1_000,
  sweepInterval = 10_000,
}: RedisStoreOptions): Store => {
  const server = parseRedisUrl(url);
  if (!server) throw new TypeError(`url must be like ${REDIS_FORM}`);
  checkInterval(timeout, 'timeout');
  checkInterval(pollInterval, 'pollInterval');
  checkInterval(sweepInterval, 'sweepInterval');
  const time = redisClock(given);
  const watch = redisWatch({
    server,
    timeout,
    pollInterval,
    stamp: () => entries.stamp(),
    onChanged: (key) => watchers.changed(key),
  });
  const entries = redisEntries({ server, timeout, sweepInterval, time, watch });

  const get = async <T>(key: string): Promise<Entry<T> | undefined> => {
    keyBytes(key);
    return entries.use(() => entries.get<T>(key));
  };
  const watchers = createWatchers({
    clock: time.clock,
    read: async <T>(key: string) => {
      keyBytes(key);
      return entries.use(async () => {
        await watch.listen();
        return entries.get<T>(key);
      });
    },
    onWatched: () => {
      watch.start();
      return watch.stop;
    },
  });

  return {
    capabilities: {
      ...limits,
      get survivesCrash() {
        return entries.isDurable();
      },
      sharedBy: 'network',
      clock: 'wall',
      monotoneVersions: true,
    },
    get,
    compareAndSwap: async <T>(
      key: string,
      expected: Version,
      value: T,
      options: WriteOptions = {},
    ) => {
      keyBytes(key);
      checkVersion(expected);
      const json = encodeValue(value);
      expiryOf(options, time.clock.now());
      const written = await entries.use(() => entries.swap<T>(key, expected, json, options.ttl));
      if (written) watchers.changed(key);
      return written;
    },
    delete: async (key, expected) => {
      keyBytes(key);
      if (expected !== undefined) checkVersion(expected);
      const deleted = await entries.use(() => entries.delete(key, expected));
      if (deleted) watchers.changed(key);
      return deleted;
    },
    list: async <T>(prefix: string, options: ListOptions = {}) => {
      const start = prefixBytes(prefix);
      const { after, limit } = checkList(options);
      const found = await entries.use(() => entries.list<T>(start, after, limit + 1));
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return { entries: page, ...(found.length > limit && last && { next: last.key }) };
    },
    watch: watchers.watch,
    close: () => {
      const closing = entries.close();
      watchers.close();
      return closing;
    },
  };
};
