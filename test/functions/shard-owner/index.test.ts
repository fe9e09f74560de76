import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import declaration from '../../../functions/shard-owner';
import { readConfig } from '../../../shared/config';
import type { ForwardOptions } from '../../../shared/handler';
import { text } from '../../../shared/http/response';
import type { Platform } from '../../../shared/platform';
import { invoke, testContext } from '../../support/invoke';
import { testPlatform } from '../../support/test-platform';

const read = (environment: Record<string, string>, production = false) =>
  readConfig(declaration.config, environment, { production });

const files = {
  readNow: (name: string) => {
    if (name === 'router.json') return ROUTER;
    throw new TypeError(`the file ${name} cannot be read (ENOENT)`);
  },
  read: () => Promise.reject(new Error('nothing is read later')),
};

/** What a router has in its file beside; it is for him to check. */
const ROUTER = JSON.stringify({
  mode: 'lookup',
  shards: [
    { address: 'a:1', name: 'a' },
    { address: 'b:1', name: 'b' },
  ],
  table: { ada: 'a', bob: 'b' },
  key: { header: 'x-user' },
  missing: { fixed: 'b' },
  onDown: 'next',
  streams: { window: 'whenever' },
});

const handlerFor = (environment: Record<string, string> = {}, platform: Partial<Platform> = {}) =>
  declaration.create(read(environment).config, testPlatform({ files, ...platform }))['* /*'];

describe('the function shard-owner', () => {
  test('works with no settings: one of three shards, with an echo behind it', async () => {
    const handler = handlerFor();
    const own = await invoke(handler, '/users/7?x=1');
    expect(own.status).toBe(200);
    expect(await own.json()).toMatchObject({ method: 'GET', path: '/users/7', query: 'x=1' });
    await expect(invoke(handler, '/users/1')).rejects.toMatchObject({ code: 'misdirected' });
    await expect(invoke(handler, '/')).rejects.toMatchObject({ code: 'key_missing' });
  });

  test("reads the routers' own file, and sends what this shard owns to its target within the timeout", async () => {
    const sent: [string, ForwardOptions | undefined][] = [];
    const context = testContext({
      forward: (...call) => {
        sent.push(call as [string, ForwardOptions]);
        return text('');
      },
    });
    const handler = handlerFor({
      SHARD_OWNER_CONFIG: 'router.json',
      SHARD_OWNER_NAME: 'b',
      SHARD_OWNER_TARGET: 'http://127.0.0.1:9000/base',
      SHARD_OWNER_TIMEOUT: '2s',
      SHARD_OWNER_IDLE: '3s',
    });
    await invoke(handler, '/x?y', { headers: { 'x-user': 'bob', 'shard-epoch': '7' } }, context);
    await invoke(handler, '/', {}, context);
    await expect(
      invoke(handler, '/', { headers: { 'x-user': 'ada' } }, context),
    ).rejects.toMatchObject({ code: 'misdirected' });
    expect(sent).toMatchObject([
      [
        'http://127.0.0.1:9000',
        {
          path: '/base/x?y',
          timeout: 2000,
          idle: 3000,
          headers: {
            'shard-epoch': '0',
            'shard-digest': expect.stringMatching(/^[\da-f]{16}$/),
            'shard-role': 'owner',
          },
        },
      ],
      ['http://127.0.0.1:9000', { path: '/base' }],
    ]);
  });

  test('sends on a body that it had to look into as it came, compressed or not', async () => {
    const sent: (ForwardOptions | undefined)[] = [];
    const context = testContext({
      forward: (_origin, options) => {
        sent.push(options);
        return text('');
      },
    });
    const handler = handlerFor({
      SHARD_OWNER_CONFIG: ROUTER.replace('{"header":"x-user"}', '{"body":"/user"}'),
      SHARD_OWNER_NAME: 'b',
      SHARD_OWNER_TARGET: 'http://a.test',
    });
    const body = gzipSync('{ "user": "bob" }');
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    await invoke(handler, '/', { body, headers }, context);
    expect(sent).toHaveLength(1);
    expect(body.equals(sent[0]?.body as Uint8Array)).toBe(true);
    expect(Object.keys(sent[0]?.headers ?? {})).toEqual([
      'shard-epoch',
      'shard-digest',
      'shard-role',
    ]);
  });

  test('takes the roles that it is told', async () => {
    const environment = {
      SHARD_OWNER_CONFIG: ROUTER,
      SHARD_OWNER_NAME: 'b',
      SHARD_OWNER_ROLES: 'bound, next',
    };
    let digest: string | null = null;
    await invoke(handlerFor({ ...environment, SHARD_OWNER_ROLES: 'spread' }), '/', {
      headers: { 'x-user': 'ada' },
    }).catch(({ headers }: { headers: Record<string, string> }) => {
      digest = headers['shard-digest'] as string;
    });
    const ask = (role: string) =>
      invoke(handlerFor(environment), '/', {
        headers: {
          'x-user': 'ada',
          'shard-epoch': '0',
          'shard-digest': `${digest}`,
          'shard-role': role,
        },
      });
    expect((await ask('next')).status).toBe(200);
    expect((await ask('bound')).status).toBe(200);
    await expect(ask('spread')).rejects.toMatchObject({ code: 'misdirected' });
  });

  test('needs its table, its name and its shard in production', () => {
    expect(read({}, true).mistakes.map(({ name }) => name)).toEqual([
      'SHARD_OWNER_CONFIG',
      'SHARD_OWNER_NAME',
      'SHARD_OWNER_TARGET',
    ]);
    expect(read({}).mistakes).toEqual([]);
  });

  test.each([['next,owner'], ['all'], ['next bound']])('knows no such roles as %s', (roles) => {
    expect(read({ SHARD_OWNER_ROLES: roles }).mistakes).toHaveLength(1);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    [
      'a target with credentials',
      { SHARD_OWNER_TARGET: 'http://user:pass@a/' },
      /^SHARD_OWNER_TARGET: .*credentials/,
    ],
    [
      'a file that is not there',
      { SHARD_OWNER_CONFIG: 'other.json' },
      /^SHARD_OWNER_CONFIG: .*ENOENT/,
    ],
    [
      'a mode that nobody knows',
      { SHARD_OWNER_CONFIG: '{"mode":"x","key":{"header":"a"}}' },
      /\/mode/,
    ],
    [
      'a member that nobody knows',
      { SHARD_OWNER_CONFIG: ROUTER.replace('onDown', 'ondown') },
      /\/ondown/,
    ],
    [
      'a name that no shard has',
      { SHARD_OWNER_CONFIG: ROUTER, SHARD_OWNER_NAME: 'c' },
      /^SHARD_OWNER_NAME: c/,
    ],
  ])('refuses %s, at start', (_, environment, message) => {
    expect(() => handlerFor(environment)).toThrow(TypeError);
    expect(() => handlerFor(environment)).toThrow(message);
  });

  test('with live members any name may come, and the store is asked for only where they come from it', () => {
    const live = (members: object) =>
      read({
        SHARD_OWNER_CONFIG: JSON.stringify({ mode: 'native', key: { header: 'a' }, members }),
        SHARD_OWNER_NAME: 'c',
      }).config;
    const needsOf = (config: ReturnType<typeof live>) => declaration.needsWith?.(config, files);
    expect(needsOf(live({ from: 'store' }))).toEqual(['store']);
    expect(needsOf(live({ from: 'file', path: 'members.json' }))).toEqual([]);
    expect(needsOf(read({}).config)).toEqual([]);
    expect(needsOf(read({ SHARD_OWNER_CONFIG: 'other.json' }).config)).toEqual([]);
    const platform = testPlatform({ files });
    declaration.create(live({ from: 'store' }), platform);
    expect(platform.works).toHaveLength(1);
    const frozen = testPlatform({ files, freezes: true });
    declaration.create(live({ from: 'store' }), frozen);
    expect(frozen.works).toHaveLength(0);
  });

  test('says whom it calls', () => {
    const { config } = read({ SHARD_OWNER_TARGET: 'http://a.test/v1' });
    expect(declaration.calls?.(config, files)).toEqual(['http://a.test/v1']);
    expect(declaration.calls?.(read({}).config, files)).toEqual([]);
  });
});
