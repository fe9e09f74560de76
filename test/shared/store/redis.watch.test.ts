/** Watching what others write to the server, when messages, connections and servers are lost. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ABSENT, type Store } from '../../../shared/store/store';
import { type RedisServer, startRedis } from '../../support/redis';
import { redisLab, sleep, until } from '../../support/redis-lab';

const NEVER = 1e6;
/** Ten times what it should take. */
const BOUND = 2_000;

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

const lab = redisLab();
let count = 0;
let url: string;
let writer: Store;
beforeEach(() => {
  count += 1;
  url = `${server.url}?prefix=watch-${count}`;
  writer = lab.store(url);
});
const connections = async (type: string): Promise<number> =>
  (await server.command('CLIENT', 'LIST', 'TYPE', type)).split('id=').length - 1;

describe('redis: watching what others write', () => {
  test('each change is heard of without the poll, also a delete', async () => {
    const { state } = lab.watch('a', lab.store(url, { pollInterval: NEVER }));
    expect(await state()).toBeUndefined();
    for (let round = 0; round < 3; round += 1) {
      const before = performance.now();
      const entry = await writer.compareAndSwap('a', ABSENT, round);
      expect(await state()).toEqual(entry);
      await writer.delete('a');
      expect(await state()).toBeUndefined();
      expect(performance.now() - before).toBeLessThan(BOUND);
    }
  });

  test('a change right behind the first state is heard of', async () => {
    for (let round = 0; round < 20; round += 1) {
      const store = lab.store(url, { pollInterval: NEVER });
      // So that there is nothing to wait for but the connection to hear by.
      await Promise.all([store.get('a'), writer.get('a')]);
      const { state, leave } = lab.watch(`k${round}`, store);
      expect(await state()).toBeUndefined();
      const entry = await writer.compareAndSwap(`k${round}`, ABSENT, 1);
      expect(await state()).toEqual(entry);
      await leave();
    }
  });

  test.each([['a\0b'], ['a:b\nc'], ['😀'], ['k'.repeat(1024)]])(
    'a change of the key %j is heard of, and one of another key is not',
    async (key) => {
      const { state } = lab.watch(key, lab.store(url, { pollInterval: NEVER }));
      await state();
      const next = state();
      await writer.compareAndSwap('other', ABSENT, 1);
      const entry = await writer.compareAndSwap(key, ABSENT, 1);
      expect(await next).toEqual(entry);
    },
  );

  test('an entry that expires is noticed in time, by the clock of the server', async () => {
    const { state } = lab.watch('a', lab.store(url, { pollInterval: NEVER }));
    await state();
    const entry = await writer.compareAndSwap('a', ABSENT, 1, { ttl: 200 });
    expect(await state()).toEqual(entry);
    const before = performance.now();
    expect(await state()).toBeUndefined();
    expect(performance.now() - before).toBeLessThan(BOUND);
    expect(Date.now()).toBeGreaterThanOrEqual((entry?.expiresAt as number) - 1);
  });

  test('a change that no message told of is found by the poll', async () => {
    const { state } = lab.watch('a', lab.store(url, { pollInterval: 50 }));
    await state();
    const next = state();
    await sleep(200);
    // As a script does it whose message went nowhere.
    await server.command('SET', `watch-${count}:e:a`, '7::1');
    await server.command('SET', `watch-${count}:version`, '7');
    expect(await next).toEqual({ key: 'a', value: 1, version: 7 });
  });

  test('the poll reads no entry as long as nobody writes', async () => {
    await writer.compareAndSwap('a', ABSENT, 1);
    const { state } = lab.watch('a', lab.store(url, { pollInterval: 20 }));
    await state();
    const next = state();
    let settled = false;
    next
      .catch(() => undefined)
      .finally(() => {
        settled = true;
      });
    await sleep(200);
    // Whoever reads it would not be able to.
    await server.command('SET', `watch-${count}:e:a`, '8::no JSON');
    await sleep(200);
    expect(settled).toBe(false);
    await server.command('SET', `watch-${count}:version`, '8');
    await expect(next).rejects.toThrow(SyntaxError);
  });
});

describe('redis: the connection to hear by', () => {
  test('is one for all who watch, and none when nobody does', async () => {
    const store = lab.store(url, { pollInterval: 20 });
    const before = await connections('pubsub');
    const all = [...'abcdefgh'].map((key) => lab.watch(key, store));
    for (const { state } of all) await state();
    await sleep(100);
    expect(await connections('pubsub')).toBe(before + 1);
    for (const { leave } of all) await leave();
    expect(
      await until(
        () => connections('pubsub'),
        (found) => found === before,
      ),
    ).toBe(before);
    await sleep(100);
    expect(await connections('pubsub')).toBe(before);
  });

  test('that is cut is replaced, and what happened meanwhile is seen', async () => {
    const { state } = lab.watch('a', lab.store(url, { pollInterval: NEVER }));
    await state();
    for (let round = 0; round < 5; round += 1) {
      const next = state();
      const version = (await writer.get('a'))?.version ?? ABSENT;
      const [entry] = await Promise.all([
        writer.compareAndSwap('a', version, round),
        server.command('CLIENT', 'KILL', 'TYPE', 'pubsub'),
      ]);
      expect(await next).toEqual(entry);
    }
  });

  test('that is cut while nobody asks for the next state is replaced when somebody does', async () => {
    const { state } = lab.watch('a', lab.store(url, { pollInterval: NEVER }));
    await state();
    await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await sleep(50);
    const entry = await writer.compareAndSwap('a', ABSENT, 1);
    expect(await state()).toEqual(entry);
    const next = state();
    await writer.delete('a');
    expect(await next).toBeUndefined();
  });

  test('is closed with the store, also while it is being opened', async () => {
    const before = await connections('pubsub');
    const store = lab.store(url);
    const first = lab
      .watch('a', store)
      .state()
      .catch(() => undefined);
    await store.close();
    await first;
    await sleep(100);
    expect(await connections('pubsub')).toBe(before);
  });
});

describe('redis: a server that is lost while it is watched', () => {
  test('ends who waits with store_unavailable, for nobody goes on with an old state', async () => {
    const own = await lab.server();
    const store = lab.store(own.url, { pollInterval: NEVER });
    const entry = await store.compareAndSwap('a', ABSENT, 1);
    const { state } = lab.watch('a', store);
    expect(await state()).toEqual(entry);
    const next = state();
    await own.kill();
    await expect(next).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(state()).rejects.toThrow('the watcher is over');
    await own.start();
    await sleep(200);
    expect(await lab.watch('a', store).state()).toBeUndefined();
  });

  test('without a word is noticed by the poll', async () => {
    const own = await lab.server();
    const store = lab.store(own.url, { pollInterval: 50, timeout: 500 });
    await store.compareAndSwap('a', ABSENT, 1);
    const { state } = lab.watch('a', store);
    await state();
    const next = state();
    own.freeze();
    await expect(next).rejects.toMatchObject({ code: 'store_unavailable' });
    own.goOn();
  });
});
