/**
 * How a process hears what others write: each script publishes what it changed. Messages are hints that may be lost,
 * so a poll compares the last version heard of with the last one given.
 *
 * Fails closed: nobody reads a state to watch before he would hear of the next one.
 */
import { randomUUID } from 'node:crypto';
import { every } from './every';
import { type RedisConnection, redisConnection } from './redis-connection';
import { unavailable } from './redis-failure';
import type { RedisServer } from './redis-url';

export interface RedisWatchOptions {
  readonly server: RedisServer;
  readonly timeout: number;
  readonly pollInterval: number;
  /** The last version given, as the server has it. */
  readonly stamp: () => Promise<string>;
  readonly onChanged: (key?: string) => void;
}

export interface RedisWatch {
  readonly channel: string;
  /** Goes out with each write: whose messages say nothing new here. */
  token(): string;
  /** A write has an unknown outcome: its message may be the first that is heard of it. */
  doubt(): void;
  /** Resolves when whatever changes from now on is heard of. */
  listen(): Promise<void>;
  start(): void;
  stop(): void;
}

export const redisWatch = ({
  server,
  timeout,
  pollInterval,
  stamp,
  onChanged,
}: RedisWatchOptions): RedisWatch => {
  const channel = `${server.prefix}:changed:${server.database}`;
  let token = randomUUID();
  let last: string | undefined;

  const onMessage = (message: string): void => {
    const [, sender, version, key] = /^([^:]*):([^:]*):(.*)$/s.exec(message) ?? [];
    last = version;
    if (sender !== token) onChanged(key);
  };

  const connection: RedisConnection = redisConnection({
    server,
    timeout,
    prepare: async (client) => client.subscribe(channel, onMessage),
    onLost: onChanged,
  });

  const polling = every(pollInterval, async (signal) => {
    const known = last;
    last = await stamp().catch(() => undefined);
    // When it cannot be told, those who watch read, and hear why.
    if (last === undefined || last !== known) onChanged();
    // Of a connection that is dead and does not know it.
    if (!signal.aborted) await connection.send(['PING']);
  });

  return {
    channel,
    token: () => token,
    doubt: () => {
      token = randomUUID();
    },
    listen: () =>
      connection.open().catch((error) => {
        throw unavailable(error);
      }),
    start: polling.start,
    stop: () => {
      polling.stop();
      connection.drop();
    },
  };
};
