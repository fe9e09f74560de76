/**
 * The entries in the server, by the scripts of redis-scripts.ts; swept as long as the process lives.
 *
 * Fails closed: whatever goes wrong on the way is `store_unavailable`.
 */
import { every, pause, SWEEP_REST } from './every';
import type { RedisClock } from './redis-clock';
import { type Part, redisConnection } from './redis-connection';
import { closedFailure, unavailable } from './redis-failure';
import { endOf, startOf, toEntry } from './redis-format';
import { DELETE, GET, LIST, type Script, SWAP, SWEEP } from './redis-scripts';
import { inspectServer } from './redis-server';
import type { RedisServer } from './redis-url';
import type { RedisWatch } from './redis-watch';
import type { Entry, Version } from './store';

export interface RedisEntriesOptions {
  readonly server: RedisServer;
  readonly timeout: number;
  readonly sweepInterval: number;
  readonly time: RedisClock;
  readonly watch: Pick<RedisWatch, 'channel' | 'token' | 'doubt'>;
}

export interface RedisEntries {
  /** Does something with the entries; rejects when they are closed, which waits for it. */
  use<T>(act: () => Promise<T>): Promise<T>;
  get<T>(key: string): Promise<Entry<T> | undefined>;
  swap<T>(
    key: string,
    expected: Version,
    json: string,
    ttl: number | undefined,
  ): Promise<Entry<T> | undefined>;
  delete(key: string, expected: Version | undefined): Promise<boolean>;
  list<T>(prefix: Buffer, after: Buffer | undefined, limit: number): Promise<Entry<T>[]>;
  /** Another one after each change. */
  stamp(): Promise<string>;
  /** Whether the server has said that what it acknowledges is on its disk. */
  isDurable(): boolean;
  close(): Promise<void>;
}

/** What one answer to a list holds at most, and what one step of a sweep drops: a few ms of the server. */
const LIST_BYTES = 4 * 1024 * 1024;
const SWEPT_PER_STEP = 200;

export const redisEntries = ({
  server,
  timeout,
  sweepInterval,
  time,
  watch,
}: RedisEntriesOptions): RedisEntries => {
  const { prefix } = server;
  const keys = [`${prefix}:version`, `${prefix}:keys`, `${prefix}:expiries`];
  const underWay = new Set<Promise<unknown>>();
  let durable = false;
  let closed = false;

  const connection = redisConnection({
    server,
    timeout,
    prepare: async (client) => {
      durable = await inspectServer(client);
      sweeping.start();
    },
  });

  const send = async (command: readonly Part[]): Promise<unknown> => {
    try {
      return await connection.send(command);
    } catch (error) {
      const failure = unavailable(error);
      // It was the primary when we met it; the address may lead to another by now.
      if (/\bREADONLY\b/.test(`${error}`)) connection.drop();
      throw failure;
    }
  };

  const run = async (script: Script, ...args: Part[]): Promise<unknown[]> => {
    const rest = [`${keys.length}`, ...keys, time.told(), `${prefix}:e:`, ...args];
    const answer = (await send(['EVALSHA', script.sha, ...rest]).catch((error) => {
      // It has not run: the server does not know it, or not any more.
      if (!`${error.cause}`.includes('NOSCRIPT')) throw error;
      return send(['EVAL', script.text, ...rest]);
    })) as unknown[];
    time.hear(Number(answer[0]));
    return answer.slice(1);
  };
  const write = (script: Script, ...args: Part[]): Promise<unknown[]> =>
    run(script, ...args, watch.channel, watch.token()).catch((error) => {
      watch.doubt();
      throw error;
    });

  const sweeping = every(sweepInterval, async (signal) => {
    for (let dropped: unknown = SWEPT_PER_STEP; dropped === SWEPT_PER_STEP; ) {
      [dropped] = await run(SWEEP, `${SWEPT_PER_STEP}`);
      await pause(SWEEP_REST, signal);
    }
  });

  return {
    use: async (act) => {
      if (closed) throw closedFailure();
      const acting = act();
      underWay.add(acting);
      try {
        return await acting;
      } finally {
        underWay.delete(acting);
      }
    },
    get: async (key) => {
      const [found] = await run(GET, key);
      return typeof found === 'string' ? toEntry(key, found) : undefined;
    },
    swap: async (key, expected, json, ttl) => {
      const [version, expires] = await write(SWAP, key, `${expected}`, json, `${ttl ?? ''}`);
      return version === undefined ? undefined : toEntry(key, `${version}:${expires}:${json}`);
    },
    delete: async (key, expected) => {
      const [deleted] = await write(DELETE, key, `${expected ?? ''}`);
      return deleted === 1;
    },
    list: async <T>(start: Buffer, after: Buffer | undefined, limit: number) => {
      const found: Entry<T>[] = [];
      const end = endOf(start);
      for (let from = startOf(start, after); ; ) {
        const most = `${limit - found.length}`;
        const [next, ...pairs] = await run(LIST, from, end, most, `${LIST_BYTES}`);
        for (let at = 0; at < pairs.length; at += 2)
          found.push(toEntry(pairs[at] as string, pairs[at + 1] as string));
        if (typeof next !== 'string' || found.length >= limit) return found;
        from = Buffer.from(`(${next}`);
      }
    },
    stamp: async () => `${await send(['GET', keys[0] as string])}`,
    isDurable: () => durable,
    close: async () => {
      closed = true;
      sweeping.stop();
      await Promise.allSettled(underWay);
      connection.close();
    },
  };
};
