import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { checkStoreUrl, openStore } from '../../../shared/store/open';
import { ABSENT } from '../../../shared/store/store';
import { manualClock } from '../../support/manual-clock';
import { startRedis } from '../../support/redis';

const root = mkdtemp(join(tmpdir(), 'store-'));
afterAll(async () => rm(await root, { recursive: true, force: true }));

describe('the URL of a store', () => {
  test('memory: opens a store of this process, with the given clock', async () => {
    const clock = manualClock();
    const store = openStore('memory:', { clock });
    expect(store.capabilities.sharedBy).toBe('process');
    await store.compareAndSwap('a', ABSENT, 1, { ttl: 10 });
    await clock.advance(10);
    expect(await store.get('a')).toBeUndefined();
    await store.close();
  });

  test('sqlite: opens a file, with the given clock; a relative one begins at the folder', async () => {
    const clock = manualClock();
    const folder = await root;
    const store = openStore('sqlite:./data/faas.db', { clock, folder });
    expect(store.capabilities.sharedBy).toBe('machine');
    expect(await readdir(folder)).toEqual([]);
    await store.compareAndSwap('a', ABSENT, 1, { ttl: 10 });
    await store.compareAndSwap('b', ABSENT, 1);
    await clock.advance(10);
    expect(await store.get('a')).toBeUndefined();
    await store.close();
    expect((await stat(join(folder, 'data/faas.db'))).isFile()).toBe(true);
    const again = openStore(`sqlite:${join(folder, 'data/faas.db')}`, { folder: '/elsewhere' });
    expect(await again.get('b')).toMatchObject({ value: 1 });
    await again.close();
  });

  test('redis: opens a store in a server, with the time of that server', async () => {
    const server = await startRedis();
    const store = openStore(`${server.url}/3?prefix=mine`, { clock: manualClock(0) });
    expect(store.capabilities.sharedBy).toBe('network');
    const entry = await store.compareAndSwap('a', ABSENT, 1, { ttl: 60_000 });
    expect(entry?.expiresAt).toBeGreaterThan(Date.UTC(2025, 0));
    expect(await server.command('INFO', 'keyspace')).toMatch(/db3:keys=4/);
    await store.close();
    await server.stop();
  });

  test.each([
    ['memory:'],
    ['sqlite:faas.db'],
    ['sqlite:./.data/faas.db'],
    ['sqlite:../a b/ä.db'],
    ['sqlite:/var/lib/faas.db'],
    ['sqlite:///var/lib/faas.db'],
    ['redis://redis'],
    ['REDIS://redis:6380/15'],
    ['redis://:geheim@10.0.0.7:6379/'],
    ['rediss://ada:ge%2Fheim@[::1]:6379/0?prefix=my-app_1.x'],
  ])('%s can be opened', (url) => {
    expect(checkStoreUrl(url)).toBeUndefined();
  });

  const file = /^must name a file after sqlite:, such as /;
  const unknown = 'is not the URL of a store; use memory:, sqlite:PATH or redis://HOST';
  const planned = (name: string) =>
    `names ${name}, for which there is no adapter yet; use memory:, sqlite:PATH or redis://HOST`;
  const redis = 'must be like redis://USER:PASSWORD@HOST:PORT/DATABASE?prefix=NAME';
  test.each([
    ['sqlite:', file],
    ['sqlite:./data/', file],
    ['sqlite::memory:', file],
    ['sqlite:a\0b', file],
    ['sqlite://host/faas.db', file],
    ['sqlite:faas.db?mode=ro', file],
    ['redis://', redis],
    ['redis://user:geheim@', redis],
    ['redis://geheim@redis', redis],
    ['redis://user:%geheim@redis', redis],
    ['redis://user:geheim@redis:0', redis],
    ['redis://user:geheim@redis:99999', redis],
    ['redis://user:geheim@redis/one', redis],
    ['redis://user:geheim@redis/1/2', redis],
    ['redis://user:geheim@redis?prefix=', redis],
    ['redis://user:geheim@redis?prefix=a:b', redis],
    ['redis://user:geheim@redis?prefix=a&prefix=b', redis],
    ['rediss://user:geheim@redis?tls=false', redis],
    ['redis://user:geheim@redis#1', redis],
    ['redis:user:geheim@redis', unknown],
    ['etcd://user:geheim@etcd:2379', planned('etcd')],
    ['memory', unknown],
    ['memory:x', unknown],
    ['postgres://user:geheim@db', unknown],
    ['./faas.db', unknown],
    ['', unknown],
  ])('%j is refused, with what exists and without a secret', (url, complaint) => {
    const expected = typeof complaint === 'string' ? complaint : expect.stringMatching(complaint);
    expect(checkStoreUrl(url)).toEqual(expected);
    expect(checkStoreUrl(url)).not.toContain('geheim');
    expect(() => openStore(url)).toThrow(TypeError);
    expect(() => openStore(url)).toThrow(`url ${checkStoreUrl(url)}`);
  });
});
