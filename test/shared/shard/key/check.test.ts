/** Mistakes in a key source: all of them, each with its place. */
import { describe, expect, test } from '@jest/globals';
import type { InputError } from '../../../../shared/failure';
import { compileForeign } from '../../../../shared/schema';
import { checkKeySource, KEY_SCHEMA } from '../../../../shared/shard/key/check';
import type { KeySource } from '../../../../shared/shard/key/key';

const GOOD: readonly KeySource[] = [
  { header: 'X-User' },
  { header: 'x', duplicates: 'chain' },
  { query: 'k é' },
  { query: 'k', decode: false },
  { path: 1 },
  { path: '^/([^/]+)', decode: false },
  { body: '/a/b~1c' },
  { body: '' },
  { cookie: 'sid' },
  { cookie: 'sid', mint: true },
  { cookie: 'sid', mint: { ttl: '30d', path: '/x' } },
  { client: 'address' },
  { all: [{ header: 'x' }, { query: 'k' }], separator: ':' },
  { first: [{ all: [{ header: 'x' }, { query: 'k' }] }, { cookie: 'sid', mint: true }] },
  { first: [{ all: [{ cookie: 'sid', mint: true }, { header: 'x' }] }, { query: 'k' }] },
];

/** Deep enough for every level, and no deeper. */
const nested = (depth: number): unknown =>
  depth === 1 ? { header: 'x' } : { all: [nested(depth - 1)] };

const BAD: readonly (readonly [unknown, readonly string[]])[] = [
  [null, ['']],
  ['header', ['']],
  [[{ header: 'x' }], ['']],
  [{}, ['']],
  [{ headers: 'x' }, ['']],
  [{ header: 'x', query: 'k' }, ['']],
  [{ header: 7 }, ['/header']],
  [{ header: '' }, ['/header']],
  [{ header: 'x', duplicates: 'last' }, ['/duplicates']],
  [{ header: 'x', decode: true }, ['/decode']],
  [{ query: '' }, ['/query']],
  [{ query: 'k', decode: 'no' }, ['/decode']],
  [{ path: 0 }, ['/path']],
  [{ path: 1.5 }, ['/path']],
  [{ path: 65 }, ['/path']],
  [{ path: '' }, ['/path']],
  [{ client: 'name' }, ['/client']],
  [{ cookie: 'sid', mint: 'yes' }, ['/mint']],
  [{ cookie: 'sid', mint: { domain: 'x' } }, ['/mint/domain']],
  [{ all: 'header' }, ['/all']],
  [{ all: [] }, ['/all']],
  [{ all: Array(17).fill({ header: 'x' }) }, ['/all']],
  [{ all: [{ header: 'x' }], separator: 1 }, ['/separator']],
  [{ first: [{ header: 'x' }, { header: 1 }, { path: 0 }] }, ['/first/1/header', '/first/2/path']],
  [nested(4), ['/all/0/all/0/all']],
];

/** What only the check can tell. */
const WORSE: readonly (readonly [unknown, readonly string[]])[] = [
  [{ header: 'x user' }, ['/header']],
  [{ header: 'x\r\ny' }, ['/header']],
  [{ path: '^/a' }, ['/path']],
  [{ path: '^(a+)+$' }, ['/path']],
  [{ body: 'user' }, ['/body']],
  [{ body: '/a~2' }, ['/body']],
  [{ cookie: 'a=b' }, ['/cookie']],
  [{ cookie: 'sid', mint: { ttl: 'soon', path: 'x; Domain=y' } }, ['/mint/ttl', '/mint/path']],
  [{ cookie: 'sid', mint: { ttl: '0s' } }, ['/mint/ttl']],
  [
    {
      all: [
        { cookie: 'a', mint: true },
        { cookie: 'b', mint: true },
      ],
    },
    ['/all/1/mint'],
  ],
  [{ first: [{ cookie: 'a', mint: true }, { header: 'x' }] }, ['/first/1']],
  [
    { first: [{ first: [{ header: 'x' }, { cookie: 'a', mint: {} }] }, { header: 'y' }] },
    ['/first/1'],
  ],
];

const pointers = (found: readonly InputError[]) => found.map(({ pointer }) => pointer);

describe('taken', () => {
  test.each(GOOD)('%j', (source) => {
    expect(checkKeySource(source, '/key')).toEqual([]);
  });

  test('as deep as three levels', () => {
    expect(checkKeySource(nested(3), '')).toEqual([]);
  });
});

describe('refused', () => {
  test.each([...BAD, ...WORSE])('%j at %j', (source, at) => {
    expect(pointers(checkKeySource(source, '/key'))).toEqual(at.map((one) => `/key${one}`));
  });
});

describe('the schema for editors', () => {
  const check = compileForeign(KEY_SCHEMA);

  test.each(GOOD)('takes %j', (source) => {
    expect(check(source)).toEqual([]);
  });

  test.each(BAD.filter(([source]) => Object.keys(source ?? {}).length < 2 || source === null))(
    'refuses %j',
    (source) => {
      expect(check(source)).not.toEqual([]);
    },
  );
});
