/** Requests that peers and readers could take differently; one character a byte. */
import { randomOf } from '../../../support/random';
import type { Wire } from './lab';

const utf8 = (text: string): string => Buffer.from(text).toString('latin1');

/** Texts of what is in the alphabet, at random, always the same ones. */
const random = (seed: number, count: number, alphabet: readonly string[]): string[] => {
  const next = randomOf(seed);
  return Array.from({ length: count }, () =>
    Array.from(
      { length: 1 + Math.floor(next() * 9) },
      () => alphabet[Math.floor(next() * alphabet.length)],
    ).join(''),
  );
};

export const HEADERS: readonly Wire[] = [
  [],
  ['x-key: plain'],
  ['X-KEY:Plain'],
  ['x-Key:    padded    '],
  ['x-key: two words'],
  ['x-key: a', 'x-key: b'],
  ['x-key: b', 'x-key: a', 'X-Key: c'],
  ['x-key: a, b'],
  ['x-key: a,b'],
  ['x-key: a ,b'],
  ['x-key: ,a'],
  ['x-key:'],
  ['x-key:', 'x-key: b'],
  ['x-key: a', 'x-key:'],
  ['x-key: "a,b",c'],
  ['x-key: "a\\",b",c'],
  ['x-key: "a,b'],
  ['x-key: a"b,c"d,e'],
  ['x-keys: other', 'x-key: own'],
  [`x-key: ${utf8('žluťoučký')}`],
  [`x-key: ${utf8('数据库')}, ${utf8('ключ')}`],
  ['x-key: \xff\xfe\x80 raw'],
  ['x-key: %41+b'],
  ...random(3, 60, ['a', 'b', ' ', ',', '"', '\\', ';', '\xe9', '=']).map((value) => [
    `x-key: ${value}`,
  ]),
].map((lines) => ({ lines }));

/** OWS that is a tab: nginx takes it for a part of the value. */
export const TABS: readonly Wire[] = ['\tvalue', 'value\t', ' \t value \t '].map((value) => ({
  lines: [`x-key:${value}`],
}));

export const QUERIES: readonly Wire[] = [
  '',
  '?k=1',
  '?K=1',
  '?k=1&k=2',
  '?K=1&k=2',
  '?kk=0&k=1',
  '?xk=1&k=2',
  '?k',
  '?k&k=2',
  '?a=k&k=3',
  '?%6b=1&k=2',
  '?k=%41',
  '?k=A',
  '?k=%zz',
  '?k=a%2',
  '?k=a+b',
  '?k=a%20b',
  '?k=a=b',
  '?&k=1',
  '?k=1;x=2',
  '?x=2;k=1',
  '?k=a?b',
  '?=&k=3',
  `?k=${utf8('é')}`,
  '?k=\xff',
  '?K=%c3%a9',
  '?long=x&longer=y&k=v&k=w',
  '?k=a/b',
  `?k=${'x'.repeat(3000)}`,
  ...random(5, 150, ['k', 'K', '=', '&', 'k=', '&k=', '%4', '1', '+', 'a', '/', '?', ';', '.']).map(
    (query) => `?${query}`,
  ),
].map((query) => ({ target: `/p${query}` }));

export const PATHS: readonly Wire[] = [
  '/a',
  '/a/b',
  '/a/b/c',
  '/a/b/',
  '//a//b',
  '/a//b//',
  '/a/./b',
  '/a/../b/c',
  '/a/b/..',
  '/a/b/.',
  '/a/...',
  '/a/..b',
  '/a/.b/c',
  '/a/%62',
  '/a/b%2fc/d',
  '/a%2Fb',
  '/a/%2e%2e/b/c',
  '/a/%2E/b',
  '/a/b%20c',
  '/a/b+c',
  '/a/%3fb',
  '/a/%23b',
  '/a/%25b',
  '/a/%25%34%31',
  `/a/${utf8('é')}`,
  '/a/%c3%a9',
  '/a/\xff',
  '/a/%ff',
  '/a/b?c/d',
  '/a?/b/c',
  '/a/b;c=d',
  '/a/b\\c',
  '/A/B',
  ...random(7, 150, [
    '/',
    'a',
    'b',
    '.',
    '..',
    '/../',
    '%2f',
    '%2e',
    '%41',
    '//',
    '?',
    '+',
    '-',
  ]).map((rest) => `/${rest}`),
].map((target) => ({ target }));

export const COOKIES: readonly Wire[] = [
  'sid=1',
  'SID=2',
  'a=b; sid=1',
  'sid=1;sid=2',
  'xsid=1; sid=2',
  'sidx=1; sid=2',
  'sid = 1',
  'sid =1; sid=2',
  'sid="q"',
  'sid="a;b"; x=1',
  'sid=a,b',
  'a=1, sid=2',
  'a="1, sid=2"; sid=3',
  'sid',
  'sid; sid=3',
  '$sid=1; sid=2',
  'sid=a b',
  'sid=1 ; b=2',
  '  sid=1',
  'sid=a=b',
  `sid=${utf8('é')}`,
  'a; b; sid=4',
  ';sid=1',
  'x=sid=1; sid=2',
  ...random(11, 150, [
    'sid',
    '=',
    ';',
    '; ',
    ',',
    ' ',
    '"',
    'a',
    'sid=b',
    ' sid=c;',
    'S',
    '\\',
    '$',
  ]),
].map((field) => ({ lines: [`cookie: ${field}`] }));

export const COOKIE_LINES: readonly Wire[] = [
  { lines: ['cookie: a=1', 'cookie: sid=2'] },
  { lines: ['cookie: sid=1', 'cookie: sid=2'] },
  { lines: ['cookie: sid=1;', 'cookie: b=2'] },
  { lines: [] },
];

/** As the proxy before says it. */
export const CLIENTS: readonly Wire[] = [
  '203.0.113.7',
  '10.0.0.1',
  '10.0.0.1, 198.51.100.9',
  '192.0.2.255',
  '2001:db8::1',
  '2001:db8:1:2:3:4:5:6',
  '::1',
  'fe80::',
].map((address) => ({ lines: [`x-forwarded-for: ${address}`] }));
