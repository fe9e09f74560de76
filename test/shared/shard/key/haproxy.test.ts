/** The key bytes of a real HAProxy. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { KeySource } from '../../../../shared/shard/key/key';
import { type Haproxy, startHaproxy } from '../../../support/haproxy';
import { type Stub, startHttpStub } from '../peers-wire';
import { askPeer, compare, type Ours, startOurs, type Wire } from './lab';
import { CLIENTS, COOKIE_LINES, COOKIES, HEADERS, PATHS, QUERIES, TABS } from './requests';

/** So many that who reads another key hardly ever finds the same owner. */
const NAMES = Array.from({ length: 48 }, (_, at) => `s${at}`);

interface Case {
  readonly lines: readonly string[];
  readonly source: KeySource;
  readonly wires: readonly Wire[];
}

const BODIES = [
  '{"user":"a"}',
  ' { "x": [1, {"user":"no"}], "user" : "\\u0061b\\n" }',
  '{"user":"käse"}',
  '{"user":17}',
  '{"user":-3}',
  '{"user":null}',
  '{"users":"a"}',
];

const CASES: Readonly<Record<string, Case>> = {
  header: {
    lines: ['balance hdr(x-key)'],
    source: { header: 'x-key' },
    wires: [...HEADERS, ...TABS],
  },
  query: { lines: ['balance url_param k'], source: { query: 'k' }, wires: QUERIES },
  word: { lines: ['balance hash path,word(2,/)'], source: { path: 2 }, wires: PATHS },
  uri: { lines: ['balance uri'], source: { path: '^(.*)$' }, wires: PATHS },
  cookie: {
    lines: ['balance hash req.cook(sid)'],
    source: { cookie: 'sid' },
    wires: [...COOKIES, ...COOKIE_LINES],
  },
  client: {
    // Of a list the proxy nearest to us has written the last.
    lines: ['http-request set-src req.hdr_ip(x-forwarded-for,-1)', 'balance hash src'],
    source: { client: 'address' },
    wires: CLIENTS,
  },
  body: {
    lines: ['option http-buffer-request', "balance hash req.body,json_query('$.user')"],
    source: { body: '/user' },
    wires: BODIES.map((text) => ({
      method: 'POST',
      lines: ['content-type: application/json'],
      body: Buffer.from(text).toString('latin1'),
    })),
  },
  composite: {
    lines: [
      'http-request set-var(txn.k) url_param(k)',
      'balance hash req.hdr(x-key),concat(:,txn.k,)',
    ],
    source: { all: [{ header: 'x-key' }, { query: 'k' }], separator: ':' },
    wires: [
      { target: '/?k=1', lines: ['x-key: \xff'] },
      { target: '/?k=%31', lines: ['x-key: b'] },
    ],
  },
};

/** They hash what is empty, all but the header; of words only some versions do. */
const isEmpty: Readonly<Record<string, RegExp>> = {
  word: /^\/*[^/?]*\/*(?:\?|$)/,
  query: /[?&]k=(?:&|$)/,
  cookie: /sid\s*=\s*(?:[;,]|$)/,
};

let stub: Stub;
let haproxy: Haproxy;
let ours: Ours;

beforeAll(async () => {
  stub = await startHttpStub();
  haproxy = await startHaproxy(
    Object.fromEntries(
      Object.entries(CASES).map(([name, { lines }]) => [
        name,
        [
          ...lines,
          'hash-type consistent',
          ...NAMES.map((server) => `server ${server} 127.0.0.1:${stub.port} weight 10`),
        ],
      ]),
    ),
  );
  ours = await startOurs(
    Object.fromEntries(
      Object.entries(CASES).map(([name, { source }]) => [
        name,
        {
          source,
          topology: {
            mode: 'haproxy-consistent',
            shards: NAMES.map((server) => ({ address: '127.0.0.1', name: server, weight: 10 })),
          },
        },
      ]),
    ),
  );
});
afterAll(async () => {
  await ours?.stop();
  await haproxy?.stop();
  await stub?.stop();
});

const textOf = ({ target = '', lines = [] }: Wire): string => `${target}${lines.join('\n')}`;

test.each(Object.keys(CASES))('%s: each request goes where HAProxy sends it', async (name) => {
  const { wires } = CASES[name] as Case;
  const filled = wires.filter((wire) => !isEmpty[name]?.test(textOf(wire)));
  const { different, decided } = await compare({
    name,
    socketPath: haproxy.path,
    ours,
    wires: filled,
  });
  expect(different).toEqual([]);
  expect(decided).toBeGreaterThan(wires.length / 5);
});

test('an empty cookie at the very end is none', async () => {
  const wire: Wire = { lines: ['cookie: sid=1;sid='] };
  expect(await ours.ask('cookie', wire)).toBe(await askPeer(haproxy.path, 'cookie', wire));
});

describe('what a warning tells of', () => {
  test.each([
    ['query', { target: '/?k=' }],
    ['cookie', { lines: ['cookie: sid=; x=1'] }],
  ] as const)('an empty value is a key of HAProxy and none of ours: %s', async (name, wire) => {
    expect(await askPeer(haproxy.path, name, wire)).toMatch(/^s\d+$/);
    expect(await ours.ask(name, wire)).toBe('none');
  });
});
