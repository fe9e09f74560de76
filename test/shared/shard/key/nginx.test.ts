/** The key bytes of a real nginx. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { KeySource } from '../../../../shared/shard/key/key';
import type { TopologyInput } from '../../../../shared/shard/topology';
import { type Nginx, nginxVersion, startNginx } from '../../../support/nginx';
import { askPeer, compare, type Ours, startOurs, type Wire } from './lab';
import { CLIENTS, COOKIE_LINES, COOKIES, HEADERS, PATHS, QUERIES, TABS } from './requests';

/** So many that who reads another key hardly ever finds the same owner. */
const ADDRESSES = Array.from({ length: 48 }, (_, at) => `127.0.0.1:${at + 1}`);
const servers = ADDRESSES.map((address) => `server ${address} max_fails=0;`).join(' ');

interface Case {
  /** What stands behind `hash`. */
  readonly variable: string;
  readonly source: KeySource;
  readonly wires: readonly Wire[];
}

const [major = 0, minor = 0] = nginxVersion();
const joinsLines = major > 1 || minor >= 23;
const duplicates = joinsLines ? 'join' : 'first';

const HEADER: KeySource = { header: 'x-key', duplicates };
const QUERY: KeySource = { query: 'k' };

const CASES: Readonly<Record<string, Case>> = {
  header: { variable: '$http_x_key', source: HEADER, wires: HEADERS },
  query: { variable: '$arg_k', source: QUERY, wires: QUERIES },
  uri: { variable: '$uri', source: { path: '^(.*)$' }, wires: PATHS },
  segment: { variable: '$segment', source: { path: 2 }, wires: PATHS },
  pattern: { variable: '$found', source: { path: '^/[^/]*/(.+)$' }, wires: PATHS },
  raw: {
    variable: '$request_uri',
    source: { path: '^(.*)$', decode: false },
    wires: [...PATHS, ...QUERIES],
  },
  cookie: {
    variable: '$cookie_sid',
    source: { cookie: 'Sid' },
    wires: [...COOKIES, ...COOKIE_LINES],
  },
  client: { variable: '$remote_addr', source: { client: 'address' }, wires: CLIENTS },
  composite: {
    variable: '"$http_x_key$arg_k"',
    source: { first: [{ all: [HEADER, QUERY] }, HEADER, QUERY] },
    wires: HEADERS.flatMap((one, at) => [{ ...one, ...QUERIES[at % QUERIES.length] }, one]),
  },
  separated: {
    variable: '"$arg_k:$http_x_key"',
    source: { all: [QUERY, HEADER], separator: ':' },
    wires: [
      { target: '/?k=1', lines: ['x-key: \xff'] },
      { target: '/?k=%31', lines: ['x-key: b'] },
    ],
  },
};

const MODES = { 'nginx-consistent': ' consistent', 'nginx-hash': '' } as const;
const names = Object.keys(MODES).flatMap((mode) =>
  Object.keys(CASES).map((name) => [`${mode}_${name}`, mode as keyof typeof MODES, name] as const),
);

let nginx: Nginx;
let ours: Ours;

beforeAll(async () => {
  nginx = await startNginx(
    Object.fromEntries(
      names.map(([upstream, mode, name]) => [
        upstream,
        `hash ${CASES[name]?.variable}${MODES[mode]}; ${servers}`,
      ]),
    ),
    {
      http: `
        map $uri $segment { "~^/[^/]+/([^/]+)" $1; }
        map $uri $found { "~^/[^/]*/(.+)$" $1; }
        set_real_ip_from unix:; real_ip_header x-forwarded-for;`,
    },
  );
  ours = await startOurs(
    Object.fromEntries(
      names.map(([upstream, mode, name]) => {
        const topology: TopologyInput = { mode, shards: ADDRESSES.map((address) => ({ address })) };
        return [upstream, { source: CASES[name]?.source as KeySource, topology }];
      }),
    ),
  );
});
afterAll(async () => {
  await ours?.stop();
  await nginx?.stop();
});

test.each(names)('%s: each request goes where nginx sends it', async (upstream, _, name) => {
  const { wires } = CASES[name] as Case;
  const { different, decided } = await compare({
    name: upstream,
    socketPath: nginx.path,
    ours,
    wires,
  });
  expect(different).toEqual([]);
  expect(decided).toBeGreaterThan(wires.length / 5);
});

describe('what does not reach us', () => {
  test('is a tab around a value, of which a warning tells', async () => {
    const name = 'nginx-consistent_header';
    const plain = await askPeer(nginx.path, name, { lines: ['x-key: value'] });
    for (const wire of TABS) {
      expect(await askPeer(nginx.path, name, wire)).not.toBe(plain);
      expect(await ours.ask(name, wire)).toBe(plain);
    }
  });
});

test('a path that nginx refuses has no key', async () => {
  for (const target of ['/%zz/b', '/a/%00', '/../a', '/a/%2e%2e/../b', '/a/%4'])
    for (const name of ['nginx-hash_uri', 'nginx-hash_segment', 'nginx-hash_pattern']) {
      expect(await askPeer(nginx.path, name, { target })).toBe('refused');
      expect(await ours.ask(name, { target })).toBe('none');
    }
});
