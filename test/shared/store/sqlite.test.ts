import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openDatabase } from '../../../shared/sqlite';
import { sqliteStore } from '../../../shared/store/sqlite';
import { ABSENT, type Store } from '../../../shared/store/store';
import { storeContract } from '../../contracts/store';
import { manualClock } from '../../support/manual-clock';

const root = mkdtemp(join(tmpdir(), 'store-'));
afterAll(async () => rm(await root, { recursive: true, force: true }));
let files = 0;
const newFile = async (): Promise<string> => {
  files += 1;
  return join(await root, `${files}.db`);
};

// Without the poll: what is written here is not waited for.
storeContract('sqlite', async (clock) =>
  sqliteStore({ path: await newFile(), clock, pollInterval: 1e9 }),
);

/** What is in the file, expired or not. */
const countRows = async (path: string): Promise<number> => {
  const database = await openDatabase({ path, applicationId: 0x66707374, migrations: [''] });
  const row = await database.read((db) =>
    db.get<{ n: number }>('SELECT count(*) AS n FROM entries'),
  );
  await database.close();
  return row?.n as number;
};

describe('sqlite: the file', () => {
  let path: string;
  let store: Store;
  beforeEach(async () => {
    path = await newFile();
    store = sqliteStore({ path });
  });
  afterEach(() => store.close());

  test('it promises what a file can hold', () => {
    expect(store.capabilities).toMatchObject({
      survivesCrash: true,
      sharedBy: 'machine',
      monotoneVersions: true,
    });
  });

  test('entries and versions outlive the store, also when the highest version was deleted', async () => {
    const kept = await store.compareAndSwap('kept', ABSENT, 'x', { ttl: 1e6 });
    const deleted = await store.compareAndSwap('deleted', ABSENT, 'x');
    await store.delete('deleted');
    await store.close();
    store = sqliteStore({ path });
    expect(await store.get('kept')).toEqual(kept);
    const next = await store.compareAndSwap('deleted', ABSENT, 'y');
    expect(next?.version).toBeGreaterThan(deleted?.version as number);
  });

  test('two stores on one file see the same entries', async () => {
    const other = sqliteStore({ path });
    const first = await store.compareAndSwap('a', ABSENT, 1);
    expect(await other.get('a')).toEqual(first);
    const second = await other.compareAndSwap('a', first?.version as number, 2);
    expect(await store.get('a')).toEqual(second);
    expect(await store.compareAndSwap('a', first?.version as number, 3)).toBeUndefined();
    await other.close();
  });

  test('200 writes at once make a file no larger than a few commits do', async () => {
    await store.compareAndSwap('k', ABSENT, 0);
    const before = (await stat(`${path}-wal`)).size;
    await Promise.all(
      Array.from({ length: 200 }, (_, index) => store.compareAndSwap(`k${index}`, ABSENT, index)),
    );
    // A commit appends every page it changed, three at least here: 200 commits are 600 pages of 4 KiB.
    const pages = ((await stat(`${path}-wal`)).size - before) / 4096;
    expect(pages).toBeLessThan(60);
    expect((await store.list('k', { limit: 1000 })).entries).toHaveLength(201);
  });

  test('it is opened at the first call, with its folder, for this user only', async () => {
    const deep = join(await root, 'a/b/c.db');
    const lazy = sqliteStore({ path: deep });
    await expect(stat(join(await root, 'a'))).rejects.toMatchObject({ code: 'ENOENT' });
    await lazy.compareAndSwap('a', ABSENT, 1);
    for (const [name, mode] of [
      ['a', 0o700],
      ['a/b', 0o700],
      ['a/b/c.db', 0o600],
      ['a/b/c.db-wal', 0o600],
    ] as const)
      expect((await stat(join(await root, name))).mode & 0o777).toBe(mode);
    await lazy.close();
  });

  test('closed before its first call it opens nothing any more', async () => {
    await store.close();
    await expect(store.get('a')).rejects.toMatchObject({
      code: 'store_unavailable',
      message: 'The store is closed.',
    });
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('expired entries leave the file as others are written, a few at a time', async () => {
    const clock = manualClock();
    const own = sqliteStore({ path, clock });
    for (let index = 0; index < 100; index += 1)
      await own.compareAndSwap(`k${index}`, ABSENT, 0, { ttl: 10 });
    await clock.advance(10);
    await own.compareAndSwap('a', ABSENT, 0);
    expect(await countRows(path)).toBe(99);
    for (let index = 0; index < 49; index += 1) await own.compareAndSwap(`l${index}`, ABSENT, 0);
    expect(await countRows(path)).toBe(50);
    await own.close();
  });

  test.each([
    [
      'no database',
      'The database file is not a database.',
      (file: string) => writeFile(file, 'text '.repeat(2_000)),
    ],
    [
      'the database of something else',
      'The database file belongs to something else.',
      async (file: string) =>
        (
          await openDatabase({ path: file, applicationId: 7, migrations: ['CREATE TABLE t (a)'] })
        ).close(),
    ],
    [
      'from a newer version',
      'The database file has schema version 3; the last one known here is 1.',
      async (file: string) =>
        (
          await openDatabase({ path: file, applicationId: 0x66707374, migrations: ['', '', ''] })
        ).close(),
    ],
  ])('a file that is %s is refused and says so, without its path', async (_, message, make) => {
    await make(path);
    const refusal = { name: 'Failure', code: 'store_unavailable', message };
    await expect(store.get('a')).rejects.toMatchObject(refusal);
    await expect(store.compareAndSwap('a', ABSENT, 1)).rejects.toMatchObject(refusal);
  });

  test('a file that could not be opened is tried again at the next call', async () => {
    await writeFile(path, 'text '.repeat(2_000));
    await expect(store.get('a')).rejects.toMatchObject({ code: 'store_unavailable' });
    await rm(path);
    expect(await store.compareAndSwap('a', ABSENT, 1)).toBeDefined();
  });

  test('a folder in the place of the file is store_unavailable, with the path in the cause only', async () => {
    const own = sqliteStore({ path: await root });
    const error = await own.get('a').catch((thrown: Error) => thrown);
    expect(error).toMatchObject({
      code: 'store_unavailable',
      message: 'The store cannot be used now.',
    });
    expect(String((error as Error).cause)).toContain(await root);
    await own.close();
    await chmod(await root, 0o700);
  });
});
