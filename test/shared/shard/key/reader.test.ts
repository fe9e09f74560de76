/** Keys of modes without a peer in HTTP, and what all modes have in common. */
import { describe, expect, test } from '@jest/globals';
import type { Key, KeySource } from '../../../../shared/shard/key/key';
import { shardTable } from '../../../../shared/shard/table';
import type { Mode } from '../../../../shared/shard/topology';
import {
  type Asked,
  contextOf,
  read,
  readerFor,
  requestOf,
  valueFor,
  webRequestOf,
} from './reading';

const bytes = (...values: number[]) => Uint8Array.from(values);
const PLAIN: readonly Mode[] = [
  'native',
  'jump',
  'modulo',
  'ordinal',
  'lookup',
  'prefix',
  'range',
  'twemproxy-ketama',
  'twemproxy-modula',
];

describe.each(PLAIN)('mode %s', (mode) => {
  test.each<[string, KeySource, Asked, unknown]>([
    ['a header', { header: 'X-User' }, { headers: [['x-user', 'a']] }, 'a'],
    [
      'lines of a header, joined',
      { header: 'x' },
      {
        headers: [
          ['x', 'a'],
          ['X', 'b, c'],
        ],
      },
      'a, b, c',
    ],
    [
      'the first line',
      { header: 'x', duplicates: 'first' },
      {
        headers: [
          ['x', 'a'],
          ['x', 'b'],
        ],
      },
      'a',
    ],
    [
      'the first element',
      { header: 'x', duplicates: 'first-element' },
      {
        headers: [
          ['x', 'a , c'],
          ['x', 'b'],
        ],
      },
      'a',
    ],
    ['bytes of a header', { header: 'x' }, { headers: [['x', '\xc3\xa9']] }, bytes(0xc3, 0xa9)],
    ['no header', { header: 'x' }, {}, 'missing'],
    ['an empty header', { header: 'x' }, { headers: [['x', '']] }, 'missing'],
    ['a parameter, decoded', { query: 'k' }, { target: '/?K=0&k=%C3%A9+1&k=2' }, 'é 1'],
    ['a name, decoded', { query: 'k é' }, { target: '/?k+%C3%A9=1' }, '1'],
    ['a parameter that cannot be', { query: 'k' }, { target: '/?k=%zz+' }, '%zz+'],
    ['a parameter, raw', { query: 'k', decode: false }, { target: '/?k=%61+' }, '%61+'],
    [
      'bytes of a parameter',
      { query: 'k', decode: false },
      { target: '/?k=\xc3\xa9' },
      bytes(0xc3, 0xa9),
    ],
    ['an empty parameter', { query: 'k' }, { target: '/?k=' }, 'missing'],
    ['a segment, decoded', { path: 2 }, { target: '/a//b%2Fc+%C3%A9/d?x' }, 'b/c+é'],
    ['a segment that cannot be', { path: 1 }, { target: '/%zz/d' }, '%zz'],
    ['a segment, raw', { path: 1, decode: false }, { target: '/%61' }, '%61'],
    ['a segment beyond the last', { path: 3 }, { target: '/a/b/' }, 'missing'],
    ['a segment before a fragment', { path: 1 }, { target: '/a#b' }, 'a'],
    ['a pattern, its group decoded', { path: '^/u/([^/]+)' }, { target: '/u/%C3%A9%2F/x' }, 'é/'],
    ['a pattern, raw', { path: '^/(.+)$', decode: false }, { target: '/%61?b' }, '%61'],
    ['a pattern that does not match', { path: '^/u/([^/]+)' }, { target: '/v/a' }, 'missing'],
    ['a group that is not met', { path: '^/(?:(a)|b)' }, { target: '/b' }, 'missing'],
    ['a cookie', { cookie: 'sid' }, { headers: [['cookie', 'a=b; sid=1; sid=2']] }, '1'],
    ['no cookie', { cookie: 'sid' }, {}, 'missing'],
    ['the client', { client: 'address' }, { clientAddress: '2001:db8::1' }, '2001:db8::1'],
    ['a client without an address', { client: 'address' }, { clientAddress: undefined }, 'missing'],
    [
      'all',
      { all: [{ header: 'x' }, { query: 'k' }], separator: '/' },
      { target: '/?k=%C3%A9', headers: [['x', 'a']] },
      'a/é',
    ],
    [
      'all, with bytes',
      { all: [{ query: 'k' }, { header: 'x' }], separator: ':' },
      { target: '/?k=%C3%A9', headers: [['x', '\xff']] },
      bytes(0xc3, 0xa9, 0x3a, 0xff),
    ],
    [
      'all without a separator',
      { all: [{ header: 'x' }, { query: 'k' }] },
      { target: '/?k=b', headers: [['x', 'a']] },
      'ab',
    ],
    ['not all', { all: [{ header: 'x' }, { query: 'k' }] }, { target: '/?k=b' }, 'missing'],
    ['the first', { first: [{ header: 'x' }, { query: 'k' }] }, { target: '/?k=b' }, 'b'],
    ['none of the first', { first: [{ header: 'x' }, { query: 'k' }] }, {}, 'missing'],
  ])('%s', (_, source, asked, value) => {
    expect(valueFor(source, asked, mode)).toEqual(value);
  });

  test('has no policies, even where lines were to be chained', () => {
    const found = read(
      { header: 'x', duplicates: 'chain' },
      {
        headers: [
          ['x', 'a'],
          ['x', 'b'],
        ],
      },
      mode,
    );
    expect(found).toEqual({ value: 'a, b', source: 'header x' });
  });
});

test('a key says where it was found', () => {
  const asked = { target: '/a?k=1', headers: [['cookie', 'sid=2']] } as const;
  const sourceOf = (source: KeySource) => (read(source, asked) as Key).source;
  expect(
    [
      { query: 'k' },
      { path: 1 },
      { path: '^/(.)' },
      { client: 'address' } as const,
      { first: [{ header: 'x' }, { cookie: 'sid' }] },
      { all: [{ query: 'k' }, { path: 1 }] },
    ].map(sourceOf),
  ).toEqual([
    'query k',
    'path segment 1',
    'path pattern ^/(.)',
    'client address',
    'cookie sid',
    'query k + path segment 1',
  ]);
});

describe('the path', () => {
  test.each([
    '/users/7/../8',
    '/users/./7',
    '/users/7/%2e%2E/8',
    '/users/7/%2E',
    '/users%2f..%2f8',
    '/users/7/..;/8',
  ])('%s is refused: who resolves it would see another key', (target) => {
    for (const path of [2, '^/users/([^/]+)'])
      expect(() => valueFor({ path }, { target })).toThrow('as a segment');
  });

  test.each(['/users/7.', '/users/..7', '/users/.well', '/users/%2e7'])('%s is a key', (target) => {
    expect(valueFor({ path: 2 }, { target })).not.toBe('missing');
  });

  test('is that below the function, whatever the URL says', () => {
    const reader = readerFor({ path: 1 });
    const request = requestOf({ target: '/router/tenant' });
    expect(reader.read(request, contextOf({ target: '/tenant' }))).toMatchObject({
      value: 'tenant',
    });
  });

  test('that is longer than a pattern may cost has no key', () => {
    const linear = '/^/([^/]+)/x$'.slice(1);
    const at = (pattern: string, length: number) =>
      valueFor({ path: pattern }, { target: `/${'a'.repeat(length - 3)}/x` });
    expect([at(linear, 8192), at(linear, 8193)]).toEqual(['a'.repeat(8189), 'missing']);
    const quadratic = '([^/]+)/x';
    expect([at(quadratic, 2048), at(quadratic, 2049)]).toEqual(['a'.repeat(2045), 'missing']);
  });

  test('is matched in bytes: a letter beyond ASCII is several', () => {
    expect(valueFor({ path: '^/é(.)' }, { target: '/\xc3\xa9x' })).toBe('x');
    expect(valueFor({ path: '^/(.)x' }, { target: '/\xc3\xa9x' })).toBe('missing');
  });
});

describe('at the edge', () => {
  const SOURCES: readonly KeySource[] = [
    { header: 'x' },
    { query: 'k' },
    { query: 'k', decode: false },
    { path: 1 },
    { path: '^/(.*)$' },
    { cookie: 'sid' },
    { all: [{ header: 'x' }, { path: 1 }], separator: ':' },
  ];
  const octets = (text: string) => Buffer.from(text).toString('latin1');

  test.each(['native', 'nginx-consistent', 'haproxy-consistent', 'envoy-ring'] as const)(
    'the same request has the same key: %s',
    (mode) => {
      for (const text of ['plain', 'é', '数据', '%41', '%zz', '🐎'])
        for (const source of SOURCES) {
          const asked = (as: (text: string) => string): Asked => ({
            target: `/${as(text)}?k=${as(text)}`,
            headers: [
              ['x', as(text)],
              ['cookie', `sid=${as(text)}`],
            ],
          });
          const edge = readerFor(source, mode, { runtime: 'edge' });
          const decoded = asked((one) => one);
          expect(edge.read(webRequestOf(decoded), contextOf(decoded))).toEqual(
            read(source, asked(octets), mode),
          );
        }
    },
  );

  test('lines arrive joined, and are one', () => {
    const asked = {
      headers: [
        ['x', 'a'],
        ['x', 'b'],
      ],
    } as const;
    const at = (duplicates: 'first' | 'join' | 'first-element' | 'chain') =>
      readerFor({ header: 'x', duplicates }, 'envoy-ring', { runtime: 'edge' }).read(
        webRequestOf(asked),
        contextOf(asked),
      );
    expect([at('first'), at('join'), at('chain'), at('first-element')]).toEqual(
      ['a, b', 'a, b', 'a, b', 'a'].map((value) => ({ value, source: 'header x' })),
    );
  });
});

test('a key is placed by the table as it is', () => {
  const table = shardTable({ mode: 'native', shards: [{ address: 'a' }, { address: 'b' }] });
  for (const value of ['k', 'é', bytes(0xff, 1)]) {
    const key: Key = { value, source: 'header x' };
    expect(table.place(key)).toBe(table.place(value));
    expect(table.candidates(key)).toEqual(table.candidates(value));
    expect(table.explain(key)).toEqual(table.explain(value));
  }
});
