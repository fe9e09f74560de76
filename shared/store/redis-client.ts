/** The client of a Redis server: the only file that knows @redis/client, which is loaded when the first one is made. */
import type { createClient } from '@redis/client';
import type { RedisServer } from './redis-url';

export type RedisClient = ReturnType<typeof createClient>;

/** For who counts the time of a server: it is no fault of the server when this takes long. */
export const loadRedisClient = () => import('@redis/client');

/** One that is not connected yet, and never connects again by itself. */
export const createRedisClient = async (
  { host, port, tls, username, password, database }: RedisServer,
  timeout: number,
): Promise<RedisClient> => {
  const { createClient } = await loadRedisClient();
  return createClient({
    socket: {
      host,
      port,
      ...(tls && { tls }),
      connectTimeout: timeout,
      reconnectStrategy: false,
    },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    database,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    // The connection's own covers the connecting as well.
    commandOptions: { timeout: 0 },
  }) as RedisClient;
};
