/** What the tests of the Redis store have in common. */
import { afterEach } from '@jest/globals';
import { type RedisStoreOptions, redisStore } from '../../shared/store/redis';
import type { Entry, Store } from '../../shared/store/store';
import type { RedisServer, StartRedisOptions } from './redis';
import { startRedis } from './redis';

export interface RedisLab {
  /** A server for this test alone. */
  server(options?: StartRedisOptions): Promise<RedisServer>;
  store(url: string, options?: Omit<RedisStoreOptions, 'url'>): Store;
  watch<T>(key: string, of: Store): Watched<T>;
}

export interface Watched<T> {
  state(): Promise<Entry<T> | undefined>;
  leave(): Promise<unknown> | undefined;
}

/** Whatever a test has started ends with it. */
export const redisLab = (): RedisLab => {
  const servers: RedisServer[] = [];
  const stores: Store[] = [];
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });
  return {
    server: async (options) => {
      const server = await startRedis(options);
      servers.push(server);
      return server;
    },
    store: (url, options) => {
      const store = redisStore({ url, ...options });
      stores.push(store);
      return store;
    },
    watch: <T>(key: string, of: Store) => {
      const states = of.watch<T>(key, new AbortController().signal)[Symbol.asyncIterator]();
      return {
        state: async () => {
          const { done, value } = await states.next();
          if (done) throw new Error('the watcher is over');
          return value;
        },
        leave: () => states.return?.(),
      };
    },
  };
};

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

/** Asks until the answer is right, for 10 s at most; gives the last one. */
export const until = async <T>(
  ask: () => Promise<T>,
  isRight: (answer: T) => boolean,
): Promise<T> => {
  for (const end = performance.now() + 10_000; ; await sleep(20)) {
    const answer = await ask();
    if (isRight(answer) || performance.now() > end) return answer;
  }
};
