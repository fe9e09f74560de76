/** Which settings say where members come from. */
import { describe, expect, test } from '@jest/globals';
import { compile } from '../../../../shared/schema';
import { checkMembersSource, MEMBERS_SCHEMA } from '../../../../shared/shard/members/check';
import {
  MEMBERS_ENTRY_SCHEMA,
  MEMBERS_FILE_SCHEMA,
} from '../../../../shared/shard/members/document';

describe('a source of members', () => {
  test.each([
    [{ from: 'static' }],
    [{ from: 'file', path: 'members.json' }],
    [{ from: 'file', path: '/etc/shards/members.json', every: '500ms' }],
    [{ from: 'dns', name: '_db._tcp.db.default.svc.cluster.local' }],
    [{ from: 'dns', name: 'db.svc.', port: 80 }],
    [{ from: 'dns', name: 'db', type: 'A', port: 65_535, every: '1h' }],
    [{ from: 'dns', name: '1.db', type: 'SRV' }],
    [{ from: 'store' }],
    [{ from: 'store', key: 'é'.repeat(512) }],
  ])('can be %j', (source) => {
    expect(checkMembersSource(source, '/members')).toEqual([]);
    expect(compile(MEMBERS_SCHEMA)(source)).toEqual([]);
  });

  test.each([
    ['static', ''],
    [{}, '/from'],
    [{ from: 'etcd' }, '/from'],
    [{ from: 'static', every: '2s' }, '/every'],
    [{ from: 'static', constructor: 1 }, '/constructor'],
    [{ from: 'file' }, '/path'],
    [{ from: 'file', path: '' }, '/path'],
    [{ from: 'file', path: 'a', every: 2 }, '/every'],
    [{ from: 'file', path: 'a', every: '2' }, '/every'],
    [{ from: 'file', path: 'a', every: '99ms' }, '/every'],
    [{ from: 'file', path: 'a', every: '61m' }, '/every'],
    [{ from: 'file', path: 'a', port: 80 }, '/port'],
    [{ from: 'dns' }, '/name'],
    [{ from: 'dns', name: '10.0.0.1', port: 80 }, '/name'],
    [{ from: 'dns', name: 'fd00::1', port: 80 }, '/name'],
    [{ from: 'dns', name: 'a..b' }, '/name'],
    [{ from: 'dns', name: '-a.b' }, '/name'],
    [{ from: 'dns', name: 'a b' }, '/name'],
    [{ from: 'dns', name: `${'a'.repeat(64)}.b` }, '/name'],
    [{ from: 'dns', name: 'a', port: 0 }, '/port'],
    [{ from: 'dns', name: 'a', port: 65_536 }, '/port'],
    [{ from: 'dns', name: 'a', type: 'A' }, '/port'],
    [{ from: 'dns', name: 'a', type: 'SRV', port: 80 }, '/port'],
    [{ from: 'dns', name: 'a', type: 'AAAA' }, '/type'],
    [{ from: 'store', key: '' }, '/key'],
    [{ from: 'store', key: 'é'.repeat(513) }, '/key'],
    [{ from: 'store', key: '\ud800' }, '/key'],
    [{ from: 'store', every: '2s' }, '/every'],
  ])('cannot be %j: %s is wrong', (source, at) => {
    expect(checkMembersSource(source, '/members').map(({ pointer }) => pointer)).toEqual([
      `/members${at}`,
    ]);
  });

  test('is told of all its mistakes at once', () => {
    const found = checkMembersSource({ from: 'dns', path: 'a', every: 'soon', type: 'A' }, '');
    expect(found).toEqual([
      { pointer: '/path', message: 'is not taken from dns' },
      { pointer: '/every', message: 'must be a duration from 100ms to 1h, such as 2s' },
      { pointer: '/name', message: 'is required' },
      { pointer: '/port', message: 'is required' },
    ]);
  });
});

test('the schemas of members are schemas', () => {
  const members = { shards: [{ address: 'a:80' }], pins: { k: 'a:80' } };
  expect(compile(MEMBERS_FILE_SCHEMA)({ ...members, epoch: 3 })).toEqual([]);
  expect(compile(MEMBERS_ENTRY_SCHEMA)(members)).toEqual([]);
  expect(compile(MEMBERS_ENTRY_SCHEMA)({ ...members, epoch: 3 })).toHaveLength(1);
  expect(compile(MEMBERS_ENTRY_SCHEMA)({ pins: {} })).toHaveLength(1);
});
