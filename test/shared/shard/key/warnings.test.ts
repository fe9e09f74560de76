/** What is said at start, and that what is exact says nothing. */
import { expect, test } from '@jest/globals';
import type { KeySource } from '../../../../shared/shard/key/key';
import type { Runtime } from '../../../../shared/shard/key/warnings';
import type { Mode } from '../../../../shared/shard/topology';
import { readerFor } from './reading';

const HEADER: KeySource = { header: 'x' };
const SAID: KeySource = { header: 'x', duplicates: 'join' };
const FIRST: KeySource = { header: 'x', duplicates: 'first' };
const CHAIN: KeySource = { header: 'x', duplicates: 'chain' };
const QUERY: KeySource = { query: 'k' };
const COOKIE: KeySource = { cookie: 's' };

test.each<[Mode, Runtime, KeySource, readonly string[]]>([
  ['native', 'node', HEADER, []],
  ['native', 'node', FIRST, []],
  ['native', 'node', CHAIN, ['chain_unused']],
  ['native', 'node', { body: '/a' }, []],
  ['native', 'node', COOKIE, []],
  ['native', 'edge', QUERY, []],
  ['native', 'edge', { path: 1 }, []],
  ['native', 'edge', HEADER, ['header_bytes']],
  ['native', 'edge', FIRST, ['lines_joined', 'header_bytes']],
  ['native', 'edge', COOKIE, ['lines_joined']],
  ['nginx-hash', 'node', HEADER, ['duplicates_by_version', 'header_tabs']],
  ['nginx-consistent', 'node', SAID, ['header_tabs']],
  ['nginx-consistent', 'node', QUERY, []],
  ['nginx-consistent', 'node', { path: 1 }, []],
  ['nginx-consistent', 'edge', FIRST, ['header_tabs', 'lines_joined', 'header_bytes']],
  ['haproxy-consistent', 'node', HEADER, []],
  ['haproxy-consistent', 'edge', HEADER, ['header_bytes']],
  ['haproxy-consistent', 'node', QUERY, ['empty_value']],
  ['haproxy-consistent', 'node', COOKIE, ['empty_value']],
  ['haproxy-consistent', 'node', { path: 1 }, ['empty_value']],
  ['haproxy-consistent', 'node', { body: '/a' }, ['json_numbers']],
  ['haproxy-consistent', 'node', { client: 'address' }, ['client_hash']],
  ['envoy-ring', 'node', HEADER, []],
  ['envoy-ring', 'edge', HEADER, ['lines_joined', 'header_bytes']],
  ['envoy-maglev', 'node', { client: 'address' }, []],
  [
    'native',
    'edge',
    { all: [HEADER, { first: [HEADER, FIRST] }] },
    ['header_bytes', 'lines_joined'],
  ],
])('%s on %s: %j', (mode, runtime, source, codes) => {
  const { warnings } = readerFor(source, mode, { runtime });
  expect(warnings.map(({ code }) => code)).toEqual(codes);
  for (const { message } of warnings) expect(message).toMatch(/^[A-Z].*[^.]\.$/);
});
