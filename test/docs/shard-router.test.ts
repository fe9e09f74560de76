/** What docs/shard-router.md says of members and of peers: as the schema has them, and as the real peers place. */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ROUTER_SCHEMA } from '../../functions/shard-router/schema';
import type { KeyValue } from '../../shared/shard/key/key';
import { type ShardTable, shardTable } from '../../shared/shard/table';
import type { TopologyInput } from '../../shared/shard/topology';
import { askRedis, type Stub, startHttpStub, startRedisStub } from '../shared/shard/peers-wire';
import { startHaproxy } from '../support/haproxy';
import { startNginx } from '../support/nginx';
import { startNutcracker } from '../support/nutcracker';
import { ROOT } from './copy';
import { readPage } from './markdown';

const text = readFileSync(path.join(ROOT, 'docs/shard-router.md'), 'utf8');
const { blocks } = readPage(text);
const fileNamed = (name: string): string =>
  blocks.find(({ file }) => file === `shards/${name}`)?.text as string;
const inLanguage = (wanted: string): string =>
  blocks.find(({ language }) => language === wanted)?.text as string;

interface Schema {
  readonly type?: string | readonly string[];
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** Of one member, and of all within; what a key source and a table hold is told elsewhere on the page. */
const membersOf = (
  name: string,
  schema: Schema,
): readonly (readonly [string, string | undefined])[] => {
  if (['$schema', 'key', 'members', 'missing', 'table', 'pins'].includes(name))
    return name === '$schema' ? [] : [[name, undefined]];
  const inner = schema.items?.properties ?? schema.properties;
  const own =
    schema.default ??
    /Default:? (\d+|true|false)\b/.exec(schema.description ?? '')?.[1] ??
    undefined;
  return [
    ...(inner && schema.type === 'object' ? [] : [[name, own?.toString()] as const]),
    ...Object.entries(inner ?? {}).flatMap(([member, one]) => membersOf(`${name}.${member}`, one)),
  ];
};

const MEMBERS = Object.entries(ROUTER_SCHEMA.properties as Record<string, Schema>).flatMap(
  ([name, schema]) => membersOf(name, schema),
);

describe('the table of members', () => {
  const section = text.slice(text.indexOf('## Configuration'), text.indexOf('## Modes'));
  const rows = new Map(
    [...section.matchAll(/^\| `([\w.]+)` \| .* \| (.*) \|$/gm)].map(
      ([, name, fallback]) => [name, fallback] as const,
    ),
  );

  test('has each member of the schema, and no other', () => {
    expect([...rows.keys()].sort()).toEqual(MEMBERS.map(([name]) => name).sort());
  });

  test.each(MEMBERS.filter(([, own]) => own !== undefined))(
    'has the default of %s: %s',
    (name, own) => {
      expect(rows.get(name)).toMatch(new RegExp(`^\`${own}\`(?:;|$)`));
    },
  );
});

describe('a peer with the configuration of the page places as the topology of the page', () => {
  const KEYS = Array.from({ length: 300 }, (_, i) => `user-${(i * 7919).toString(36)}`);
  let stubs: readonly [Stub, Stub];
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    stubs = await Promise.all([startHttpStub(), startRedisStub()]);
  });
  afterAll(async () => {
    for (const stop of [...stops, ...stubs.map((stub) => stub.stop)]) await stop();
  });

  /** Servers of this machine in the place of those of the page, on both sides. */
  const here = (page: string, stub: Stub): string =>
    page.replace(/\b10\.0\.0\.(\d+):\d+/g, `127.0.0.$1:${stub.port}`);
  const tableOf = (file: string, stub: Stub): ShardTable =>
    shardTable(JSON.parse(here(fileNamed(file), stub)) as TopologyInput);
  const owners = (table: ShardTable, member: 'name' | 'address', keys: readonly KeyValue[]) =>
    keys.map((key) => table.place(key)?.[member]);
  const ask = (socketPath: string, target: string, headers: http.OutgoingHttpHeaders = {}) =>
    new Promise<string>((resolve, reject) => {
      http
        .get({ socketPath, path: target, headers, agent: false }, (answer) => {
          answer.resume().on('end', () => resolve(`${answer.headers['x-owner']}`));
        })
        .on('error', reject);
    });
  const askEach = async (question: (key: string) => Promise<string>): Promise<string[]> => {
    const answers: string[] = [];
    for (const key of KEYS) answers.push(await question(key));
    return answers;
  };

  test('nginx', async () => {
    const [, upstream = ''] = /^upstream users \{([\s\S]*)\}\s*$/.exec(inLanguage('nginx')) ?? [];
    const nginx = await startNginx({ users: here(upstream, stubs[0]) });
    stops.push(nginx.stop);
    const answers = await askEach((key) => ask(nginx.path, `/users?user=${key}`));
    expect(new Set(answers).size).toBe(3);
    expect(answers).toEqual(owners(tableOf('nginx.json', stubs[0]), 'address', KEYS));
  });

  test('HAProxy', async () => {
    const [, ...lines] = here(inLanguage('haproxy'), stubs[0]).trim().split('\n');
    const haproxy = await startHaproxy({ users: lines.map((line) => line.trim()) });
    stops.push(haproxy.stop);
    const answers = await askEach((key) => ask(haproxy.path, '/users', { 'x-user': key }));
    expect(new Set(answers).size).toBe(3);
    expect(answers).toEqual(owners(tableOf('haproxy.json', stubs[0]), 'name', KEYS));
  });

  test('twemproxy', async () => {
    const pool = here(fileNamed('nutcracker.yml'), stubs[1]);
    const settings = Object.fromEntries(
      [...pool.matchAll(/^ {2}(hash|hash_tag|distribution): "?(.*?)"?$/gm)].map(
        ([, name = '', value = '']) => [name, value],
      ),
    );
    const servers = [...pool.matchAll(/^ {4}- (.*)$/gm)].map(([, server = '']) => server);
    const nutcracker = await startNutcracker({ cache: { settings, servers } });
    stops.push(nutcracker.stop);
    const keys = KEYS.map((key, i) => (i % 2 ? key : `{${key}}:${i}`));
    const answers = await askRedis(nutcracker.pathOf('cache'), keys);
    expect([Object.keys(settings).length, new Set(answers).size]).toEqual([3, 3]);
    expect(answers).toEqual(owners(tableOf('twemproxy.json', stubs[1]), 'address', keys));
  });
});
