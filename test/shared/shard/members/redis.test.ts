/** Members in a Redis server that is killed, frozen, or comes back with less than it had. */
import { describe, expect, test } from '@jest/globals';
import { publishMembers } from '../../../../shared/shard/members/publish';
import type { Store } from '../../../../shared/store/store';
import { redisLab, sleep, until } from '../../../support/redis-lab';
import { addressesOf, membersOf, NATIVE, never, tableLab } from './lab';

const KEY = 'shard-router/members';
const DURABLE = { args: ['--appendonly', 'yes', '--appendfsync', 'always'] };

const redis = redisLab();
const lab = tableLab();
const tableOf = (store: Store) => lab({ members: { from: 'store' }, store, timeout: 1_000 });
const publish = async (store: Store, count: number) => {
  const published = await publishMembers(store, KEY, membersOf(count), { topology: NATIVE });
  return (published as { readonly epoch: number }).epoch;
};
const followed = async (store: Store) => {
  const of = tableOf(store);
  void of.follow();
  await of.table.ready(never);
  return of;
};
const epochSeen = (of: ReturnType<typeof tableOf>, epoch: number) =>
  until(
    async () => of.table.current()?.epoch,
    (found) => found === epoch,
  );

describe('a Redis server that is killed', () => {
  test('leaves the last good table, and what is published once it is back is seen', async () => {
    const server = await redis.server(DURABLE);
    const store = redis.store(server.url, { timeout: 300 });
    const writer = redis.store(server.url);
    const epoch = await publish(writer, 2);
    const of = await followed(store);
    for (const round of [1, 2]) {
      const before = of.table.current();
      await server.kill();
      expect(await of.table.refresh(never)).toBe(before);
      await sleep(500);
      expect(of.table.current()).toBe(before);
      expect(of.logged('warn').filter((one) => one !== 'shard_members_unreachable')).toEqual([]);
      await server.start();
      const next = await publish(writer, 2 + round);
      expect(next).toBeGreaterThan(epoch);
      expect(await epochSeen(of, next)).toBe(next);
    }
  });

  test('tells by asOf how old the table may be', async () => {
    const server = await redis.server(DURABLE);
    const store = redis.store(server.url, { timeout: 300 });
    await publish(store, 2);
    const started = Date.now();
    const of = await followed(store);
    const known = of.table.asOf();
    expect(known).toBeGreaterThanOrEqual(started);
    await server.kill();
    await sleep(50);
    const lost = Date.now();
    await of.table.refresh(never);
    expect(of.table.asOf()).toBeLessThanOrEqual(lost);
    await server.start();
    const asked = async () => {
      await of.table.refresh(never);
      return of.table.asOf();
    };
    expect(await until(asked, (at) => at >= lost)).toBeGreaterThanOrEqual(lost);
  });

  test('before the first table makes no table, within the bound, and one once it is there', async () => {
    const server = await redis.server();
    await server.kill();
    const of = tableOf(redis.store(server.url, { timeout: 300 }));
    void of.follow();
    const before = performance.now();
    await expect(of.table.ready(never)).rejects.toMatchObject({ code: 'table_unavailable' });
    expect(performance.now() - before).toBeLessThan(10_000);
    await server.start();
    const epoch = await publish(redis.store(server.url), 3);
    expect(await epochSeen(of, epoch)).toBe(epoch);
  });
});

test('a Redis server that is frozen keeps nobody waiting beyond the bound', async () => {
  const server = await redis.server();
  const store = redis.store(server.url, { timeout: 300 });
  const epoch = await publish(store, 2);
  const of = await followed(store);
  server.freeze();
  try {
    const before = performance.now();
    expect((await of.table.refresh(never)).epoch).toBe(epoch);
    expect(performance.now() - before).toBeLessThan(10_000);
    expect(of.table.current()?.epoch).toBe(epoch);
  } finally {
    server.goOn();
  }
  const next = await publish(redis.store(server.url), 3);
  expect(await epochSeen(of, next)).toBe(next);
});

test('a Redis server that has lost the latest write does not bring back the table before it at once; what is published next agrees all', async () => {
  const server = await redis.server();
  const store = redis.store(server.url);
  const old = await publish(store, 2);
  const held = `faas:e:${KEY}`;
  const oldEntry = JSON.stringify(membersOf(2));
  const newer = await publish(store, 3);
  const of = await followed(store);
  expect(of.table.current()?.epoch).toBe(newer);
  // As a replica that was behind has it, when it takes over.
  await server.command('SET', held, `${old}::${oldEntry}`);
  await server.command('SET', 'faas:version', `${old}`);
  expect((await of.table.refresh(never)).epoch).toBe(newer);
  expect((await of.table.refresh(never)).epoch).toBe(newer);
  expect(
    of.lines.filter(({ severity }) => severity === 'warn').map(({ fields }) => fields.mistakes),
  ).toEqual([[`/ is older (${old}) than what is in use (${newer})`]]);
  // Whoever comes now knows nothing of the newer one.
  const late = await followed(redis.store(server.url));
  expect(late.table.current()?.epoch).toBe(old);
  const next = await publish(store, 4);
  expect([await epochSeen(of, next), await epochSeen(late, next)]).toEqual([next, next]);
  expect(addressesOf(of.table)).toBe(addressesOf(late.table));
});
