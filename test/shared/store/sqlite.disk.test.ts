/** The store on a disk that is full, and with a file that may not be written. */
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { sqliteStore } from '../../../shared/store/sqlite';
import { ABSENT, type Store } from '../../../shared/store/store';
import { type Child, type ChildOptions, startChild } from '../../support/child';

const SCRIPT = 'test/support/store-child.ts';

const root = mkdtemp(join(tmpdir(), 'store-'));
afterAll(async () => rm(await root, { recursive: true, force: true }));

let folder: string;
let path: string;
let store: Store;
const children: Child[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(await root, 'test-'));
  path = join(folder, 'faas.db');
  store = sqliteStore({ path });
});
afterEach(async () => {
  await store.close();
  for (const child of children.splice(0)) {
    child.kill();
    await child.ended;
  }
});

const start = async (
  mode: string,
  args: unknown[] = [],
  options?: ChildOptions,
): Promise<Child> => {
  const child = await startChild(SCRIPT, [mode, path, ...args.map(String)], options);
  children.push(child);
  return child;
};
const linesOf = async (child: Child) => {
  const { stdout, stderr, code } = await child.ended;
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
};

/** Runs a command with a disk of 3 MiB of its own over `$0`; it is gone with the command. */
const OWN_DISK = ['unshare', '-rm', 'sh', '-c', 'mount -t tmpfs -o size=3m none "$0" && exec "$@"'];
// Not every machine lets us mount; the test after it needs nothing.
const canMount =
  spawnSync(OWN_DISK[0] as string, [...OWN_DISK.slice(1), '/mnt', 'true']).status === 0;

describe('sqlite: a full disk', () => {
  if (canMount)
    test('is told as such; what was acknowledged is read, and with room again all goes on', async () => {
      const full = { code: 'store_unavailable', message: 'The disk is full.' };
      const child = await start('fill a disk', [], { wrap: [...OWN_DISK, folder] });
      const [refused, kept, ...later] = await linesOf(child);
      expect(refused).toEqual(full);
      expect(kept).toEqual({ kept: true, many: expect.any(Number) });
      expect(kept.many).toBeGreaterThan(10);
      expect(later).toEqual([
        { kept: true },
        // Opened on the full disk, by another store.
        { kept: true },
        { watched: 'l' },
        full,
        { written: 1 },
      ]);
    });

  test('or a file that may not grow is store_unavailable: what was acknowledged stays, and it can still be read', async () => {
    await store.compareAndSwap('before', ABSENT, 1);
    await store.close();
    // No file of the child may grow beyond 1 MiB (a unit is 512 bytes or 1 KiB).
    const child = await start('write', ['k', 10_000], {
      wrap: ['sh', '-c', 'ulimit -f 1024; exec "$@"', 'sh'],
    });
    const lines = await linesOf(child);
    expect(lines.slice(-2)).toEqual([
      { code: 'store_unavailable', message: 'The store cannot be used now.' },
      { read: lines[0].version },
    ]);
    const written = lines.slice(0, -2);
    expect(written.length).toBeGreaterThan(10);
    store = sqliteStore({ path });
    for (const { key, version } of [...written, { key: 'before', version: 1 }])
      expect((await store.get(key))?.version).toBe(version);
    const next = await store.compareAndSwap('after', ABSENT, 1);
    expect(next?.version).toBeGreaterThan(written.at(-1).version);
  });
});

describe('sqlite: a file that may not be written', () => {
  const refusal = {
    code: 'store_unavailable',
    message: 'The database file may not be written.',
  };

  /** Starts a reader without rights, waits for its first answers, and gives the rights. */
  const intrude = async () => {
    const own = join(folder, 'own');
    await mkdir(own);
    await chmod(await root, 0o755);
    await chmod(path, 0o444);
    await chmod(folder, 0o555);
    const child = await start('intrude', [join(own, 'own.db')]);
    const answers: unknown[] = [];
    while (answers.length < 3) answers.push(JSON.parse(await child.line()));
    await chmod(folder, 0o777);
    await chmod(path, 0o666);
    return { child, answers };
  };

  test('is read, given to nobody alone, says so to who writes, and nothing of it changes', async () => {
    await store.compareAndSwap('b', ABSENT, 1);
    await store.close();
    const { child, answers } = await intrude();
    expect(answers).toEqual([refusal, ['b'], refusal]);
    child.kill();
    await child.ended;
    store = sqliteStore({ path });
    expect((await store.list('')).entries.map(({ key }) => key)).toEqual(['b']);
  });

  test('is written by the same store as soon as it may be', async () => {
    await store.compareAndSwap('b', ABSENT, 1);
    await store.close();
    const { child } = await intrude();
    child.send('again');
    expect(JSON.parse(await child.line())).toEqual(['b']);
    expect(JSON.parse(await child.line())).toMatchObject({ key: 'a', value: 1 });
    child.kill();
  });

  test('is opened by nobody as long as it is no store yet', async () => {
    await writeFile(path, '');
    const { child, answers } = await intrude();
    expect(answers).toEqual([refusal, refusal, refusal]);
    child.kill();
  });
});
