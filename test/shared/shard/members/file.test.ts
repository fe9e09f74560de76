/** Members in real files, however they are written and replaced. */
import { mkdtempSync } from 'node:fs';
import { mkdir, open, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { nodeFiles } from '../../../../shared/hosts/node-files';
import type { LiveTableOptions } from '../../../../shared/shard/members/live-table';
import { until } from '../../../support/redis-lab';
import { addressesOf, membersOf, never, tableLab } from './lab';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'members-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const lab = tableLab();
const inFolder = (name: string) => path.join(folder, name);
const write = (value: unknown, name = 'members.json') =>
  writeFile(inFolder(name), JSON.stringify(value));
const tableOf = (options: Partial<LiveTableOptions> = {}) =>
  lab({
    members: { from: 'file', path: 'members.json', every: '100ms' },
    files: nodeFiles(folder),
    ...options,
  });
const seen = (of: ReturnType<typeof tableOf>, addresses: string) =>
  until(
    async () => addressesOf(of.table),
    (found) => found === addresses,
  );

describe('a file of members', () => {
  test('is the table, with its epoch', async () => {
    await write({ $schema: './members.schema.json', epoch: 7, ...membersOf(3) });
    const { table } = tableOf();
    const ready = await table.ready(never);
    expect(ready.epoch).toBe(7);
    expect(addressesOf(table)).toBe('a:80 b:80 c:80');
    expect(table.current()).toBe(ready);
  });

  test('may bring pins and a table of its own; where it brings none, those of the configuration stay', async () => {
    const topology = { mode: 'lookup', table: { k: 'a:80' }, pins: { p: 'b:80' } } as const;
    await write(membersOf(2));
    const { table } = tableOf({ topology });
    const before = await table.ready(never);
    expect([before.place('k')?.name, before.place('p')?.name]).toEqual(['a:80', 'b:80']);
    await write({ ...membersOf(2), table: { k: 'b:80' }, pins: {} });
    const after = await table.refresh(never);
    expect([after.place('k')?.name, after.place('p')?.name]).toEqual(['b:80', undefined]);
  });

  test('is followed: each change becomes the table, wherever the file came from', async () => {
    await write(membersOf(1));
    const of = tableOf();
    void of.follow();
    expect(await seen(of, 'a:80')).toBe('a:80');
    await write(membersOf(2));
    expect(await seen(of, 'a:80 b:80')).toBe('a:80 b:80');
    await write(membersOf(3), 'next.json');
    await rename(inFolder('next.json'), inFolder('members.json'));
    expect(await seen(of, 'a:80 b:80 c:80')).toBe('a:80 b:80 c:80');
  });

  test('is found again where links are swapped, as Kubernetes mounts a ConfigMap', async () => {
    for (const count of [1, 2]) {
      await mkdir(inFolder(`..v${count}`));
      await write(membersOf(count), `..v${count}/members.json`);
    }
    await symlink('..v1', inFolder('..data'));
    await symlink('..data/members.json', inFolder('members.json'));
    const of = tableOf();
    void of.follow();
    expect(await seen(of, 'a:80')).toBe('a:80');
    await symlink('..v2', inFolder('..data_tmp'));
    await rename(inFolder('..data_tmp'), inFolder('..data'));
    await rm(inFolder('..v1'), { recursive: true });
    expect(await seen(of, 'a:80 b:80')).toBe('a:80 b:80');
    expect(of.logged('warn')).toEqual([]);
  });

  test('half written changes nothing, however often it is read; the rest of it does', async () => {
    await write(membersOf(1));
    const { table, logged } = tableOf();
    const first = await table.ready(never);
    const text = JSON.stringify(membersOf(4));
    const file = await open(inFolder('members.json'), 'w');
    try {
      for (const [at, letter] of [...text].entries()) {
        expect(await table.refresh(never)).toBe(first);
        await file.write(letter, at);
      }
    } finally {
      await file.close();
    }
    expect((await table.refresh(never)).shards).toHaveLength(4);
    expect(logged('error')).toEqual([]);
  });

  test.each([
    ['', 'JSON'],
    ['{"shards":[]}', '/shards must have at least one shard'],
    ['{"shards":[{"address":"a:80"},{"address":"a:80"}]}', '/shards/1/name'],
    ['{"shards":[{"address":"a:80","weight":0}]}', '/shards/0/weight'],
    ['{"shards":[{"address":"a:80"}],"pins":{"k":"z"}}', '/pins/k must be the name of a shard'],
    ['{"shards":[{"address":"a:80"}],"mode":"jump"}', '/mode is not known here'],
    ['{"shards":[{"address":"a:80"}],"epoch":-1}', '/epoch must be >= 0'],
    ['{"shards":[{"address":"a:80"}],"shards":[]}', 'shards'],
    ['{"pins":{}}', '/shards is required'],
    ['[]', '/ must be object'],
    [`{"shards":[${'{"address":""},'.repeat(500)}1]}`, '/shards/0/address'],
  ])('with the mistake %.60j changes nothing, and is told once', async (text, mistake) => {
    await write(membersOf(2));
    const { table, lines, logged } = tableOf();
    const first = await table.ready(never);
    await writeFile(inFolder('members.json'), text);
    for (let round = 0; round < 3; round += 1) expect(await table.refresh(never)).toBe(first);
    expect(logged('warn')).toEqual(['shard_members_unusable']);
    const { fields } = lines.find(({ severity }) => severity === 'warn') as (typeof lines)[0];
    expect(fields.source).toBe('file members.json');
    expect((fields.mistakes as string[]).join('\n')).toContain(mistake);
    expect((fields.mistakes as string[]).length).toBeLessThanOrEqual(10);
    await write(membersOf(3));
    expect((await table.refresh(never)).shards).toHaveLength(3);
    expect(logged('info').slice(-2)).toEqual(['shard_members_good_again', 'shard_table_changed']);
  });

  test('that is gone, a folder, a loop or somebody else’s changes nothing, and each is told once', async () => {
    await write(membersOf(2));
    const { table, lines, logged } = tableOf();
    const first = await table.ready(never);
    const again = async () => {
      for (let round = 0; round < 3; round += 1) expect(await table.refresh(never)).toBe(first);
    };
    await unlink(inFolder('members.json'));
    await again();
    await mkdir(inFolder('members.json'));
    await again();
    await rm(inFolder('members.json'), { recursive: true });
    await symlink('members.json', inFolder('members.json'));
    await again();
    await unlink(inFolder('members.json'));
    await writeFile(inFolder('members.json'), JSON.stringify(membersOf(3)), { mode: 0o000 });
    await asNobody(again);
    const codes = lines
      .filter(({ severity }) => severity === 'warn')
      .map(({ fields }) => /\((\w+)\)/.exec((fields.error as Error).message)?.[1]);
    expect(codes).toEqual(['ENOENT', 'EISDIR', 'ELOOP', 'EACCES']);
    expect(new Set(logged('warn'))).toEqual(new Set(['shard_members_unreachable']));
  });

  test('told of again is a mistake that was good meanwhile', async () => {
    await write(membersOf(2));
    const { table, logged } = tableOf();
    await table.ready(never);
    for (let round = 0; round < 3; round += 1) {
      await writeFile(inFolder('members.json'), '{');
      await table.refresh(never);
      await table.refresh(never);
      await write(membersOf(2));
      await table.refresh(never);
    }
    expect(logged('warn')).toHaveLength(3);
    expect(logged('info').filter((one) => one === 'shard_members_good_again')).toHaveLength(3);
    expect(logged('info').filter((one) => one === 'shard_table_changed')).toHaveLength(1);
  });

  test('that says the same in other words is no change; another url, address or epoch is one', async () => {
    const shard = { address: 'a:80', name: 'a' };
    await write({ shards: [shard] });
    const { table } = tableOf();
    let current = await table.ready(never);
    const changes: unknown[] = [];
    table.onChange((now, before) => changes.push([now, before]));
    for (const same of [
      { epoch: 0, shards: [shard] },
      { pins: {}, shards: [{ weight: 1, name: 'a', address: 'a:80', down: false }] },
    ]) {
      await write(same);
      expect(await table.refresh(never)).toBe(current);
    }
    expect(changes).toEqual([]);
    for (const other of [
      { epoch: 1, shards: [shard] },
      { epoch: 1, shards: [{ ...shard, urls: ['http://10.0.0.1'] }] },
      { epoch: 1, shards: [{ ...shard, urls: ['http://10.0.0.2'] }] },
      { epoch: 1, shards: [{ ...shard, address: 'a:81' }] },
      // Put back by hand: the file is right, whatever it was before.
      { epoch: 0, shards: [shard] },
    ]) {
      const before = current;
      await write(other);
      current = await table.refresh(never);
      expect(changes.pop()).toEqual([current, before]);
      expect(current).not.toBe(before);
    }
  });
});

/** Root reads everything. */
const asNobody = async (act: () => Promise<void>): Promise<void> => {
  const user = process.geteuid?.();
  if (user !== 0) return act();
  process.seteuid?.(65_534);
  try {
    await act();
  } finally {
    process.seteuid?.(0);
  }
};
