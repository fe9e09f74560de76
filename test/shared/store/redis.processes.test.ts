/** The store under several real processes, and under kill -9 of them and of the server. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { ABSENT } from '../../../shared/store/store';
import { type Child, type ChildOptions, startChild } from '../../support/child';
import type { RedisServer } from '../../support/redis';
import { redisLab, until } from '../../support/redis-lab';

const SCRIPT = 'test/support/store-child.ts';
const PROCESSES = 4;
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

const lab = redisLab();
const children: Child[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill();
    await child.ended;
  }
});

const start = async (
  { url }: Pick<RedisServer, 'url'>,
  mode: string,
  args: readonly unknown[] = [],
  options?: ChildOptions,
): Promise<Child> => {
  const child = await startChild(SCRIPT, [mode, url, ...args.map(String)], options);
  children.push(child);
  return child;
};
const startAll = (server: RedisServer, mode: string, args: readonly unknown[]): Promise<Child[]> =>
  Promise.all(Array.from({ length: PROCESSES }, () => start(server, mode, args)));

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

describe('redis: several processes on one server', () => {
  test('of 1,000 compare-and-swaps from 4 processes on one version exactly one wins, time after time', async () => {
    const server = await lab.server();
    const store = lab.store(server.url);
    const all = await startAll(server, 'race', [250]);
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

  test('a counter that 4 processes increment ends at exactly their sum, and a watcher sees it grow', async () => {
    const server = await lab.server();
    const store = lab.store(server.url);
    const { state } = lab.watch<number>('counter', store);
    const all = await startAll(server, 'count', [300]);
    const seen: number[] = [];
    const watching = (async () => {
      for (let last = 0; last < PROCESSES * 300; seen.push(last))
        last = (await state())?.value ?? 0;
    })();
    const tries = await Promise.all(all.map(async (child) => Number(await child.line())));
    for (const child of all) expect(await child.ended).toMatchObject({ code: 0, stderr: '' });
    await watching;
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
    expect((await store.get('counter'))?.value).toBe(PROCESSES * 300);
    // That they were in each other's way.
    expect(tries.reduce((sum, count) => sum + count)).toBeGreaterThan(PROCESSES * 300);
  });

  test('who watches does not keep the process alive', async () => {
    const server = await lab.server();
    await lab.store(server.url).compareAndSwap('a', ABSENT, 1);
    const { code, stdout, stderr } = await (await start(server, 'watch', ['a'])).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ key: 'a', value: 1 });
  });
});

describe('redis: kill -9', () => {
  test('of a process that writes loses nothing of what was acknowledged', async () => {
    const server = await lab.server();
    const store = lab.store(server.url);
    const seen: Acknowledged[] = [];
    for (let round = 0; round < 3; round += 1) {
      const child = await start(server, 'write', [`round ${round} `]);
      for (let lines = 0; lines < 20 + 37 * round; lines += 1) await child.line();
      child.kill('SIGKILL');
      const fresh = acknowledged((await child.ended).stdout);
      const highest = Math.max(0, ...seen.map(({ version }) => version));
      for (const { version } of fresh) expect(version).toBeGreaterThan(highest);
      seen.push(...fresh);
      for (const { key, version } of seen) expect((await store.get(key))?.version).toBe(version);
    }
  });

  test('of a server that writes to its disk first loses nothing of what was acknowledged', async () => {
    const server = await lab.server({ args: DURABLE });
    const seen: Acknowledged[] = [];
    for (let round = 0; round < 3; round += 1) {
      const store = lab.store(server.url);
      const child = await start(server, 'write', [`round ${round} `]);
      for (let lines = 0; lines < 20 + 37 * round; lines += 1) await child.line();
      await server.kill();
      // Refused: it has ended by itself.
      const fresh = acknowledged((await child.ended).stdout);
      await server.start();
      const highest = Math.max(0, ...seen.map(({ version }) => version));
      for (const { version } of fresh) expect(version).toBeGreaterThan(highest);
      seen.push(...fresh);
      await until(
        () =>
          store
            .get('a')
            .then(() => true)
            .catch(() => false),
        (isThere) => isThere,
      );
      expect(store.capabilities.survivesCrash).toBe(true);
      for (const { key, version } of seen) expect((await store.get(key))?.version).toBe(version);
    }
    expect(new Set(seen.map(({ version }) => version)).size).toBe(seen.length);
  });

  test('of a server that keeps nothing never brings a version back', async () => {
    const server = await lab.server();
    const versions: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const child = await start(server, 'write', ['k']);
      for (let lines = 0; lines < 20; lines += 1) await child.line();
      await server.kill();
      const fresh = acknowledged((await child.ended).stdout).map(({ version }) => version);
      expect(Math.min(...fresh)).toBeGreaterThan(Math.max(0, ...versions));
      versions.push(...fresh);
      await server.start();
    }
  });
});
