/**
 * One connection to a Redis server.
 *
 * It is opened at the first call, and again at the next call after it was lost. Nothing queues up for a server that is
 * away, and nothing is sent twice. Fails closed: what has no answer within `timeout` rejects, and a connection on which
 * nothing at all was heard meanwhile is given up, for its server may be gone without a word.
 */
import { bounded } from './bounded';
import { createRedisClient, loadRedisClient, type RedisClient } from './redis-client';
import type { RedisServer } from './redis-url';

/** Of a command. */
export type Part = string | Buffer;

export interface RedisConnectionOptions {
  readonly server: RedisServer;
  /** For one call, with the connecting that it may need, in ms. */
  readonly timeout: number;
  /** What is done with each new connection before it is used. */
  readonly prepare: (client: RedisClient) => Promise<void>;
  /** Called when one that was in use is gone. @default nothing */
  readonly onLost?: () => void;
}

export interface RedisConnection {
  /** Resolves when there is one. */
  open(): Promise<void>;
  /** The answer to a command; rejects with whatever went wrong. */
  send(command: readonly Part[]): Promise<unknown>;
  /** Ends the one that there is, or is on its way; the next call opens another. */
  drop(): void;
  /** The same, for good. */
  close(): void;
}

/** Between two attempts to connect, in ms: calls in between fail with what the first has met. */
const REST = 100;

export const redisConnection = ({
  server,
  timeout,
  prepare,
  onLost = () => undefined,
}: RedisConnectionOptions): RedisConnection => {
  let current: RedisClient | undefined;
  let opening: Promise<RedisClient> | undefined;
  let refused: { readonly until: number; readonly error: unknown } | undefined;
  let closed = false;
  let underWay = 0;
  let heard = 0;

  const drop = (): void => {
    const client = current;
    current = undefined;
    opening = undefined;
    // Behind the client's own work: it has to tell who waits why.
    if (client) queueMicrotask(() => client.destroy());
  };
  const lose = (client: RedisClient): void => {
    if (client !== current) return;
    drop();
    onLost();
  };

  const connect = async (isWanted: () => boolean): Promise<RedisClient> => {
    const client = await createRedisClient(server, timeout);
    // One that is gone is replaced, not repaired. Without a listener this would end the process.
    client.on('error', () => lose(client));
    const ready = client.connect().then(() => prepare(client));
    try {
      await bounded(ready, timeout);
      if (!isWanted() || !client.isReady) throw new Error('the connection is gone');
    } catch (error) {
      client.destroy();
      // What connects all the same, later, is not kept.
      const destroy = (): void => client.destroy();
      ready.then(destroy, destroy);
      throw error;
    }
    current = client;
    return client;
  };

  const connected = (): Promise<RedisClient> => {
    if (opening) return opening;
    if (closed) return Promise.reject(new Error('the connection is closed'));
    if (refused && performance.now() < refused.until) return Promise.reject(refused.error);
    const attempt = connect(() => opening === attempt);
    opening = attempt;
    attempt.catch((error) => {
      if (opening !== attempt) return;
      opening = undefined;
      refused = { until: performance.now() + REST, error };
    });
    return attempt;
  };

  /** The process stays alive for what is under way, not for the connection. */
  const busy = async <T>(act: () => Promise<T>): Promise<T> => {
    underWay += 1;
    if (underWay === 1) current?.ref();
    try {
      return await act();
    } finally {
      underWay -= 1;
      if (underWay === 0) current?.unref();
    }
  };

  return {
    open: () => busy(async () => void (await connected())),
    send: (command) =>
      busy(async () => {
        if (!current) await loadRedisClient();
        const start = performance.now();
        const client = current ?? (await bounded(connected(), timeout));
        const answer = client.sendCommand(command as Part[]);
        const onAnswer = (): void => {
          heard = performance.now();
        };
        answer.then(onAnswer, onAnswer);
        return bounded(answer, timeout - (performance.now() - start), () => {
          if (heard < start) lose(client);
        });
      }),
    drop,
    close: () => {
      closed = true;
      drop();
    },
  };
};
