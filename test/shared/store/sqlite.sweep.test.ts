/** What expired leaves the file, though nobody writes, without a pause, and without a trace. */
import { statfsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openDatabase } from '../../../shared/sqlite';
import { sqliteStore } from '../../../shared/store/sqlite';
import {
  APPLICATION_ID,
  hasExpired,
  MIGRATIONS,
  sweepMore,
} from '../../../shared/store/sqlite-entries';
import { ABSENT, type Store } from '../../../shared/store/store';
import { longestTurnDuring } from '../../support/longest-turn';
import { type ManualClock, manualClock } from '../../support/manual-clock';
import { timersSetDuring } from '../../support/timers';

/** Memory where there is enough: the pauses of a busy disk are not ours. */
const disk = (): string => {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    return bavail * bsize > 2 ** 29 ? '/dev/shm' : tmpdir();
  } catch {
    return tmpdir();
  }
};
const root = mkdtemp(join(disk(), 'store-'));
afterAll(async () => rm(await root, { recursive: true, force: true }));

let path: string;
let files = 0;
let clock: ManualClock;
const stores: Store[] = [];

beforeEach(async () => {
  files += 1;
  path = join(await root, `${files}.db`);
  clock = manualClock();
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

const open = (sweepInterval = 10): Store => {
  const store = sqliteStore({ path, clock, sweepInterval });
  stores.push(store);
  return store;
};
const direct = () => openDatabase({ path, applicationId: APPLICATION_ID, migrations: MIGRATIONS });
/** What is in the file, expired or not. */
const countRows = async (): Promise<number> => {
  const database = await direct();
  const row = await database.read((db) =>
    db.get<{ n: number }>('SELECT count(*) AS n FROM entries'),
  );
  await database.close();
  return row?.n as number;
};
/** How often the text is in the bytes of the file and its WAL. */
const traces = async (text: string): Promise<number> => {
  const all = await Promise.all(
    [path, `${path}-wal`].map((file) => readFile(file, 'latin1').catch(() => '')),
  );
  return all.join('').split(text).length - 1;
};
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (is: () => Promise<boolean>): Promise<void> => {
  while (!(await is())) await sleep(50);
};

describe('sqlite: a quiet store', () => {
  test('forgets what expired, and nothing else', async () => {
    const store = open();
    for (let index = 0; index < 20; index += 1)
      await store.compareAndSwap(`k${index}`, ABSENT, 0, index % 2 ? { ttl: 10 } : {});
    await store.compareAndSwap('later', ABSENT, 0, { ttl: 11 });
    await clock.advance(10);
    await until(async () => (await countRows()) === 11);
    await sleep(100);
    expect(await countRows()).toBe(11);
    await clock.advance(1);
    await until(async () => (await countRows()) === 10);
  });

  test('forgets what a process wrote that has ended since', async () => {
    const quiet = open();
    await quiet.get('a');
    const other = sqliteStore({ path, clock });
    await other.compareAndSwap('a', ABSENT, 0, { ttl: 10 });
    await other.close();
    await clock.advance(10);
    await until(async () => (await countRows()) === 0);
  });

  test('forgets after a restart, from its first call on', async () => {
    const before = open(1e6);
    await before.compareAndSwap('a', ABSENT, 0, { ttl: 10 });
    await before.close();
    await clock.advance(10);
    await open().get('b');
    await until(async () => (await countRows()) === 0);
  });

  test('sets no timer any more when it is closed, also while it opens', async () => {
    const used = open();
    await used.get('a');
    await used.close();
    const opening = open();
    const first = opening.get('a');
    await opening.close();
    await first;
    expect(await timersSetDuring(() => sleep(100))).toBeLessThanOrEqual(2);
  });
});

describe('sqlite: traces', () => {
  const large = (text: string, times: number) => text.repeat(times);

  test('of what expired, was deleted or overwritten are in no file after a while', async () => {
    const store = open();
    const versions = new Map<string, number>();
    const put = async (key: string, value: string, ttl?: number) => {
      const options = ttl === undefined ? {} : { ttl };
      const entry = await store.compareAndSwap(key, versions.get(key) ?? ABSENT, value, options);
      versions.set(key, entry?.version as number);
    };
    for (let index = 0; index < 300; index += 1) {
      // Of a few bytes, of several to a page, and of several pages.
      const size = [1, 20, 700][index % 3] as number;
      await put(`expired${index}`, large('personal ', size), 10);
      await put(`changed${index}`, large('personal ', size));
      await put(`deleted${index}`, large('personal ', size));
      await put(`kept${index}`, large('living ', size));
    }
    expect(await traces('personal')).toBeGreaterThan(1_000);
    for (let index = 0; index < 300; index += 1) {
      await put(`changed${index}`, large('other ', [700, 1, 20][index % 3] as number));
      await store.delete(`deleted${index}`);
    }
    await clock.advance(10);
    await until(async () => (await traces('personal')) === 0);
    expect(await traces('living')).toBeGreaterThan(300);
    expect((await store.list('kept', { limit: 1000 })).entries).toHaveLength(300);
  });

  test('are gone after a while also when somebody was reading at first', async () => {
    const store = open();
    await store.compareAndSwap('a', ABSENT, 'personal');
    const reader = new (await import('libsql')).default(path);
    reader.exec('BEGIN; SELECT * FROM entries');
    await store.delete('a');
    await sleep(100);
    expect(await traces('personal')).toBeGreaterThan(0);
    reader.exec('ROLLBACK');
    await until(async () => (await traces('personal')) === 0);
    reader.close();
  });
});

test('sqlite: a step of the sweep is bounded by what it drops, and by the time it takes', async () => {
  const database = await direct();
  const insert = (many: number, size: number) =>
    database.write((db) => {
      for (let index = 0; index < many; index += 1)
        db.run('INSERT INTO entries VALUES (randomblob(16), 1, ?, 1)', 'x'.repeat(size));
    });
  const dropped = async () => {
    const count = () => database.read((db) => db.all('SELECT rowid FROM entries').length);
    const before = await count();
    await database.write((db) => sweepMore(db, 1));
    return before - (await count());
  };
  await insert(2_000, 10);
  const small = await dropped();
  expect(small).toBeGreaterThan(0);
  expect(small).toBeLessThanOrEqual(500);
  await database.write((db) => db.run('DELETE FROM entries'));
  await insert(50, 1_000_000);
  const large = await dropped();
  expect(large).toBeGreaterThan(0);
  expect(large).toBeLessThan(50);
  await database.close();
});

test('sqlite: 200,000 entries that expired go without a pause, and others are written meanwhile', async () => {
  const many = 200_000;
  const database = await direct();
  await database.write((db) =>
    db.run(
      `INSERT INTO entries
       WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
       SELECT randomblob(16), n, '{"name":"personal"}', ? FROM n`,
      many,
      clock.now(),
    ),
  );
  const store = open();
  await store.get('a');
  let written = 0;
  const longest = await longestTurnDuring(() =>
    until(async () => {
      written += 1;
      await store.compareAndSwap(`k${written}`, ABSENT, 0);
      return !(await database.read((db) => hasExpired(db, clock.now())));
    }),
  );
  // Ten times what it should be.
  expect(longest).toBeLessThan(200);
  expect(written).toBeGreaterThan(10);
  await database.close();
  expect(await countRows()).toBe(written);
  await until(async () => (await traces('personal')) === 0);
});
