import { describe, expect, test } from '@jest/globals';
import { ROUTER_PROPERTIES } from '../../../../functions/shard-router/schema';
import { loadConfig } from '../../../../shared/shard/config/load';
import {
  explainConfig,
  ROUTER_MEMBERS,
  readShardConfig,
} from '../../../../shared/shard/config/read';

const SHARDS = [{ address: 'a:1' }, { address: 'b:1' }];
const KEY = { header: 'x-user' };

const mistakesOf = (value: object) => {
  const read = readShardConfig(value);
  return 'mistakes' in read ? read.mistakes.map(({ pointer }) => pointer) : [];
};

describe('what all who place requests are told', () => {
  test('is a topology and a key; without a key a request is rejected, and the members are those listed', () => {
    expect(readShardConfig({ mode: 'native', shards: SHARDS, key: KEY })).toEqual({
      config: {
        topology: { mode: 'native', shards: SHARDS },
        key: KEY,
        missing: 'reject',
        members: { from: 'static' },
      },
      router: {},
    });
  });

  test("a router's own members are handed on as they are, and are just those that it has", () => {
    const router = { onDown: 'nonsense', streams: 7 };
    expect(readShardConfig({ mode: 'native', shards: SHARDS, key: KEY, ...router })).toMatchObject({
      router,
    });
    expect(Object.keys(ROUTER_PROPERTIES).sort()).toEqual([...ROUTER_MEMBERS].sort());
  });

  test('all mistakes are told at once, each with its place', () => {
    expect(
      mistakesOf({
        mode: 'nativ',
        key: { header: 7 },
        missing: { fixed: 'a', fallback: 'b' },
        members: { from: 'nowhere' },
        'a/b': 1,
      }),
    ).toEqual(
      expect.arrayContaining([
        '/mode',
        '/missing',
        '/members/from',
        '/a~1b',
        expect.stringMatching(/^\/key/),
      ]),
    );
    expect(mistakesOf({ mode: 'native', shards: SHARDS })).toEqual(['/key']);
  });

  test.each<[unknown, readonly string[]]>([
    ['reject', []],
    ['spread', []],
    [{ fixed: 'a:1' }, []],
    [{ fallback: 'nobody' }, []],
    ['ignore', ['/missing']],
    [null, ['/missing']],
    [['spread'], ['/missing']],
    [{}, ['/missing']],
    [{ fixed: '' }, ['/missing/fixed']],
    [{ fallback: 1 }, ['/missing/fallback']],
    [{ random: true }, ['/missing/random']],
  ])('missing may be %j: mistakes at %j', (missing, pointers) => {
    expect(mistakesOf({ mode: 'native', shards: SHARDS, key: KEY, missing })).toEqual(pointers);
  });

  test('members that come later are not missed, nor what may come with them; all else is checked already', () => {
    const live = { key: KEY, members: { from: 'store' } };
    expect(mistakesOf({ mode: 'native', ...live })).toEqual([]);
    expect(mistakesOf({ mode: 'lookup', pins: { k: 'a' }, ...live })).toEqual([]);
    expect(mistakesOf({ mode: 'envoy-maglev', tableSize: 8, ...live })).toEqual(['/tableSize']);
    expect(mistakesOf({ mode: 'native', key: KEY })).toEqual(['/shards']);
    expect(mistakesOf({ mode: 'native', key: KEY, pins: { k: 'c' }, shards: SHARDS })).toEqual([
      '/pins/k',
    ]);
  });
});

describe('where it is written', () => {
  const files = {
    readNow: (file: string) => {
      if (file === 'router.json') return '{"mode":"native"}';
      throw new TypeError(`the file ${file} cannot be read (ENOENT)`);
    },
    read: () => Promise.reject(new Error('read at start')),
  };

  test('is the setting itself, or the file that it names', () => {
    expect(loadConfig('{"mode":"jump"}', undefined)).toEqual({ mode: 'jump' });
    expect(loadConfig('router.json', files)).toEqual({ mode: 'native' });
  });

  test.each<[string, string, RegExp]>([
    ['a file that is not there', 'other.json', /other\.json cannot be read/],
    ['what is no JSON', '{"mode":', /JSON/i],
    ['a name that comes twice', '{"mode":"jump","mode":"native"}', /mode/],
  ])('refuses %s', (_, source, message) => {
    expect(() => loadConfig(source, files)).toThrow(TypeError);
    expect(() => loadConfig(source, files)).toThrow(message);
  });

  test('refuses a file where there are none, and one that is no object', () => {
    expect(() => loadConfig('router.json', undefined)).toThrow(/no files here/);
    expect(() => loadConfig('list.json', { ...files, readNow: () => '[]' })).toThrow(/object/);
  });
});

test('mistakes are told a line each', () => {
  expect(
    explainConfig([
      { pointer: '', message: 'must be object' },
      { pointer: '/key', message: 'is required' },
    ]),
  ).toBe('cannot be used:\n  / must be object\n  /key is required');
});
