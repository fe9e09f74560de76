import { describe, expect, test } from '@jest/globals';
import { fenceFields, readFence } from '../../../functions/shard-owner/fence';
import { withoutMint } from '../../../functions/shard-owner/without-mint';
import { fenceOf } from '../../../functions/shard-router/fence';
import { HeaderPairs } from '../../../shared/http/headers';
import type { KeySource } from '../../../shared/shard/key/key';
import { shardTable } from '../../../shared/shard/table';

const DIGEST = '00112233aabbccdd';
const GOOD = { 'shard-epoch': '7', 'shard-digest': DIGEST, 'shard-role': 'owner' };

const read = (...fields: readonly Readonly<Record<string, string>>[]) => {
  const headers = new HeaderPairs();
  for (const set of fields)
    for (const [name, value] of Object.entries(set)) headers.append(name, value);
  return readFence({ headers } as unknown as Request);
};

describe('what a request says of the table behind it', () => {
  test('is three fields, as a router writes them', () => {
    const table = shardTable(
      { mode: 'native', shards: [{ address: 'a' }] },
      { epoch: 2 ** 53 - 1 },
    );
    for (const role of ['owner', 'replica', 'next', 'bound', 'spread'] as const) {
      const told = { epoch: table.epoch, digest: table.digest, role };
      expect(read(fenceOf(table, role))).toEqual(told);
      expect(fenceFields(told)).toEqual(fenceOf(table, role));
    }
  });

  test.each<[string, Record<string, string>]>([
    ['no epoch', { 'shard-epoch': '' }],
    ['a negative epoch', { 'shard-epoch': '-1' }],
    ['an epoch that is no whole number', { 'shard-epoch': '1.5' }],
    ['an epoch in another notation', { 'shard-epoch': '1e3' }],
    ['an epoch beyond what a double counts', { 'shard-epoch': '9007199254740993' }],
    ['a short digest', { 'shard-digest': DIGEST.slice(1) }],
    ['a digest in capitals', { 'shard-digest': DIGEST.toUpperCase() }],
    ['no role', { 'shard-role': '' }],
    ['a role that is none', { 'shard-role': 'constructor' }],
  ])('is nothing with %s', (_, wrong) => {
    expect(read({ ...GOOD, ...wrong })).toBeUndefined();
  });

  test('is nothing when a field is missing, or is there twice', () => {
    expect(read(GOOD)).toBeDefined();
    for (const name of Object.keys(GOOD)) {
      const rest = Object.fromEntries(Object.entries(GOOD).filter(([other]) => other !== name));
      expect(read(rest)).toBeUndefined();
      expect(read(GOOD, { [name]: GOOD[name as keyof typeof GOOD] })).toBeUndefined();
    }
  });
});

test('a shard mints no key, wherever the routers would', () => {
  const cookie = { cookie: 'id', mint: { ttl: '1d' } };
  const header = { header: 'x-key', duplicates: 'first' } as const;
  const source: KeySource = {
    first: [header, cookie, { all: [cookie, { query: 'k' }], separator: ':' }],
  };
  expect(withoutMint(source)).toEqual({
    first: [header, { cookie: 'id' }, { all: [{ cookie: 'id' }, { query: 'k' }], separator: ':' }],
  });
});
