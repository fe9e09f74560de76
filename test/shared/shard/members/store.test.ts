/** Members in a store, as those see it who follow it: the same for every store. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { publishMembers, readMembers } from '../../../../shared/shard/members/publish';
import { memoryStore } from '../../../../shared/store/memory';
import { redisStore } from '../../../../shared/store/redis';
import { sqliteStore } from '../../../../shared/store/sqlite';
import { ABSENT, type Store } from '../../../../shared/store/store';
import { type RedisServer, startRedis } from '../../../support/redis';
import { sleep, until } from '../../../support/redis-lab';
import { addressesOf, membersOf, NATIVE, never, tableLab } from './lab';

const KEY = 'shard-router/members';
const topology = NATIVE;

let server: RedisServer;
let folder: string;
let prefixes = 0;
beforeAll(async () => {
  server = await startRedis();
  folder = mkdtempSync(path.join(tmpdir(), 'members-'));
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Each gives stores over the same entries, as two processes have them. */
const KINDS: Readonly<Record<string, () => () => Store>> = {
  memory: () => {
    const one = memoryStore();
    return () => one;
  },
  sqlite: () => {
    const file = path.join(folder, `${prefixes++}.db`);
    return () => sqliteStore({ path: file });
  },
  redis: () => {
    const url = `${server.url}?prefix=p${prefixes++}`;
    return () => redisStore({ url });
  },
};

describe.each(Object.entries(KINDS))('members in a %s store', (_, kind) => {
  const lab = tableLab();
  const opened: Store[] = [];
  let open: () => Store;
  let store: Store;
  beforeEach(() => {
    const another = kind();
    open = () => {
      const one = another();
      opened.push(one);
      return one;
    };
    store = open();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
  });
  const tableOf = (of = store) => lab({ members: { from: 'store' }, store: of });
  const publish = (count: number, expected?: number) =>
    publishMembers(store, KEY, membersOf(count), {
      topology,
      ...(expected !== undefined && { expected }),
    });
  const epochOf = async (count: number) => ((await publish(count)) as { epoch: number }).epoch;

  test('are the table, with the version of the entry as epoch', async () => {
    const epoch = await epochOf(2);
    const ready = await tableOf().table.ready(never);
    expect(ready.epoch).toBe(epoch);
    expect(ready.shards).toHaveLength(2);
  });

  test('are seen within a second by all who follow, who then have one digest and one epoch', async () => {
    const tables = [tableOf(), tableOf(open()), tableOf(open())];
    await epochOf(1);
    for (const one of tables) void one.follow();
    await Promise.all(tables.map(({ table }) => table.ready(never)));
    for (const count of [2, 5, 3]) {
      const epoch = await epochOf(count);
      const before = performance.now();
      const found = await until(
        async () => tables.map(({ table }) => table.current()?.epoch),
        (epochs) => epochs.every((one) => one === epoch),
      );
      expect(performance.now() - before).toBeLessThan(1_000);
      expect(found).toEqual([epoch, epoch, epoch]);
      expect(new Set(tables.map(({ table }) => table.current()?.digest)).size).toBe(1);
    }
    expect(tables.flatMap(({ logged }) => logged('warn'))).toEqual([]);
  });

  test('that nobody follows are asked for on demand', async () => {
    await epochOf(1);
    const { table } = tableOf();
    await table.ready(never);
    const epoch = await epochOf(2);
    expect(table.current()?.shards).toHaveLength(1);
    expect((await table.refresh(never)).epoch).toBe(epoch);
    expect(table.current()?.epoch).toBe(epoch);
  });

  test('written past the rules, or deleted, leave the last good table', async () => {
    await epochOf(2);
    const { table, logged, lines, follow } = tableOf();
    void follow();
    const first = await table.ready(never);
    let version = first.epoch;
    for (const bad of [null, {}, { shards: [] }, { ...membersOf(2), epoch: 9 }, 'a:80', [1]]) {
      const entry = await store.compareAndSwap(KEY, version, bad);
      version = entry?.version as number;
      expect(await table.refresh(never)).toBe(first);
      expect(await table.refresh(never)).toBe(first);
    }
    await store.delete(KEY);
    expect(await table.refresh(never)).toBe(first);
    await sleep(100);
    expect(table.current()).toBe(first);
    expect(new Set(logged('warn'))).toEqual(new Set(['shard_members_unusable']));
    // Three of them are no object: that is one mistake.
    expect(logged('warn')).toHaveLength(5);
    expect(lines.at(-1)?.fields.mistakes).toEqual(['/ is not there']);
    await epochOf(3);
    expect((await table.refresh(never)).shards).toHaveLength(3);
  });

  test('appear to who waits for the first', async () => {
    const { table, follow } = tableOf();
    void follow();
    const waiting = table.ready(never);
    await sleep(50);
    const epoch = await epochOf(2);
    expect((await waiting).epoch).toBe(epoch);
  });

  test('are published over what is there, or over what was expected, or not at all', async () => {
    expect(await readMembers(store, KEY)).toBeUndefined();
    const epoch = await epochOf(1);
    expect(await readMembers(store, KEY)).toEqual({ epoch, members: membersOf(1) });
    expect(await publish(2, ABSENT)).toEqual({ lostTo: epoch });
    const [one, other] = await Promise.all([publish(2, epoch), publish(3, epoch)]);
    const won = ('epoch' in one ? one : other) as { epoch: number };
    expect([one, other]).toContainEqual({ lostTo: won.epoch });
    expect((await readMembers(store, KEY))?.epoch).toBe(won.epoch);
    await store.delete(KEY);
    expect(await publish(4, won.epoch)).toEqual({ lostTo: 0 });
    expect(await publish(4, ABSENT)).toHaveProperty('epoch');
  });

  test('with mistakes are not published, and all are told', async () => {
    const epoch = await epochOf(1);
    const members = { shards: [{ address: 'a' }, { address: 'a' }], pins: { k: 'z' } };
    expect(await publishMembers(store, KEY, members, { topology })).toEqual({
      mistakes: [
        { pointer: '/shards/1/name', message: 'is that of /shards/0: names must differ' },
        { pointer: '/pins/k', message: 'must be the name of a shard' },
      ],
    });
    const pinned = { ...topology, pins: { k: 'b:80' } };
    expect(await publishMembers(store, KEY, membersOf(1), { topology: pinned })).toEqual({
      mistakes: [{ pointer: '/pins/k', message: 'must be the name of a shard' }],
    });
    const large = Array.from({ length: 60_000 }, (_, n) => ({ address: `shard-${n}.test:8080` }));
    expect(await publishMembers(store, KEY, { shards: large }, { topology })).toMatchObject({
      mistakes: [{ pointer: '', message: expect.stringContaining('bytes') }],
    });
    expect((await readMembers(store, KEY))?.epoch).toBe(epoch);
  });

  test('leave nothing behind in the store when nobody follows any more', async () => {
    await epochOf(1);
    const { table, follow, leave } = tableOf();
    const end = new AbortController();
    const own = table.follow(end.signal);
    const other = follow();
    await table.ready(never);
    end.abort();
    await own;
    await epochOf(2);
    await until(
      async () => addressesOf(table),
      (found) => found === 'a:80 b:80',
    );
    expect(addressesOf(table)).toBe('a:80 b:80');
    await leave();
    await other;
    await epochOf(3);
    await sleep(200);
    expect(addressesOf(table)).toBe('a:80 b:80');
  });
});
