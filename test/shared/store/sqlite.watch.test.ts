/** Watching a store file that other processes write, and that can fail. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import Libsql from 'libsql';
import { sqliteStore } from '../../../shared/store/sqlite';
import { ABSENT, type Entry, type Store } from '../../../shared/store/store';
import { type Child, startChild } from '../../support/child';
import { timersSetDuring } from '../../support/timers';

const SCRIPT = 'test/support/store-child.ts';
/** Ten times what it should take. */
const BOUND = 10 * 200;

const root = mkdtemp(join(tmpdir(), 'store-'));
afterAll(async () => rm(await root, { recursive: true, force: true }));

let path: string;
let store: Store;
let files = 0;
const children: Child[] = [];
const abort = new AbortController();

beforeEach(async () => {
  files += 1;
  path = join(await root, `${files}.db`);
  store = sqliteStore({ path });
});
afterEach(async () => {
  await store.close();
  for (const child of children.splice(0)) {
    child.kill();
    await child.ended;
  }
});

const start = async (mode: string, ...args: unknown[]): Promise<Child> => {
  const child = await startChild(SCRIPT, [mode, path, ...args.map(String)]);
  children.push(child);
  return child;
};
const watch = <T>(key: string, of = store) => {
  const states = of.watch<T>(key, abort.signal)[Symbol.asyncIterator]();
  return {
    states,
    state: async (): Promise<Entry<T> | undefined> => (await states.next()).value,
  };
};
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** At once, as somebody who has nothing to do with the store. */
const execute = (sql: string): void => {
  const other = new Libsql(path);
  other.exec(sql);
  other.close();
};

describe('sqlite: watching what other processes write', () => {
  test('each change is seen within the bound, also a delete', async () => {
    const watcher = await start('watch on', 'a');
    expect(await watcher.line()).toBe('null');
    for (let round = 0; round < 3; round += 1) {
      const before = performance.now();
      const entry = await store.compareAndSwap('a', ABSENT, round);
      expect(JSON.parse(await watcher.line())).toEqual(entry);
      await store.delete('a');
      expect(await watcher.line()).toBe('null');
      expect(performance.now() - before).toBeLessThan(2 * BOUND);
    }
  });

  test('of a counter that 4 processes increment the end is seen, and it never goes back', async () => {
    const { states } = watch<number>('counter');
    const all = await Promise.all([1, 2, 3, 4].map(() => start('count', 50)));
    const seen: number[] = [];
    for (let last = 0; last < 200; ) {
      last = (await states.next()).value?.value ?? 0;
      seen.push(last);
    }
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
    for (const child of all) expect(await child.ended).toMatchObject({ code: 0 });
  });

  test('a change that came just before the first look at the file is not missed', async () => {
    // The poll is slow, so that the change falls between the first state and the first poll.
    const slow = sqliteStore({ path, pollInterval: 300 });
    const { state } = watch('a', slow);
    expect(await state()).toBeUndefined();
    const entry = await store.compareAndSwap('a', ABSENT, 1);
    expect(await state()).toEqual(entry);
    await slow.close();
  });

  test('a change between two watchers, while nobody looked, is seen by the second', async () => {
    const other = sqliteStore({ path, pollInterval: 20 });
    const first = watch('a', other);
    await first.state();
    await sleep(100);
    await first.states.return?.();
    const entry = await store.compareAndSwap('a', ABSENT, 1);
    const second = watch('a', other);
    expect(await second.state()).toEqual(entry);
    await store.delete('a');
    expect(await second.state()).toBeUndefined();
    await other.close();
  });

  test('a process that does nothing but watch ends', async () => {
    await store.compareAndSwap('a', ABSENT, 1, { ttl: 3_600_000 });
    const child = await start('watch', 'a');
    const { code, stdout, stderr } = await child.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ key: 'a', value: 1 });
  });
});

describe('sqlite: the polling', () => {
  test('is one for all who watch, and none when nobody does', async () => {
    const own = sqliteStore({ path, pollInterval: 10, sweepInterval: 1e6 });
    await own.get('a');
    // One timer is that of the sleep.
    const idle = () => timersSetDuring(() => sleep(300));
    // What the tests before have left behind has a moment to end.
    for (let tries = 10; tries > 0 && (await idle()) > 2; tries -= 1) await sleep(100);
    expect(await idle()).toBeLessThanOrEqual(2);
    const all = [...'abcdefgh'].map((key) => watch(key, own));
    for (const { state } of all) await state();
    const pending = all.map(({ states }) => states.next());
    const polls = await idle();
    expect(polls).toBeGreaterThan(3);
    expect(polls).toBeLessThanOrEqual(32);
    for (const { states } of all) await states.return?.();
    await Promise.all(pending);
    expect(await idle()).toBeLessThanOrEqual(2);
    await own.close();
  });

  test('reads no entry as long as nobody writes', async () => {
    await store.compareAndSwap('a', ABSENT, 1);
    const own = sqliteStore({ path, pollInterval: 10 });
    const { states, state } = watch('a', own);
    await state();
    const next = states.next();
    await sleep(100);
    // Whoever reads it would not be able to.
    execute("UPDATE entries SET value = 'no JSON'");
    await expect(next).rejects.toThrow(SyntaxError);
    await own.close();
  });

  test.each([[0], [-1], [0.5], [Number.NaN], [Number.POSITIVE_INFINITY]])(
    'an interval of %d is refused',
    (interval) => {
      for (const name of ['pollInterval', 'sweepInterval'])
        expect(() => sqliteStore({ path, [name]: interval })).toThrow(
          new TypeError(`${name} must be a whole number of milliseconds above 0`),
        );
    },
  );
});

describe('sqlite: a file that fails while it is watched', () => {
  const refusal = { code: 'store_unavailable' };

  test('from the start rejects with store_unavailable', async () => {
    await writeFile(path, 'text '.repeat(2_000));
    await expect(watch('a').state()).rejects.toMatchObject(refusal);
  });

  test.each([
    ['the entries', "SELECT rootpage FROM sqlite_schema WHERE name = 'entries'", 10],
    // So that not even the first poll can tell what has changed.
    ['all of it, before the first poll', 'SELECT 1', 500],
  ])(
    'ends the watcher with store_unavailable, for nobody goes on with an old state: %s',
    async (_, page, pollInterval) => {
      const own = sqliteStore({ path, pollInterval });
      const entry = await own.compareAndSwap('a', ABSENT, 1);
      const { states, state } = watch('a', own);
      expect(await state()).toEqual(entry);
      const next = states.next();
      execute(`UPDATE sqlite_dbpage SET data = randomblob(4096) WHERE pgno = (${page})`);
      await expect(next).rejects.toMatchObject(refusal);
      expect(await states.next()).toEqual({ done: true, value: undefined });
      await own.close();
    },
  );
});
