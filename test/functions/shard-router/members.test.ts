/** Routers as processes that follow what others write: an entry of the store, a file. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { header, type Lab, type ShardProcess, shardsOf, startRouter, startShard } from './lab';

let shards: ShardProcess[];
let folder: string;
const labs: Lab[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'members-'));
  shards = await Promise.all(['a', 'b'].map((name) => startShard(name)));
});

afterAll(async () => {
  for (const { host } of labs) expect(await host.stop()).toBe(0);
  await Promise.all(shards.map((shard) => shard.kill()));
  await rm(folder, { recursive: true, force: true });
});

const route = async (config: object): Promise<Lab> => {
  const lab = await startRouter(config, 'node', {
    STORE_URL: `sqlite:${path.join(folder, 'faas.db')}`,
  });
  labs.push(lab);
  return lab;
};

const epochOf = async ({ ask }: Lab): Promise<number> => {
  const answer = await ask({ path: '/shard-router/owner/table' });
  return answer.status === 200 ? JSON.parse(answer.body.toString()).epoch : -1;
};

/** ms until the router has this epoch. */
const until = async (lab: Lab, epoch: number): Promise<number> => {
  const began = performance.now();
  while ((await epochOf(lab)) !== epoch) {
    if (performance.now() - began > 20_000) throw new Error(`it stays at ${await epochOf(lab)}`);
    await sleep(20);
  }
  return performance.now() - began;
};

describe('members in the store', () => {
  const put = (lab: Lab, members: readonly ShardProcess[], condition: readonly [string, string]) =>
    lab.ask({
      method: 'PUT',
      path: '/shard-router/owner/table',
      headers: [['content-type', 'application/json'], condition],
      body: JSON.stringify({ shards: shardsOf(members) }),
    });

  test('are published by one router and followed by all, and nobody overwrites what it has not seen', async () => {
    const [one, two] = (await Promise.all(
      [1, 2].map(() => route({ members: { from: 'store' } })),
    )) as [Lab, Lab];
    const [a, b] = shards as [ShardProcess, ShardProcess];
    expect(await one.whoHas('k')).toBe('503 table_unavailable');

    const first = await put(one, [a], ['if-none-match', '*']);
    const epoch = JSON.parse(first.body.toString()).epoch as number;
    expect([first.status, header(first, 'etag')]).toEqual([200, `"${epoch}"`]);
    await until(two, epoch);
    expect([await one.whoHas('k'), await two.whoHas('k')]).toEqual(['a', 'a']);

    const race = await Promise.all(
      [one, two].map((lab) => put(lab, [b], ['if-match', `"${epoch}"`])),
    );
    expect(race.map(({ status }) => status).sort()).toEqual([200, 412]);
    const won = race.find(({ status }) => status === 200);
    const next = Number(header(won as never, 'etag')?.replaceAll('"', ''));
    expect(next).toBeGreaterThan(epoch);
    const waits = await Promise.all([one, two].map((lab) => until(lab, next)));
    // Within a second, ten times.
    expect(Math.max(...waits)).toBeLessThan(10_000);
    expect([await one.whoHas('k'), await two.whoHas('k')]).toEqual(['b', 'b']);

    const nowhere = await one.ask({
      method: 'PUT',
      path: '/shard-router/owner/table',
      headers: [
        ['content-type', 'application/json'],
        ['if-match', `"${next}"`],
      ],
      body: JSON.stringify({ shards: [{ name: 'a', address: 'not a host' }] }),
    });
    expect([nowhere.status, JSON.parse(nowhere.body.toString()).errors[0].pointer]).toEqual([
      400,
      '/shards/0/urls',
    ]);
    expect([await one.whoHas('k'), await epochOf(one)]).toEqual(['b', next]);
  });
});

test('members in a file are followed, and a file that is broken or leads nowhere changes nothing', async () => {
  const file = path.join(folder, 'members.json');
  const write = (members: unknown) => writeFile(file, JSON.stringify(members));
  const [a, b] = shards as [ShardProcess, ShardProcess];
  await write({ epoch: 1, shards: shardsOf([a]) });
  const lab = await route({ members: { from: 'file', path: file, every: '100ms' } });
  expect(await lab.whoHas('k')).toBe('a');
  await writeFile(file, '{"epoch":2,"shards":[');
  await sleep(500);
  expect([await lab.whoHas('k'), await epochOf(lab)]).toEqual(['a', 1]);
  await write({ epoch: 2, shards: [{ name: 'a', address: 'not a host' }] });
  await sleep(500);
  expect([await lab.whoHas('k'), await epochOf(lab)]).toEqual(['a', 1]);
  await write({ epoch: 3, shards: shardsOf([b]) });
  await until(lab, 3);
  expect(await lab.whoHas('k')).toBe('b');
});
