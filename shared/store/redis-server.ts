/** What a Redis server says of itself. Fails closed: one that may not be written, or is one of a cluster, is refused. */
import { Failure } from '../failure';
import type { RedisClient } from './redis-client';

/** Whether what it acknowledges is on its disk. Throws `store_unavailable` for a server that is of no use. */
export const inspectServer = async (client: RedisClient): Promise<boolean> => {
  const { role, mode } = (await client.sendCommand(['HELLO'])) as unknown as Record<string, string>;
  if (mode === 'cluster')
    throw new Failure('store_unavailable', {
      detail: 'The server is one of a cluster, in which no script can do what the store needs.',
    });
  if (role === 'replica' || role === 'slave')
    throw new Failure('store_unavailable', { detail: 'The server is a read-only replica.' });
  const settings = await client.sendCommand(['CONFIG', 'GET', 'append*']).catch(() => ({}));
  const { appendonly, appendfsync } = settings as unknown as Record<string, string>;
  return appendonly === 'yes' && appendfsync === 'always';
};
