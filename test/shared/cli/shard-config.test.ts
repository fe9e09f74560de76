/** The shard commands on the configuration of a router: its topology, its members, and the key of a request. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { shardTable } from '../../../shared/shard/table';
import { linesOf, piped, run } from './lab';

const TOPOLOGY = {
  mode: 'nginx-consistent',
  shards: ['1', '2', '3'].map((n) => ({ name: `s${n}`, address: `10.0.0.${n}:80` })),
} as const;
const KEY = {
  first: [
    { header: 'x-user', duplicates: 'join' },
    { query: 'user' },
    { body: '/user' },
    { path: '^/users/([^/]+)' },
    { all: [{ cookie: 'sid' }, { client: 'address' }], separator: '@' },
  ],
} as const;
const CONFIG = {
  ...TOPOLOGY,
  key: KEY,
  onDown: 'next',
  retryFor: '1s',
  answer: 'redirect',
  ttl: '10s',
  bound: 1.5,
  health: { failures: 2 },
  timeout: '5s',
  streams: { window: '1s' },
};

let folder: string;
const write = (name: string, value: unknown) =>
  writeFileSync(path.join(folder, name), JSON.stringify(value));
const shard = (args: readonly string[], stdin = '') =>
  run(['shard', ...args], { folder, stdin: piped(stdin) });

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cli-shard-'));
  write('topology.json', TOPOLOGY);
  write('router.json', CONFIG);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the configuration of a router', () => {
  test('places as its topology alone, whatever else it says', async () => {
    const keys = Array.from({ length: 50 }, (_, i) => `{"key":"${i}"}\n`).join('');
    const alone = await shard(['place', '--config', 'topology.json'], keys);
    expect(await shard(['place', '--config', 'router.json'], keys)).toEqual(alone);
    expect([alone.code, linesOf(alone.out).length]).toEqual([0, 50]);
    expect(await shard(['diff', 'topology.json', 'router.json'])).toMatchObject({ code: 0 });
  });

  test('is refused with what is wrong in it, and for a member that nobody knows', async () => {
    write('wrong.json', { ...CONFIG, mode: 'nginx', key: { heder: 'x' }, onDwn: 'next' });
    const { code, out, err } = await shard(['place', '--config', 'wrong.json']);
    expect([code, out]).toEqual([2, '']);
    expect(err.split('\n').map((line) => line.split(' ')[1])).toEqual([
      '/onDwn',
      '/mode',
      '/key',
      undefined,
    ]);
  });

  test('has its members from the file that it names, with their epoch', async () => {
    const shards = TOPOLOGY.shards.slice(0, 2);
    write('members.json', { epoch: 7, shards });
    write('filed.json', {
      mode: 'nginx-consistent',
      key: KEY,
      members: { from: 'file', path: 'members.json' },
    });
    const { out } = await shard(['explain', '--config', 'filed.json', 'a', '--json']);
    const { digest } = shardTable({ ...TOPOLOGY, shards });
    expect(JSON.parse(out)).toMatchObject({ epoch: 7, digest });
    write('members.json', { epoch: 8, shards: [{ addres: 'x' }] });
    expect(await shard(['place', '--config', 'filed.json'])).toMatchObject({
      code: 2,
      err: 'members.json: /shards/0/address is required\nmembers.json: /shards/0/addres is not known here\n',
    });
    write('lost.json', { mode: 'jump', key: KEY, members: { from: 'file', path: 'lost/m.json' } });
    expect((await shard(['place', '--config', 'lost.json'])).err).toContain(
      'lost/m.json does not exist',
    );
  });

  test('whose members only a running router knows is placed by those it lists, and says so, or not at all', async () => {
    write('stored.json', { ...CONFIG, members: { from: 'store' } });
    const placed = await shard(['place', '--config', 'stored.json', '--lines'], 'a\n');
    expect(placed).toMatchObject({
      code: 0,
      err: 'stored.json: warning members_listed: The shards listed here stand for the members from store, which are not asked.\n',
    });
    write('empty.json', { mode: 'native', key: KEY, members: { from: 'dns', name: 'db.example' } });
    expect(await shard(['place', '--config', 'empty.json'])).toMatchObject({
      code: 2,
      out: '',
      err: 'empty.json: /shards is required here: members from dns are not asked\n',
    });
  });
});

describe('shard explain --request', () => {
  const explain = (...args: string[]) => shard(['explain', '--config', 'router.json', ...args]);
  const found = async (...args: string[]) => JSON.parse((await explain(...args, '--json')).out);
  const hex = (text: string) => Buffer.from(text).toString('hex');

  test.each([
    ['a header', ['--request', 'GET /', '--header', 'X-User: 7 '], 'header x-user', hex('7')],
    [
      'lines of one header',
      ['--request', '/', '--header', 'x-user: a', '--header', 'x-user:ü'],
      'header x-user',
      hex('a, ü'),
    ],
    ['a raw parameter', ['--request', 'GET /?a=1&user=%C3%BC'], 'query user', hex('%C3%BC')],
    ['a body', ['--request', 'POST /', '--data', '{"user":70}'], 'body /user', hex('70')],
    [
      'a path, decoded as by the peer',
      ['--request', '/users/%C3%BC/x'],
      'path pattern ^/users/([^/]+)',
      hex('ü'),
    ],
    [
      'cookie and client together',
      ['--request', '/', '--header', 'cookie: a=b; sid=1', '--client', '10.1.2.3'],
      'cookie sid + client address',
      hex('1@10.1.2.3'),
    ],
  ])('reads %s as the router would', async (_, args, source, bytes) => {
    const explained = await found(...args);
    expect(explained).toMatchObject({ source, bytes });
    const key = Buffer.from(bytes, 'hex').toString();
    expect(explained.shard).toBe(shardTable(TOPOLOGY).place(key)?.name);
  });

  test('says it to people in rows', async () => {
    const { code, out } = await explain('--request', 'GET /users/7');
    expect([code, out.split('\n').slice(0, 3)]).toEqual([
      0,
      ['key     7', 'source  path pattern ^/users/([^/]+)', 'bytes   37'],
    ]);
  });

  test.each([
    ['no key', ['--request', 'GET /'], '400 key_missing'],
    ['a body that is none', ['--request', 'POST /', '--data', '{'], '400 invalid_json'],
    [
      'a body that is too large',
      ['--request', 'POST /', '--data', `{"a":"${'x'.repeat(65_536)}"}`],
      '413 body_too_large',
    ],
  ])('tells what the router answers to %s, and exits with 1', async (_, args, answer) => {
    const { code, out, err } = await explain(...args);
    expect([code, out, err.trim().split('\n').at(-1)]).toEqual([
      1,
      '',
      expect.stringMatching(new RegExp(`^${answer}: `)),
    ]);
    const told = await explain(...args, '--json');
    expect([told.code, JSON.parse(told.out).error.code]).toEqual([1, answer.slice(4)]);
  });

  test.each([
    ['spread', { key: null, source: 'spread', shard: null, candidates: ['s1', 's2', 's3'] }],
    [{ fixed: 's2' }, { key: null, source: 'fixed', shard: 's2', candidates: ['s2'] }],
    [{ fallback: 'none' }, { key: 'none', source: 'fallback', bytes: hex('none') }],
  ])('without a key goes where the settings say: %j', async (missing, wanted) => {
    write('missing.json', { ...CONFIG, missing });
    const { code, out } = await shard([
      ...['explain', '--config', 'missing.json', '--request', '/', '--json'],
    ]);
    expect([code, JSON.parse(out)]).toEqual([0, expect.objectContaining(wanted)]);
    const rows = await shard(['explain', '--config', 'missing.json', '--request', '/']);
    expect([rows.code, rows.out]).toEqual([
      0,
      expect.stringContaining(`source  ${wanted.source}\n`),
    ]);
  });

  test('tells what the mode makes of the key source', async () => {
    write('warned.json', { ...CONFIG, key: { header: 'x-user' } });
    const { err } = await shard([
      ...['explain', '--config', 'warned.json', '--request', '/', '--header', 'x-user: 1'],
    ]);
    expect(err).toMatch(/^warned\.json: warning duplicates_by_version: /);
  });

  test.each([
    [['--request', 'GET'], '--request is a method and a path'],
    [['--request', 'GET /a b'], '--request is a method and a path'],
    [['--request', '/', '--header', 'x-user'], '--header is a name and a value'],
    [['--request', '/', '--header', 'x: a\nb: c'], '--header is a name and a value'],
    [['--request', '/', '7'], '--request has the key'],
    [['--request', '/', '--lines'], '--request has the key'],
    [['7', '--header', 'x-user: 1'], '--header, --data and --client are of a --request'],
    [['--request', '/', '--request', '/'], '--request is given twice'],
  ])('%j: %s', async (args, message) => {
    const { code, out, err } = await explain(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`faas-patterns shard explain: ${message}`);
  });

  test('wants a file that says where the key is', async () => {
    expect(await shard(['explain', '--config', 'topology.json', '--request', '/'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/topology\.json has no "key"/),
    });
  });
});
