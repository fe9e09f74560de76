import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import declaration from '../../../functions/shard-router';
import { readConfig } from '../../../shared/config';
import { nodeFiles } from '../../../shared/hosts/node-files';
import { describeFunction } from '../../../shared/suite/describe';
import { invoke } from '../../support/invoke';
import { testPlatform } from '../../support/test-platform';
import { CONFIG } from './harness';

const files = nodeFiles(path.join(__dirname, 'files'));
const read = (source?: string, production = false) =>
  readConfig(declaration.config, { SHARD_ROUTER_CONFIG: source }, { production });

describe('the function shard-router', () => {
  test('works with no settings: three shards show what would reach them', async () => {
    const routes = declaration.create(read().config, testPlatform({ files }));
    const handler = routes['* /*'];
    const answers = await Promise.all(
      Array.from({ length: 30 }, async (_, user) => {
        const answer = await invoke(handler, `/users/${user}?x=%20`);
        return (await answer.json()) as { shard: string; path: string; headers: object };
      }),
    );
    expect(new Set(answers.map(({ shard }) => shard))).toEqual(
      new Set(['shard-1', 'shard-2', 'shard-3']),
    );
    expect(answers[7]).toMatchObject({
      method: 'GET',
      path: '/users/7?x=%20',
      headers: { 'shard-epoch': '0', 'shard-role': 'owner' },
    });
    const table = await (await invoke(routes['GET /owner/table'], '/owner/table')).json();
    expect(table).toMatchObject({ health: [{ inFlight: 0 }, { inFlight: 0 }, { inFlight: 0 }] });
  });

  test('must be told its shards in production', () => {
    expect(read(undefined, true).mistakes.map(({ name }) => name)).toEqual(['SHARD_ROUTER_CONFIG']);
    expect(read('./router.json', true).mistakes).toEqual([]);
  });

  test('says all that is wrong with them by the name of the setting', () => {
    const { config } = read('{"mode":"native","shards":[],"onDown":"never"}');
    expect(() => declaration.create(config, testPlatform({ files }))).toThrow(
      /^SHARD_ROUTER_CONFIG: cannot be used:\n(?: {2}\/\S+ .+\n)+ {2}\/onDown must be one of [^\n]+$/,
    );
  });

  test('refuses members from where this host has none', () => {
    const members = [
      { from: 'file', path: 'members.json' },
      { from: 'dns', name: 'db.ns' },
    ];
    for (const one of members) {
      const { config } = read(JSON.stringify({ ...CONFIG, shards: undefined, members: one }));
      expect(() =>
        declaration.create(config, testPlatform({ files: undefined, names: undefined })),
      ).toThrow(TypeError);
    }
  });

  test('needs the store when its members come from there, and only then', () => {
    const needs = (config: object) =>
      declaration.needsWith?.(read(JSON.stringify({ ...CONFIG, ...config })).config, files);
    expect(needs({})).toEqual([]);
    expect(needs({ shards: undefined, members: { from: 'store' } })).toEqual(['store']);
    expect(declaration.needsWith?.(read('{"wrong":').config, files)).toEqual([]);
  });

  test('shows whom it calls, from a file as well, and nobody for the shards of the demo', () => {
    const calls = (source?: string) =>
      describeFunction(declaration, { config: read(source).config, files }).calls;
    expect(calls('router.json')).toEqual(['http://127.0.0.1:9001', 'http://127.0.0.1:9002']);
    expect(calls(JSON.stringify(CONFIG))).toHaveLength(5);
    expect(calls()).toEqual([]);
    expect(calls('none.json')).toEqual([]);
  });
});
