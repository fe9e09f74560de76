import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { isJson, readJson, readJsonText } from '../../../shared/http/json';

const post = (body: Uint8Array | string, headers: Record<string, string> = {}) =>
  new Request('http://test.local/', { method: 'POST', headers, body } as RequestInit);

/** Of bytes, so that `Request` adds no content-type of its own. */
const bare = (text: string) => post(new TextEncoder().encode(text));

describe('a JSON request body', () => {
  test.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json; profile=x',
    'application/problem+json',
    'application/vnd.api+json; ext="a"',
  ])('is taken as %s', async (type) => {
    expect(isJson(type)).toBe(true);
    expect(await readJson(post('{"a":1}', { 'content-type': type }))).toEqual({ a: 1 });
  });

  test.each([
    'text/plain',
    'application/jsonp',
    'application/x-json',
    'application/json; charset=utf-16',
    'application/json; charset=utf-80',
    'application/json; profile=x; charset="iso-8859-1"',
    'application/json, application/json',
    'text/json',
  ])('is refused as %s', async (type) => {
    expect(isJson(type)).toBe(false);
    await expect(readJson(post('{"a":1}', { 'content-type': type }))).rejects.toMatchObject({
      code: 'unsupported_media_type',
      status: 415,
      headers: { accept: 'application/json' },
    });
  });

  test('is refused without a content type', async () => {
    expect(bare('{}').headers.get('content-type')).toBeNull();
    await expect(readJson(bare('{}'))).rejects.toMatchObject({ code: 'unsupported_media_type' });
  });

  const json = (body: Uint8Array | string) => post(body, { 'content-type': 'application/json' });

  test.each([
    ['nothing', ''],
    ['invalid UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22])],
    ['an overlong encoding', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
    ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['UTF-16', Buffer.from('{"a":1}', 'utf16le')],
    ['a duplicate key', '{"a":1,"a":2}'],
  ])('is refused when it holds %s', async (_, body) => {
    await expect(readJson(json(body))).rejects.toMatchObject({ code: 'invalid_json', status: 400 });
  });

  test('may come compressed', async () => {
    const request = post(gzipSync('{"a":1}'), {
      'content-type': 'application/json',
      'content-encoding': 'gzip',
    });
    expect(await readJson(request)).toEqual({ a: 1 });
  });

  test('keeps a byte order mark in its text and drops it from its value', async () => {
    const body = '\ufeff{"a":1}';
    expect(await readJsonText(json(body))).toBe(body);
    expect(await readJson(json(body))).toEqual({ a: 1 });
  });

  test('gives its text to the letter, unchecked', async () => {
    expect(await readJsonText(json('{"n": 1.0,'))).toBe('{"n": 1.0,');
  });
});
