import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { redisStore } from '../../../shared/store/redis';
import { ABSENT } from '../../../shared/store/store';
import { storeContract } from '../../contracts/store';
import { manualClock } from '../../support/manual-clock';
import { type RedisServer, startRedis } from '../../support/redis';
import { redisLab, sleep, until } from '../../support/redis-lab';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

let prefix = 'test-0';
/** Of a store of its own. */
const newUrl = (): string => {
  prefix = `test-${Number(prefix.slice(5)) + 1}`;
  return `${server.url}?prefix=${prefix}`;
};

// By the clock of the test, and without the poll: what is written here is not waited for.
storeContract('redis', (clock) => redisStore({ url: newUrl(), clock, pollInterval: 1e9 }));

const lab = redisLab();
let url: string;
beforeEach(() => {
  url = newUrl();
});
/** How many keys of the store there are in the server, its three own ones included. */
const size = async (): Promise<number> =>
  Number((await server.command('EVAL', `return #redis.call('KEYS', '${prefix}:*')`, '0')).slice(1));

describe('redis: the server', () => {
  test('two stores see the same entries, another prefix or database other ones', async () => {
    const [one, two] = [lab.store(url), lab.store(url)];
    const first = await one.compareAndSwap('a', ABSENT, 1);
    expect(await two.get('a')).toEqual(first);
    const second = await two.compareAndSwap('a', first?.version as number, 2);
    expect(await one.get('a')).toEqual(second);
    for (const other of [newUrl(), url.replace('?', '/1?')]) {
      const store = lab.store(other);
      expect(await store.list('')).toEqual({ entries: [] });
      await store.compareAndSwap('a', ABSENT, 3);
    }
    expect(await one.get('a')).toEqual(second);
  });

  test('what it promises depends on what the server has said', async () => {
    const store = lab.store(url);
    expect(store.capabilities).toMatchObject({
      survivesCrash: false,
      sharedBy: 'network',
      clock: 'wall',
      monotoneVersions: true,
    });
    await store.get('a');
    expect(store.capabilities.survivesCrash).toBe(false);
    for (const [appendfsync, survivesCrash] of [
      ['everysec', false],
      ['always', true],
    ] as const) {
      const args = ['--appendonly', 'yes', '--appendfsync', appendfsync];
      const durable = lab.store((await lab.server({ args })).url);
      await durable.get('a');
      expect(durable.capabilities.survivesCrash).toBe(survivesCrash);
    }
  });

  test('a server that has forgotten the scripts is taught them again', async () => {
    const store = lab.store(url);
    await store.compareAndSwap('a', ABSENT, 1);
    await server.command('SCRIPT', 'FLUSH');
    expect(await store.delete('a')).toBe(true);
    expect(await store.get('a')).toBeUndefined();
  });

  test('versions grow although all data was lost', async () => {
    const store = lab.store(url);
    const first = await store.compareAndSwap('a', ABSENT, 1);
    await server.command('FLUSHALL');
    const second = await store.compareAndSwap('a', ABSENT, 1);
    expect(second?.version).toBeGreaterThan(first?.version as number);
  });

  test('versions grow although the clock of the server went back', async () => {
    const store = lab.store(url);
    await store.compareAndSwap('a', ABSENT, 1);
    // As if it had been an hour ahead until now.
    const ahead = (Date.now() + 3_600_000) * 1_000;
    await server.command('SET', `${prefix}:version`, `${ahead}`);
    const { version } = (await store.compareAndSwap('b', ABSENT, 1)) as { version: number };
    expect(version).toBe(ahead + 1);
    await store.delete('b');
    expect((await store.compareAndSwap('b', ABSENT, 1))?.version).toBe(ahead + 3);
  });

  test('when no version is left nothing is written', async () => {
    const store = lab.store(url);
    const entry = await store.compareAndSwap('a', ABSENT, 1);
    await server.command('SET', `${prefix}:version`, `${Number.MAX_SAFE_INTEGER}`);
    const refusal = { code: 'store_unavailable' };
    await expect(store.compareAndSwap('b', ABSENT, 1)).rejects.toMatchObject(refusal);
    await expect(store.delete('a')).rejects.toMatchObject(refusal);
    expect((await store.list('')).entries).toEqual([entry]);
  });

  test('a page of large values comes in several answers, whole', async () => {
    // Who is owed more at once is cut off.
    const args = ['--client-output-buffer-limit', 'normal', '8mb', '0', '0'];
    const store = lab.store((await lab.server({ args })).url);
    const keys = Array.from({ length: 12 }, (_, index) => `k${10 + index}`);
    for (const key of keys) await store.compareAndSwap(key, ABSENT, 'x'.repeat(1_000_000));
    expect((await store.list('k')).entries.map(({ key }) => key)).toEqual(keys);
    const page = await store.list('k', { limit: 11 });
    expect([page.entries.length, page.next]).toEqual([11, 'k20']);
  });

  test('a page is full of what lives, also behind hundreds that expired', async () => {
    const clock = manualClock();
    const store = lab.store(url, { clock, sweepInterval: 1e6 });
    for (let index = 0; index < 250; index += 1)
      await store.compareAndSwap(`a${index}`, ABSENT, 0, { ttl: 10 });
    for (const key of ['b', 'c']) await store.compareAndSwap(key, ABSENT, 0);
    await clock.advance(10);
    const page = await store.list('', { limit: 1 });
    expect([page.entries.map(({ key }) => key), page.next]).toEqual([['b'], 'b']);
    expect((await store.list('a')).entries).toEqual([]);
  });

  test('a key whose entry somebody took away is forgotten', async () => {
    const store = lab.store(url);
    for (const key of ['a', 'b']) await store.compareAndSwap(key, ABSENT, 1, { ttl: 1e6 });
    await server.command('DEL', `${prefix}:e:a`);
    expect((await store.list('')).entries.map(({ key }) => key)).toEqual(['b']);
    expect(await server.command('ZCARD', `${prefix}:keys`)).toBe(':1');
    expect(await server.command('ZCARD', `${prefix}:expiries`)).toBe(':1');
  });
});

describe("redis: time is the server's", () => {
  test('an entry lives as long as it was given, and is gone then', async () => {
    const store = lab.store(url);
    const before = performance.now();
    const entry = await store.compareAndSwap('a', ABSENT, 1, { ttl: 150 });
    expect(Math.abs((entry?.expiresAt as number) - Date.now() - 150)).toBeLessThan(1_000);
    expect(await store.get('a')).toEqual(entry);
    const gone = await until(
      () => store.get('a'),
      (found) => found === undefined,
    );
    expect(gone).toBeUndefined();
    // A timer may be a millisecond early.
    expect(performance.now() - before).toBeGreaterThanOrEqual(149);
    expect((await store.list('')).entries).toEqual([]);
    expect(await store.delete('a')).toBe(false);
    expect(await store.compareAndSwap('a', entry?.version as number, 2)).toBeUndefined();
    expect(await store.compareAndSwap('a', ABSENT, 2)).toMatchObject({ value: 2 });
  });

  test('whatever the clock of this process says', async () => {
    const store = lab.store(url);
    await store.get('a');
    const { now } = Date;
    Date.now = () => now() + 3_600_000;
    try {
      const entry = await store.compareAndSwap('a', ABSENT, 1, { ttl: 60_000 });
      expect((entry?.expiresAt as number) - now()).toBeLessThan(61_000);
      expect(await store.get('a')).toEqual(entry);
    } finally {
      Date.now = now;
    }
  });

  test('an expired entry leaves the server when no client is there any more', async () => {
    const store = lab.store(url);
    await store.compareAndSwap('a', ABSENT, 1, { ttl: 50 });
    await store.compareAndSwap('b', ABSENT, 1, { ttl: 50 });
    await store.compareAndSwap('b', (await store.get('b'))?.version as number, 1);
    await store.close();
    await sleep(100);
    expect(await server.command('EXISTS', `${prefix}:e:a`)).toBe(':0');
    // Whose life has no end any more.
    expect(await server.command('EXISTS', `${prefix}:e:b`)).toBe(':1');
  });

  test('each write drops two that expired, and never the one that it writes', async () => {
    const clock = manualClock();
    const store = lab.store(url, { clock, sweepInterval: 1e6 });
    for (let index = 0; index < 10; index += 1)
      await store.compareAndSwap(`k${index}`, ABSENT, 0, { ttl: 10 });
    expect(await size()).toBe(10 + 3);
    await clock.advance(10);
    await store.compareAndSwap('k0', ABSENT, 1, { ttl: 10 });
    // k1 only, for k0 is another one now.
    expect(await size()).toBe(9 + 3);
    expect(await store.get('k0')).toMatchObject({ value: 1 });
    await store.compareAndSwap('a', ABSENT, 1);
    expect(await size()).toBe(8 + 3);
  });

  test('a life that was taken back is not swept', async () => {
    const clock = manualClock();
    const store = lab.store(url, { clock, sweepInterval: 20 });
    for (const key of ['a', 'b']) {
      const entry = await store.compareAndSwap(key, ABSENT, 1, { ttl: 10 });
      const ttl = key === 'a' ? {} : { ttl: 1_000 };
      await store.compareAndSwap(key, entry?.version as number, 2, ttl);
    }
    await clock.advance(10);
    await store.compareAndSwap('c', ABSENT, 1);
    await sleep(100);
    expect(await store.get('a')).toMatchObject({ value: 2 });
    expect(await store.get('b')).toMatchObject({ value: 2 });
  });

  test('what expired is swept without anybody writing, in steps, and nothing else is', async () => {
    const clock = manualClock();
    const store = lab.store(url, { clock, sweepInterval: 20 });
    for (let index = 0; index < 500; index += 1)
      await store.compareAndSwap(`k${index}`, ABSENT, 0, { ttl: 10 });
    await store.compareAndSwap('a', ABSENT, 1);
    await store.compareAndSwap('b', ABSENT, 1, { ttl: 20 });
    await sleep(100);
    expect(await size()).toBe(502 + 3);
    await clock.advance(10);
    expect(
      await until(
        async () => size(),
        (count) => count === 2 + 3,
      ),
    ).toBe(5);
    expect(await server.command('ZCARD', `${prefix}:keys`)).toBe(':2');
    await sleep(100);
    expect(await size()).toBe(5);
  });
});

test.each([
  ['timeout', 0],
  ['timeout', 0.5],
  ['pollInterval', -1],
  ['sweepInterval', Number.NaN],
])('redis: a %s of %d is refused', (name, value) => {
  expect(() => redisStore({ url: 'redis://x', [name]: value })).toThrow(
    new TypeError(`${name} must be a whole number of milliseconds above 0`),
  );
});
