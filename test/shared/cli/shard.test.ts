/** `shard place`, `explain` and `diff`, as they are called. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { shardTable } from '../../../shared/shard/table';
import type { TopologyInput } from '../../../shared/shard/topology';
import { bundle } from '../../support/bundle';
import { linesOf, piped, type Ran, run } from './lab';

const NGINX: TopologyInput = {
  mode: 'nginx-consistent',
  shards: [{ address: '127.0.0.1:9101', name: 'one' }, { address: '127.0.0.1:9102' }],
};
const FOUR: TopologyInput = {
  mode: 'native',
  shards: ['a', 'b', 'c', 'd'].map((name) => ({ name, address: `${name}.example:80` })),
  pins: { vip: 'c' },
};

let folder: string;
const write = (name: string, value: unknown) =>
  writeFileSync(path.join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
const shard = (args: readonly string[], ...chunks: readonly (string | Uint8Array)[]) =>
  run(['shard', ...args], { folder, stdin: piped(...chunks) });

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cli-shard-'));
  write('nginx.json', NGINX);
  write('four.json', FOUR);
  write('five.json', { ...FOUR, shards: [...(FOUR.shards ?? []), { address: 'e.example:80' }] });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Placed {
  readonly key: string;
  readonly shard: string | null;
  readonly address: string | null;
}

describe('shard place', () => {
  const place = ['place', '--config', 'nginx.json'];

  test('answers each key with its shard and address, in the order of the lines, as the library does', async () => {
    const keys = Array.from({ length: 500 }, (_, i) => `Schlüssel "${i}" 😀\u0085`);
    const text = keys.map((key) => `${JSON.stringify({ key, more: 1 })}\r\n`).join('\n');
    const { code, out, err } = await shard(place, text);
    expect([code, err]).toEqual([0, '']);
    expect(out).not.toContain('\u0085');
    const table = shardTable(NGINX);
    expect(linesOf<Placed>(out)).toEqual(
      keys.map((key) => {
        const owner = table.place(key);
        return { key, shard: owner?.name, address: owner?.address };
      }),
    );
  });

  test('takes keys as they stand, however the pipe cuts them, the empty and the last one too', async () => {
    const bytes = Buffer.from('ä"\\\r\n\n {"key":"x"} \nlast');
    const chunks = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
    const { code, out } = await shard([...place, '--lines'], ...chunks);
    expect(code).toBe(0);
    expect(linesOf<Placed>(out).map(({ key }) => key)).toEqual([
      'ä"\\',
      '',
      ' {"key":"x"} ',
      'last',
    ]);
  });

  test('says null where the peer would take whose turn it is', async () => {
    expect((await shard(place, '{"key":""}\n')).out).toBe(
      '{"key":"","shard":null,"address":null}\n',
    );
  });

  test('tells a line that is no key in its place, goes on, and exits with 1', async () => {
    const lines = [
      '{"key":"a"}',
      '{"key":1}',
      'key',
      '',
      '{"key":"a","key":"b"}',
      '{"key":"\\ud800"}',
      '[]',
      '{"key":"b"}',
    ];
    const { code, out, err } = await shard(place, lines.join('\n'));
    expect(linesOf<Record<string, unknown>>(out)).toEqual([
      expect.objectContaining({ key: 'a' }),
      { line: 2, error: { code: 'invalid_key', detail: 'must be an object with a text, key' } },
      { line: 3, error: { code: 'invalid_json', detail: expect.any(String) } },
      { line: 5, error: { code: 'invalid_json', detail: expect.any(String) } },
      { line: 6, error: { code: 'invalid_json', detail: expect.any(String) } },
      { line: 7, error: expect.objectContaining({ code: 'invalid_key' }) },
      expect.objectContaining({ key: 'b' }),
    ]);
    expect([code, err]).toEqual([1, '5 of 7 lines are no key\n']);
  });

  test('refuses a line that no key can be, and what is not UTF-8, with 2', async () => {
    expect(await shard(place, `{"key":"a"}\n{"key":"${'x'.repeat(2 ** 20)}`)).toMatchObject({
      code: 2,
      err: 'faas-patterns shard place: line 2 of stdin is larger than 1048576 bytes\n',
    });
    expect(await shard([...place, '--lines'], Uint8Array.of(0x61, 0xff, 0x0a))).toMatchObject({
      code: 2,
      err: 'faas-patterns shard place: stdin is not UTF-8\n',
    });
  });

  test('tells warnings on stderr, and not among the answers', async () => {
    write('odd.json', { ...NGINX, mode: 'twemproxy-ketama', hash: 'crc32' });
    const { code, out, err } = await shard(['place', '--config', 'odd.json'], '{"key":"a"}');
    expect([code, linesOf(out).length]).toEqual([0, 1]);
    expect(err).toMatch(/^odd\.json: warning ketama_crc32: .*\n$/);
  });
});

describe('a topology that cannot be used', () => {
  const bad = {
    mode: 'native',
    shards: [{ address: 'a' }, { address: 'a', weight: 0 }],
    pins: { x: 'y' },
  };

  test.each([['place'], ['explain']])(
    '%s tells every mistake with file and pointer, and exits with 2',
    async (name) => {
      write('bad.json', bad);
      expect(await shard([name, '--config', 'bad.json'], '{"key":"a"}')).toEqual({
        code: 2,
        out: '',
        err: 'bad.json: /shards/1/name is that of /shards/0: names must differ\nbad.json: /shards/1/weight must be >= 1\nbad.json: /pins/x must be the name of a shard\n',
      });
    },
  );

  test('diff tells those of both files, to a machine as one object', async () => {
    write('bad.json', bad);
    write('worse.json', '{ "mode": "native",\n  "mode": "jump" }');
    const { code, out, err } = await shard(['diff', 'bad.json', 'worse.json', '--json']);
    expect([code, err]).toEqual([2, '']);
    const { valid, errors } = JSON.parse(out) as {
      valid: boolean;
      errors: { file: string; pointer: string; message: string }[];
    };
    expect([valid, errors.map(({ file, pointer }) => [file, pointer])]).toEqual([
      false,
      [
        ['bad.json', '/shards/1/name'],
        ['bad.json', '/shards/1/weight'],
        ['bad.json', '/pins/x'],
        ['worse.json', ''],
      ],
    ]);
    expect(errors[3]?.message).toMatch(/line 2/);
  });

  test.each([
    [['place'], '--config FILE is missing'],
    [['place', '--config', 'nowhere.json'], 'nowhere.json does not exist'],
    [['place', '--config', '.'], '. is a folder'],
    [['place', '--config', '-'], 'a topology is a file: stdin is for keys'],
    [['place', '--config', 'nginx.json', 'key'], 'there is one argument too many: "key"'],
    [['explain', '--confg', 'nginx.json'], 'there is no option --confg; did you mean --config?'],
    [['diff', 'nginx.json'], 'AFTER is missing'],
    [
      ['diff', 'nginx.json', 'four.json', '--lines'],
      '--lines says how the keys of --keys are read',
    ],
    [['diff', 'nginx.json', 'four.json', '--svg', 'no/where.svg'], /where\.svg cannot be written/],
  ])('%j: %s', async (args, message) => {
    const { code, out, err } = await shard(args);
    expect([code, out]).toEqual([2, '']);
    if (typeof message === 'string')
      expect(err).toContain(`faas-patterns shard ${args[0]}: ${message}`);
    else expect(err).toMatch(message);
  });
});

describe('shard explain', () => {
  test('shows source, bytes, hash, point, owner, who comes next, epoch and digest', async () => {
    const { code, out, err } = await shard(['explain', '--config', 'nginx.json', 'aü']);
    const {
      hash,
      point,
      shard: owner,
      address,
      candidates,
      digest,
    } = shardTable(NGINX).explain('aü');
    expect([code, err]).toEqual([0, '']);
    expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['key', 'aü'],
      ['source', 'argument'],
      ['bytes', '61c3bc'],
      ['hash', hash],
      ['point', point],
      ['shard', ...(owner === address ? [owner] : [owner, address])],
      ['next', candidates[1]],
      ['epoch', '0'],
      ['digest', digest],
      [''],
    ]);
  });

  test('gives a machine one object, with the warnings', async () => {
    const { code, out } = await shard(['explain', '--config', 'four.json', 'vip', '--json']);
    expect([code, JSON.parse(out)]).toEqual([
      0,
      {
        ...shardTable(FOUR).explain('vip'),
        source: 'argument',
        shard: 'c',
        pinned: true,
        warnings: [],
      },
    ]);
  });

  test('explains each key of stdin', async () => {
    const { code, out } = await shard(['explain', '--config', 'four.json', '--lines'], 'x\nvip\n');
    expect([code, linesOf(out)]).toEqual([
      0,
      ['x', 'vip'].map((key) => ({ ...shardTable(FOUR).explain(key), source: 'stdin' })),
    ]);
  });

  test("of twemproxy's hash tags shows the bytes that are hashed", async () => {
    write('tags.json', { ...NGINX, mode: 'twemproxy-ketama', hashTag: '{}' });
    const { out } = await shard(['explain', '--config', 'tags.json', '--json', 'a{42}b']);
    expect(JSON.parse(out)).toMatchObject({ key: 'a{42}b', bytes: '3432' });
  });
});

describe('shard diff', () => {
  test('of the same topology twice exits with 0', async () => {
    const { code, out } = await shard(['diff', 'nginx.json', 'nginx.json']);
    expect(code).toBe(0);
    expect(out).toMatch(/^keys +100000 +generated\nmoved +0 +0\.00 % +at best 0\n/);
  });

  test('tells what moves, the collateral and how even it lies, and exits with 1', async () => {
    const { code, out, err } = await shard(['diff', 'four.json', 'five.json']);
    expect([code, err]).toEqual([1, '']);
    expect(out).toMatch(/\nmoved +\d{5} +(?:19|20)\.\d\d % +at best 20000\n/);
    expect(out).toMatch(/\ncollateral +0 +0\.00 %\n/);
    expect(out).toMatch(/\nimbalance +1\.0\d\d -> 1\.0\d\d\n/);
    expect(out).toMatch(/\nfrom +to +keys\n[abcd] +e\.example:80 +\d+\n/);
  });

  test('counts the keys that it is given, from stdin or from a file', async () => {
    const keys = Array.from({ length: 300 }, (_, i) => `{"key":"${i}"}\n`).join('');
    write('keys.ndjson', keys);
    const args = ['diff', 'four.json', 'five.json', '--json', '--keys'];
    const piped = await shard([...args, '-'], keys);
    expect(JSON.parse(piped.out)).toMatchObject({ keys: 300, collateral: 0, source: 'given' });
    expect(await shard([...args, 'keys.ndjson'])).toEqual(piped);
    expect(await shard([...args, '-'], '{"key":"1"}\n{"kee":"1"}\n')).toMatchObject({
      code: 2,
      err: 'faas-patterns shard diff: line 2 of the keys: must be an object with a text, key\n',
    });
  });

  test('draws both rings', async () => {
    const { code, out } = await shard([
      'diff',
      'four.json',
      'five.json',
      '--svg',
      'rings.svg',
      '--json',
    ]);
    const svg = readFileSync(path.join(folder, 'rings.svg'), 'utf8');
    const { moved, svg: file } = JSON.parse(out) as { moved: number; svg: string };
    expect([code, file]).toEqual([1, 'rings.svg']);
    expect(svg).toContain(`<title>${moved} of 100000 keys move</title>`);
  });
});

test.each([['place'], ['explain'], ['diff']])('shard %s has help of its own', async (name) => {
  const { code, out } = await shard([name, '--help']);
  expect([code, out.startsWith(`Usage: faas-patterns shard ${name} `)]).toEqual([0, true]);
  expect(out).toMatch(/\n {2}--json [\s\S]*\nExit: 0 /);
});

test('shard alone, and a command that is none, are refused with the usage', async () => {
  expect(await shard([])).toMatchObject({
    code: 2,
    err: expect.stringMatching(/place, explain, diff/),
  });
  expect(await shard(['plac'])).toMatchObject({
    code: 2,
    err: expect.stringMatching(/did you mean place/),
  });
});

describe('as a process', () => {
  const start = () =>
    spawn(
      process.execPath,
      [bundle('deploy/entry/cli.ts'), 'shard', 'place', '--config', 'four.json', '--lines'],
      {
        cwd: folder,
        env: { PATH: process.env.PATH },
      },
    );
  const ended = (child: ReturnType<typeof start>): Promise<Ran> =>
    new Promise((resolve) => {
      let [out, err] = ['', ''];
      child.stdout.on('data', (chunk) => {
        out += chunk;
      });
      child.stderr.on('data', (chunk) => {
        err += chunk;
      });
      child.on('close', (code) => resolve({ code: code as number, out, err }));
    });

  test('takes no more from the pipe than whoever reads takes from it', async () => {
    const child = start();
    const lot = Buffer.from('0123456789abcdef\n'.repeat(4096));
    let taken = 0;
    // Nobody reads: what is taken is what pipes and buffers hold.
    child.stdout.pause();
    child.stdin.on('error', () => undefined);
    for (let isFull = false; !isFull && taken < 64 * 2 ** 20; ) {
      if (child.stdin.write(lot)) taken += lot.length;
      else
        isFull = await Promise.race([
          new Promise<boolean>((resolve) => child.stdin.once('drain', () => resolve(false))),
          new Promise<boolean>((resolve) => setTimeout(resolve, 1_000, true)),
        ]);
      if (!isFull) taken += lot.length;
    }
    expect(taken).toBeLessThan(8 * 2 ** 20);
    child.kill('SIGKILL');
    await ended(child);
  });

  test('needs no more memory for many keys than for few', async () => {
    const child = start();
    const done = once(child, 'close');
    child.stdout.resume();
    const lot = Buffer.from(`${'x'.repeat(1023)}\n`.repeat(1024));
    const write = async (lots: number) => {
      for (let i = 0; i < lots; i += 1)
        if (!child.stdin.write(lot)) await once(child.stdin, 'drain');
    };
    const resident = () =>
      Number(execFileSync('ps', ['-o', 'rss=', '-p', `${child.pid}`], { encoding: 'utf8' })) / 1024;
    await write(64);
    const few = resident();
    await write(256);
    // MiB; kept whole, it would be 256 more.
    expect(resident() - few).toBeLessThan(128);
    child.stdin.end();
    expect(await done).toEqual([0, null]);
  });

  test('ends quietly when its reader has seen enough', async () => {
    const child = start();
    let err = '';
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    const done = once(child, 'close');
    child.stdin.on('error', () => undefined);
    child.stdin.write('one\n');
    await once(child.stdout, 'data');
    child.stdout.destroy();
    child.stdin.end('two\n'.repeat(100_000));
    expect([await done, err]).toEqual([[0, null], '']);
  });

  test('answers while more is to come, and ends in good order on Ctrl-C', async () => {
    const child = start();
    const done = ended(child);
    child.stdin.write('one\n');
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGINT');
    expect(await done).toEqual({
      code: 1,
      out: expect.stringMatching(/^\{"key":"one",.*\}\n$/),
      err: 'interrupted after 1 line\n',
    });
  });
});
