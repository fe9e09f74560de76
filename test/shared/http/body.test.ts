import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { MAX_BODY, readBytes } from '../../../shared/http/body';

const post = (body: Uint8Array | ReadableStream | string, headers: Record<string, string> = {}) =>
  new Request('http://test.local/', {
    method: 'POST',
    headers,
    body,
    duplex: 'half',
  } as RequestInit);

const encoded = (encoding: string, body: Uint8Array) =>
  post(body, { 'content-encoding': encoding });
const bytes = (text: string) => new TextEncoder().encode(text);

describe('reading a body within bounds', () => {
  test('gives the bytes as they came', async () => {
    expect(await readBytes(post('åbc'))).toEqual(bytes('åbc'));
    expect(await readBytes(encoded('identity', bytes('abc')))).toEqual(bytes('abc'));
    expect(await readBytes(new Request('http://test.local/'))).toEqual(new Uint8Array());
  });

  test.each([
    ['gzip', gzipSync('hello')],
    ['GZip', gzipSync('hello')],
    ['x-gzip', gzipSync('hello')],
    ['br', brotliCompressSync('hello')],
    ['gzip', Buffer.concat([gzipSync('hel'), gzipSync('lo')])],
  ])('inflates %s', async (encoding, body) => {
    expect(Buffer.from(await readBytes(encoded(encoding, body))).toString()).toBe('hello');
  });

  test('takes exactly as much as the limit, raw and inflated', async () => {
    const full = new Uint8Array(MAX_BODY);
    expect(await readBytes(post(full))).toHaveLength(MAX_BODY);
    expect(await readBytes(encoded('gzip', gzipSync(full)))).toHaveLength(MAX_BODY);
    expect(await readBytes(encoded('br', brotliCompressSync(full)))).toHaveLength(MAX_BODY);
  });

  test.each([
    ['raw', '', (body: Uint8Array) => body],
    ['inflated from gzip', 'gzip', gzipSync],
    ['inflated from br', 'br', brotliCompressSync],
  ])('refuses one byte more, %s', async (_, encoding, encode) => {
    await expect(
      readBytes(encoded(encoding, encode(new Uint8Array(MAX_BODY + 1)))),
    ).rejects.toMatchObject({ code: 'body_too_large', status: 413 });
  });

  test('refuses 300 KB of gzip that hold 300 MiB without inflating them', async () => {
    const bomb = gzipSync(new Uint8Array(300 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(310_000);
    const before = process.memoryUsage().rss;
    await expect(readBytes(encoded('gzip', bomb))).rejects.toMatchObject({
      code: 'body_too_large',
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(32 * 1024 * 1024);
  });

  test('refuses a body that is declared too large without reading it', async () => {
    let pulled = 0;
    const stream = new ReadableStream(
      { pull: (controller) => controller.enqueue(new Uint8Array(++pulled)) },
      { highWaterMark: 0 },
    );
    await expect(
      readBytes(post(stream, { 'content-length': `${MAX_BODY + 1}` })),
    ).rejects.toMatchObject({ code: 'body_too_large' });
    expect(pulled).toBe(0);
  });

  test('stops reading a body that goes on and on, and lets its sender know', async () => {
    let sent = 0;
    let cancelled = false;
    const long = new ReadableStream({
      pull: (controller) => {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536));
        if (sent > 16 * MAX_BODY) controller.close();
      },
      cancel: () => {
        cancelled = true;
      },
    });
    await expect(readBytes(post(long))).rejects.toMatchObject({ code: 'body_too_large' });
    expect(sent).toBeLessThan(MAX_BODY + 4 * 65_536);
    expect(cancelled).toBe(true);
  });

  test.each(['gzip, br', 'gzip,gzip', 'deflate', 'zstd', 'constructor', '__proto__'])(
    'refuses the encoding %s and says what is taken',
    async (encoding) => {
      await expect(readBytes(encoded(encoding, deflateSync('x')))).rejects.toMatchObject({
        code: 'unsupported_encoding',
        status: 415,
        headers: { 'accept-encoding': 'gzip, br' },
      });
    },
  );

  test.each([
    ['gzip that is none', 'gzip', bytes('{"a":1}')],
    ['gzip that is cut off', 'gzip', gzipSync('hello').subarray(0, -4)],
    [
      'gzip with a wrong sum',
      'gzip',
      Buffer.from(gzipSync('hello').map((byte, i, all) => (i === all.length - 8 ? ~byte : byte))),
    ],
    ['gzip of nothing at all', 'gzip', new Uint8Array()],
    ['gzip with garbage behind it', 'gzip', Buffer.concat([gzipSync('hello'), bytes('more')])],
    ['gzip with zeros behind it', 'gzip', Buffer.concat([gzipSync('hello'), Buffer.alloc(3)])],
    [
      'br with garbage behind it',
      'br',
      Buffer.concat([brotliCompressSync('hello'), bytes('more')]),
    ],
    ['br that is cut off', 'br', brotliCompressSync('hello').subarray(0, -2)],
  ])('refuses %s', async (_, encoding, body) => {
    await expect(readBytes(encoded(encoding, body))).rejects.toMatchObject({
      code: 'invalid_request',
      status: 400,
    });
  });

  test('lets a host that can collect the body do so, with the limit', async () => {
    const asked: number[] = [];
    const request = {
      headers: new Headers(),
      readUpTo: async (limit: number) => {
        asked.push(limit);
        return bytes('collected');
      },
    } as unknown as Request;
    expect(await readBytes(request, 10)).toEqual(bytes('collected'));
    expect(asked).toEqual([10]);
  });
});
