import { describe, expect, test } from '@jest/globals';
import { type BoundedReader, readBytes } from '../../../shared/http/body';
import { readJson } from '../../../shared/http/json';
import { forwardOptionsOf, takeCheckedJson, withBody } from '../../../shared/http/with-body';

const original = (headers: Record<string, string> = {}) =>
  new Request('http://test.local/a?b', {
    method: 'POST',
    headers: { 'content-type': 'text/plain', ...headers },
    body: 'old',
  });

describe('a request with another body', () => {
  test('is the same in all else', () => {
    const request = original({ 'x-own': '1', 'content-length': '3' });
    const derived = withBody(request, 'nëw');
    expect([derived.method, derived.url, derived.signal]).toEqual([
      'POST',
      'http://test.local/a?b',
      request.signal,
    ]);
    expect(Object.fromEntries(derived.headers.entries())).toEqual({
      'content-length': '4',
      'content-type': 'text/plain',
      'x-own': '1',
    });
    expect(request.headers.get('content-length')).toBe('3');
  });

  test.each<[string, (request: Request) => Promise<unknown>, unknown]>([
    ['text', (request) => request.text(), '{"a":"ë"}'],
    ['json', (request) => request.json(), { a: 'ë' }],
    [
      'arrayBuffer',
      async (request) => Buffer.from(await request.arrayBuffer()).toString(),
      '{"a":"ë"}',
    ],
    ['blob', async (request) => (await request.blob()).text(), '{"a":"ë"}'],
    ['bytes', async (request) => Buffer.from(await readBytes(request)).toString(), '{"a":"ë"}'],
    ['a stream', (request) => new Response(request.body).text(), '{"a":"ë"}'],
  ])('gives it as %s, once', async (_, read, expected) => {
    for (const body of ['{"a":"ë"}', new TextEncoder().encode('{"a":"ë"}')]) {
      const request = withBody(original(), body);
      expect(request.bodyUsed).toBe(false);
      expect(await read(request)).toEqual(expected);
      expect(request.bodyUsed).toBe(true);
      await expect(request.text()).rejects.toThrow(TypeError);
      expect(() => request.clone()).toThrow(TypeError);
    }
  });

  test('can be cloned before it is read', async () => {
    const request = withBody(original(), 'new');
    expect(await request.clone().text()).toBe('new');
    expect(await request.text()).toBe('new');
  });

  test('has no stream when it is empty', () => {
    expect(withBody(original(), '').body).toBeNull();
  });

  test('keeps the limit of those who read it', async () => {
    const request = withBody(original(), 'new') as unknown as BoundedReader;
    await expect(request.readUpTo(2)).rejects.toMatchObject({ code: 'body_too_large' });
  });

  test('says nothing of an encoding or a digest that no longer holds', () => {
    const headers = { 'content-encoding': 'gzip', 'repr-digest': 'sha-256=:AA==:', digest: 'x' };
    const inflated = withBody(original(headers), 'new');
    for (const name of Object.keys(headers)) expect(inflated.headers.has(name)).toBe(false);
    expect(forwardOptionsOf(inflated)).toEqual({
      body: 'new',
      headers: { 'content-encoding': undefined, 'repr-digest': undefined, digest: undefined },
    });

    const digest = { 'content-digest': 'sha-256=:AA==:' };
    expect(withBody(original(digest), 'old').headers.has('content-digest')).toBe(true);
    const changed = withBody(original(digest), 'new', { changed: true });
    expect(changed.headers.has('content-digest')).toBe(false);
  });

  test('remembers, when derived again, what was dropped before', () => {
    const first = withBody(original({ 'content-encoding': 'gzip' }), 'one');
    const second = withBody(first, 'two');
    const options = forwardOptionsOf(second);
    expect(options?.body).toBe('two');
    expect(Object.keys(options?.headers ?? {})).toEqual(['content-encoding']);
    expect(second.headers.get('content-length')).toBe('3');
  });

  test('leaves a request from the network to the host', () => {
    expect(forwardOptionsOf(original())).toBeUndefined();
  });

  test('is not checked again when it is known to be JSON, and read once all the same', async () => {
    const twice = '{"a":1,"a":2}';
    expect(await readJson(withBody(original(), twice, { json: true }))).toEqual({ a: 2 });
    const request = withBody(original(), twice, { json: true });
    expect(takeCheckedJson(request.clone())).toBe(twice);
    expect(takeCheckedJson(request)).toBe(twice);
    expect(request.bodyUsed).toBe(true);
    expect(() => takeCheckedJson(request)).toThrow('the body was read already');
  });

  test('is not taken for JSON unless that was said', () => {
    expect(takeCheckedJson(original())).toBeUndefined();
    expect(takeCheckedJson(withBody(original(), '{}'))).toBeUndefined();
  });
});
