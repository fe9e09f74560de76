import { describe, expect, test } from '@jest/globals';
import type { ForwardOptions } from '../../../shared/handler';
import { type BoundedReader, readBytes } from '../../../shared/http/body';
import { proxyTo } from '../../../shared/http/proxy';
import { text } from '../../../shared/http/response';
import { forwardOptionsOf, withBody } from '../../../shared/http/with-body';
import { withFields } from '../../../shared/http/with-fields';
import { testContext } from '../../support/invoke';

/** Not every lib knows of it. */
interface Bytes {
  bytes(): Promise<Uint8Array>;
}

const original = (headers: Record<string, string> = {}) =>
  new Request('http://test.local/a?b', { method: 'POST', headers, body: 'body' });

describe('a request with other fields', () => {
  test('has them in place of what came under their names, and is the same in all else', async () => {
    const request = original({ 'x-own': '1', 'X-Set': 'forged' });
    const derived = withFields(request, { 'x-set': '2', 'x-new': '3' });
    expect([derived.method, derived.url, derived.signal]).toEqual([
      'POST',
      'http://test.local/a?b',
      request.signal,
    ]);
    expect(Object.fromEntries(derived.headers.entries())).toEqual({
      'content-type': 'text/plain;charset=UTF-8',
      'x-own': '1',
      'x-set': '2',
      'x-new': '3',
    });
    expect(request.headers.get('x-set')).toBe('forged');
    expect(await derived.clone().text()).toBe('body');
    expect(derived.bodyUsed).toBe(false);
    expect(await derived.text()).toBe('body');
    expect([derived.bodyUsed, request.bodyUsed]).toEqual([true, true]);
  });

  test.each<[string, (request: Request) => Promise<unknown>]>([
    ['arrayBuffer', async (request) => Buffer.from(await request.arrayBuffer()).toString()],
    [
      'bytes',
      async (request) => Buffer.from(await (request as unknown as Bytes).bytes()).toString(),
    ],
    ['blob', async (request) => (await request.blob()).text()],
    ['a bounded read', async (request) => Buffer.from(await readBytes(request)).toString()],
    ['a stream', (request) => new Response(request.body).text()],
  ])('gives its body as %s', async (_, read) => {
    expect(await read(withFields(original(), { a: 'b' }))).toBe('body');
  });

  test('keeps the limit of whoever reads it', async () => {
    const derived = withFields(original(), {}) as unknown as BoundedReader;
    await expect(derived.readUpTo(3)).rejects.toMatchObject({ code: 'body_too_large' });
  });

  test('refuses a value that would make a line of its own', () => {
    expect(() => withFields(original(), { a: 'b\r\nc: d' }).headers).toThrow(TypeError);
  });

  test('goes on with them, whatever other decorators have put around it', async () => {
    const sent: (ForwardOptions | undefined)[] = [];
    const context = testContext({
      forward: (_origin, options) => {
        sent.push(options);
        return text('');
      },
    });
    const handler = proxyTo('http://api.test');
    const gzip = { 'content-encoding': 'gzip', 'content-md5': 'x' };
    await handler(withFields(original(), { a: '1' }), context);
    await handler(withFields(withBody(original(gzip), 'new'), { a: '1' }), context);
    await handler(withBody(withFields(original(gzip), { a: '1' }), 'new'), context);
    await handler(withFields(withFields(original(), { a: '1', b: '1' }), { a: '2' }), context);
    const dropped = { 'content-encoding': undefined, 'content-md5': undefined };
    expect(sent).toMatchObject([
      { headers: { a: '1' } },
      { headers: { ...dropped, a: '1' }, body: 'new' },
      { headers: { ...dropped, a: '1' }, body: 'new' },
      { headers: { a: '2', b: '1' } },
    ]);
    expect(sent[0]).not.toHaveProperty('body');
  });
});

test('a body that is given back as it came keeps its encoding and its digests', async () => {
  const fields = { 'content-encoding': 'gzip', 'content-md5': 'x' };
  const bytes = new Uint8Array([1, 2, 3]);
  const derived = withBody(original(fields), bytes, { verbatim: true });
  expect(Object.fromEntries(derived.headers.entries())).toMatchObject({
    ...fields,
    'content-length': '3',
  });
  expect(forwardOptionsOf(derived)).toEqual({ body: bytes, headers: {} });
});
