import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadRouterConfig, readRouterConfig } from '../../../functions/shard-router/config';
import { ROUTER_SCHEMA } from '../../../functions/shard-router/schema';
import { nodeFiles } from '../../../shared/hosts/node-files';
import { compileForeign } from '../../../shared/schema';
import { MODES } from '../../../shared/shard/topology';
import { CONFIG, configOf } from './harness';

const mistakesOf = (config: object): readonly string[] => {
  const read = readRouterConfig(config);
  return 'mistakes' in read
    ? read.mistakes.map(({ pointer, message }) => `${pointer} ${message}`)
    : [];
};

/** Each with a mistake that the schema can see too, and where. */
const WRONG: readonly (readonly [string, object])[] = [
  ['/onDown', { onDown: 'panic' }],
  ['/answer', { answer: 302 }],
  ['/bound', { bound: 1 }],
  ['/bound', { bound: false }],
  ['/bound', { bound: '1.25' }],
  ['/timeout', { timeout: '30' }],
  ['/timeout', { timeout: 30 }],
  ['/retryFor', { retryFor: 'soon' }],
  ['/ttl', { ttl: '-1s' }],
  ['/missing', { missing: 'ignore' }],
  ['/health/failures', { health: { failures: 0 } }],
  ['/health/failures', { health: { failures: 1.5 } }],
  ['/health/open', { health: { open: '' } }],
  ['/health/passive', { health: { passive: true } }],
  ['/health/active/path', { health: { active: { every: '1s' } } }],
  ['/health/active/path', { health: { active: { path: 'health' } } }],
  ['/health/active/path', { health: { active: { path: '/a b' } } }],
  ['/streams/window', { streams: { window: 5 } }],
  ['/streams/for', { streams: { for: '5s' } }],
  ['/onFire', { onFire: 'next' }],
];

describe('the configuration of a router', () => {
  test('has a default for all but the topology and the key', () => {
    expect(configOf({})).toEqual({
      topology: { mode: 'nginx-consistent', shards: CONFIG.shards },
      key: { header: 'x-key' },
      missing: 'reject',
      members: { from: 'static' },
      onDown: 'fail',
      retryFor: 2_000,
      answer: 'proxy',
      ttl: undefined,
      bound: undefined,
      health: { failures: 3, open: 10_000, active: undefined },
      timeout: 30_000,
      streams: { window: 5_000, grace: 30_000, retry: 1_000, maxAge: undefined, idle: 300_000 },
    });
  });

  test('takes what is said', () => {
    expect(
      configOf({
        missing: { fixed: 'c' },
        onDown: 'pin-retry',
        retryFor: '500ms',
        answer: 'redirect',
        ttl: '1m',
        bound: true,
        health: { failures: 5, open: '1m', active: { path: '/health?deep=1', every: '1s' } },
        timeout: '1.5s',
        streams: { window: '0s', maxAge: '1h' },
      }),
    ).toMatchObject({
      missing: { fixed: 'c' },
      onDown: 'pin-retry',
      retryFor: 500,
      answer: 'redirect',
      ttl: 60_000,
      bound: 1.25,
      health: {
        failures: 5,
        open: 60_000,
        active: { path: '/health?deep=1', every: 1_000, timeout: 1_000 },
      },
      timeout: 1_500,
      streams: { window: 0, maxAge: 3_600_000, idle: 300_000 },
    });
  });

  test('tells all mistakes at once, each with its place', () => {
    expect(
      mistakesOf({
        mode: 'nginx',
        shards: [{ adress: 'a:1' }],
        missing: 'guess',
        members: { from: 'thin air' },
        onDown: 'panic',
        health: { open: '10 s' },
        color: 'blue',
      }).map((mistake) => mistake.split(' ')[0]),
    ).toEqual(
      expect.arrayContaining([
        '/mode',
        '/shards/0/address',
        '/shards/0/adress',
        '/key',
        '/missing',
        '/members/from',
        '/onDown',
        '/color',
      ]),
    );
  });

  test.each(WRONG)('refuses at %s: %j', (pointer, wrong) => {
    expect(mistakesOf({ ...CONFIG, ...wrong }).map((mistake) => mistake.split(' ')[0])).toContain(
      pointer,
    );
  });

  test('says one thing of a value of another type', () => {
    expect(mistakesOf({ ...CONFIG, timeout: 30 })).toEqual(['/timeout must be string']);
    expect(mistakesOf({ ...CONFIG, health: null, streams: [] })).toEqual([
      '/health must be object',
      '/streams must be object',
    ]);
  });

  test('says what is wrong with a value beside one of another type', () => {
    const wrong = {
      onDown: 'x',
      color: 1,
      timeout: '5',
      bound: 1,
      health: { failures: 0, open: '-1s' },
    };
    expect(mistakesOf({ ...CONFIG, ...wrong }).map((mistake) => mistake.split(' ')[0])).toEqual(
      expect.arrayContaining(['/onDown', '/timeout', '/bound', '/health/failures', '/health/open']),
    );
  });

  test.each([
    ['timeout', '2h'],
    ['retryFor', '2m'],
    ['ttl', '2d'],
    ['timeout', '0s'],
    ['retryFor', '0ms'],
  ])('lets no wait be endless or none: %s %s', (name, value) => {
    expect(mistakesOf({ ...CONFIG, [name]: value })).toEqual([
      expect.stringMatching(`^/${name} must be at (most|least) `),
    ]);
  });

  test('wants a shard that is there for requests without a key', () => {
    expect(mistakesOf({ ...CONFIG, missing: { fixed: 'z' } })).toEqual([
      '/missing/fixed must be the name of a shard',
    ]);
  });

  test('wants shards that can be reached, unless it only tells who they are', () => {
    const shards = [{ address: 'unix:/run/a.sock' }, { address: 'b:80' }];
    const wrong = ['/shards/0/urls is required: http:// and the address make no URL'];
    expect(mistakesOf({ ...CONFIG, shards })).toEqual(wrong);
    expect(mistakesOf({ ...CONFIG, shards, answer: 'redirect' })).toEqual(wrong);
    expect(mistakesOf({ ...CONFIG, shards, answer: 'lookup' })).toEqual([]);
    const [first, second] = shards;
    expect(
      mistakesOf({ ...CONFIG, shards: [{ ...first, urls: ['http://a:80'] }, second] }),
    ).toEqual([]);
  });

  test.each(MODES)('serves the mode %s', (mode) => {
    const table =
      mode === 'range'
        ? [{ shard: 'a' }]
        : { lookup: { k: 'a' }, prefix: { k: 'a' } }[mode as 'lookup'];
    expect(mistakesOf({ ...CONFIG, mode, ...(table && { table }) })).toEqual([]);
  });

  test('is the JSON itself, or a file', () => {
    const folder = path.resolve(__dirname, 'files');
    const inline = loadRouterConfig(JSON.stringify(CONFIG), undefined);
    expect(inline).toEqual(configOf({}));
    expect(loadRouterConfig('router.json', nodeFiles(folder)).topology.mode).toBe('native');
    expect(() => loadRouterConfig('none.json', nodeFiles(folder))).toThrow('none.json');
    expect(() => loadRouterConfig('router.json', undefined)).toThrow('no files here');
    expect(() => loadRouterConfig('{"mode":', undefined)).toThrow(TypeError);
    expect(() => loadRouterConfig('{"mode":"native","mode":"jump"}', undefined)).toThrow(TypeError);
    expect(() => loadRouterConfig('{"mode":"native"}', undefined)).toThrow(/\/key is required/);
  });
});

describe('the JSON Schema of the configuration', () => {
  const check = compileForeign(ROUTER_SCHEMA as never);

  test('is the file for editors', () => {
    const file = path.resolve(
      __dirname,
      '../../../functions/shard-router/shard-router.schema.json',
    );
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(ROUTER_SCHEMA);
  });

  test('takes what the router takes', () => {
    expect(check({ ...CONFIG })).toEqual([]);
    for (const more of [
      { missing: 'spread' },
      { missing: { fallback: 'x' } },
      { bound: 1.5 },
      { bound: true },
      { members: { from: 'dns', name: 'a.b' } },
      { key: { first: [{ cookie: 'a', mint: true }, { client: 'address' }] } },
      { health: { active: { path: '/health' } }, streams: { idle: '1m' } },
    ])
      expect([more, check({ ...CONFIG, ...more })]).toEqual([more, []]);
  });

  test.each(WRONG)('refuses what the router refuses at %s: %j', (_, wrong) => {
    expect(check({ ...CONFIG, ...wrong })).not.toEqual([]);
  });
});
