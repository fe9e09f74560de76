/** Keys that are made for who has none. */
import { describe, expect, test } from '@jest/globals';
import type { Key, KeySource } from '../../../../shared/shard/key/key';
import { type Asked, contextOf, read, readerFor, requestOf } from './reading';

const MINT: KeySource = { cookie: 'sid', mint: true };
const keyOf = (asked: Asked, source: KeySource = MINT) => read(source, asked) as Key;
const cookie = (field: string): Asked => ({ headers: [['cookie', field]] });

describe('a cookie', () => {
  test('is made of 128 random bits, and is the key', () => {
    const random = {
      bytes: (count: number) => Uint8Array.from({ length: count }, (_, at) => 0xf0 + at),
      below: () => 0,
      uuid: () => '',
    };
    const reader = readerFor(MINT, 'native', { random });
    expect(reader.read(requestOf({}), contextOf({}))).toEqual({
      value: '8PHy8_T19vf4-fr7_P3-_w',
      source: 'cookie sid, minted',
      setCookie: 'sid=8PHy8_T19vf4-fr7_P3-_w; Path=/; HttpOnly; SameSite=Lax',
    });
  });

  test('is another one each time', () => {
    const values = new Set(Array.from({ length: 1000 }, () => keyOf({}).value));
    expect(values.size).toBe(1000);
  });

  test('is not made for who has one', () => {
    expect(keyOf(cookie('sid=mine'))).toEqual({ value: 'mine', source: 'cookie sid' });
  });

  test('is made for who has an empty one', () => {
    expect(keyOf(cookie('sid='))).toHaveProperty('setCookie');
  });

  test('found again is the same key', () => {
    const { value, setCookie = '' } = keyOf({});
    expect(keyOf(cookie(setCookie.split(';')[0] as string)).value).toBe(value);
  });

  test('has the life and the path that were asked for', () => {
    const { setCookie } = keyOf({}, { cookie: 'sid', mint: { ttl: '2h', path: '/shop' } });
    expect(setCookie).toMatch(/^sid=[\w-]{22}; Path=\/shop; Max-Age=7200; HttpOnly; SameSite=Lax$/);
  });

  test.each<[Asked, boolean]>([
    [{}, false],
    [{ origin: 'https://h' }, true],
    [{ headers: [['x-forwarded-proto', 'https']] }, true],
    [{ headers: [['x-forwarded-proto', 'HTTPS, http']] }, true],
    [{ headers: [['x-forwarded-proto', 'http, https']] }, false],
    [{ headers: [['x-forwarded-proto', 'httpsx']] }, false],
  ])('of %j is Secure: %j', (asked, secure) => {
    expect(/; Secure$/.test(keyOf(asked).setCookie as string)).toBe(secure);
  });

  test('that is not to be made is none', () => {
    for (const source of [{ cookie: 'sid' }, { cookie: 'sid', mint: false }])
      expect(read(source, {})).toEqual({ missing: true });
  });
});

describe('among others', () => {
  test('it is made last, where all else is missing', () => {
    const source: KeySource = { first: [{ header: 'x' }, MINT] };
    expect(keyOf({ headers: [['x', 'a']] }, source)).toEqual({ value: 'a', source: 'header x' });
    expect(keyOf({}, source)).toHaveProperty('setCookie');
  });

  test('it is set where all else is there, and not where something is missing', () => {
    const source: KeySource = { all: [MINT, { header: 'x' }], separator: '.' };
    const { value, setCookie } = keyOf({ headers: [['x', 'a']] }, source);
    expect(setCookie?.startsWith(`sid=${(value as string).replace('.a', '')};`)).toBe(true);
    expect(read(source, {})).toEqual({ missing: true });
  });
});
