/** The store file under several real processes, and under kill -9. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openDatabase } from '../../../shared/sqlite';
import { sqliteStore } from '../../../shared/store/sqlite';
import { ABSENT, type Store } from '../../../shared/store/store';
import { type Child, type ChildOptions, startChild } from '../../support/child';

const SCRIPT = 'test/support/store-child.ts';
const PROCESSES = 4;

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
const startAll = (mode: string, args: unknown[]): Promise<Child[]> =>
  Promise.all(Array.from({ length: PROCESSES }, () => start(mode, args)));

interface Acknowledged {
  readonly key: string;
  readonly version: number;
}

/** Every line of the output that acknowledges a write; a line cut by a kill is none. */
const acknowledged = (stdout: string): Acknowledged[] =>
  stdout
    .split('\n')
    .filter((line) => /^\{"key".*\}$/.test(line))
    .map((line) => JSON.parse(line));

describe('sqlite: several processes on one file', () => {
  test('of 1,000 compare-and-swaps from 4 processes on one version exactly one wins, time after time', async () => {
    const all = await startAll('race', [250]);
    for (const child of all) expect(await child.line()).toBe('"ready"');
    const wins: number[] = [];
    for (let version: number = ABSENT, round = 0; round < 10; round += 1) {
      // Each time another one is told first.
      for (const index of all.keys()) all[(index + round) % PROCESSES]?.send(String(version));
      const counts = await Promise.all(all.map(async (child) => Number(await child.line())));
      expect(counts.reduce((sum, count) => sum + count)).toBe(1);
      wins.push(counts.indexOf(1));
      const entry = await store.get('race');
      expect(entry?.version).toBeGreaterThan(version);
      version = entry?.version as number;
    }
    // That it is a race at all: it is not always the same process that wins.
    expect(new Set(wins).size).toBeGreaterThan(1);
  });

  test('a counter that 4 processes increment ends at exactly their sum', async () => {
    const all = await startAll('count', [300]);
    const tries = await Promise.all(all.map(async (child) => Number(await child.line())));
    for (const child of all) expect(await child.ended).toMatchObject({ code: 0, stderr: '' });
    expect((await store.get('counter'))?.value).toBe(PROCESSES * 300);
    // That they were in each other's way.
    expect(tries.reduce((sum, count) => sum + count)).toBeGreaterThan(PROCESSES * 300);
  });
});

describe('sqlite: kill -9 while writing', () => {
  test('whatever was acknowledged is there, and versions go on growing', async () => {
    const seen: Acknowledged[] = [];
    for (let round = 0; round < 5; round += 1) {
      const child = await start('write', [`round ${round} `]);
      // Each time at another moment.
      for (let lines = 0; lines < 20 + 37 * round; lines += 1) await child.line();
      child.kill('SIGKILL');
      const { stdout, signal } = await child.ended;
      expect(signal).toBe('SIGKILL');
      const fresh = acknowledged(stdout);
      expect(fresh.length).toBeGreaterThanOrEqual(20 + 37 * round);
      const highest = Math.max(0, ...seen.map(({ version }) => version));
      for (const { version } of fresh) expect(version).toBeGreaterThan(highest);
      seen.push(...fresh);
      for (const { key, version } of seen) expect((await store.get(key))?.version).toBe(version);
    }
    expect(new Set(seen.map(({ version }) => version)).size).toBe(seen.length);
  });
});

describe('sqlite: a file for one process alone', () => {
  const open = () =>
    openDatabase({ path, applicationId: 7, migrations: [''], exclusive: true, wait: 50 });
  const refusal = {
    code: 'store_unavailable',
    message: 'The database is held by another process.',
  };

  test('it is refused to another process, also after a second try in the same process', async () => {
    const holder = await open();
    // A try that touched the file itself would drop the locks of the whole process.
    await expect(open()).rejects.toMatchObject(refusal);
    expect(JSON.parse(await (await start('hold')).line())).toEqual(refusal);
    await holder.close();
    expect(await (await start('hold')).line()).toBe('"held"');
  });

  test('it is free as soon as its holder was killed', async () => {
    const holder = await start('hold');
    expect(await holder.line()).toBe('"held"');
    await expect(open()).rejects.toMatchObject(refusal);
    holder.kill('SIGKILL');
    await holder.ended;
    await (await open()).close();
  });
});
