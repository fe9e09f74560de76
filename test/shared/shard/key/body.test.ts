/** Keys out of bodies: how much is read, what is taken, and what goes on. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { NodeRequest } from '../../../../shared/hosts/node-request';
import type { Key, KeySource } from '../../../../shared/shard/key/key';
import { exchange } from '../../../support/raw-http';
import { type Asked, contextOf, read, readerFor, requestOf } from './reading';

const JSON_TYPE = ['content-type', 'application/json'] as const;
const USER: KeySource = { body: '/user' };
const bytesOf = (text: string) => new TextEncoder().encode(text);
const post = (body: string | Uint8Array, ...more: (readonly [string, string])[]): Asked => ({
  body,
  headers: [JSON_TYPE, ...more],
});
/** So many bytes, with the user at the end. */
const sized = (size: number): string => {
  const frame = JSON.stringify({ pad: '', user: 'u' });
  return JSON.stringify({ pad: 'x'.repeat(size - frame.length), user: 'u' });
};

describe('a body', () => {
  test.each<[string, string, unknown]>([
    ['/user', '{"user":"a"}', 'a'],
    ['/user', ' {"x":{"user":1}, "user" : "\\u00e9\\n" } ', 'é\n'],
    ['/user', '\ufeff{"user":"b"}', 'b'],
    ['/user', '{"user":1.50}', '1.50'],
    ['/user', '{"user":12345678901234567890}', '12345678901234567890'],
    ['/user', '{"user":true}', 'true'],
    ['/user', '{"user":false}', 'false'],
    ['/user', '{"user":0}', '0'],
    ['/a/1/b~1c', '{"a":[0,{"b/c":"deep"}]}', 'deep'],
    ['', '"whole"', 'whole'],
    ['/user', '{"user":null}', undefined],
    ['/user', '{"user":""}', undefined],
    ['/user', '{"user":{"id":1}}', undefined],
    ['/user', '{"user":["a"]}', undefined],
    ['/user', '{"users":"a"}', undefined],
    ['/user/0', '{"user":"abc"}', undefined],
    ['/a/01', '{"a":[0,1]}', undefined],
    ['/a/-', '{"a":[0,1]}', undefined],
    ['/constructor', '{}', undefined],
  ])('%s of %s is %j', async (pointer, text, value) => {
    const found = await read({ body: pointer }, post(text));
    expect(found).toEqual({
      ...(value === undefined ? { missing: true } : { value, source: `body ${pointer}` }),
      body: bytesOf(text),
    });
  });

  test('goes on as it came, packed or not', async () => {
    const text = '{ "user" :\t"a" }';
    for (const [encoding, packed] of [
      ['gzip', gzipSync(text)],
      ['br', brotliCompressSync(text)],
    ] as const) {
      const found = (await read(USER, post(packed, ['content-encoding', encoding]))) as Key;
      expect(found.value).toBe('a');
      expect(Buffer.compare(Buffer.from(found.body as Uint8Array), packed)).toBe(0);
    }
  });

  test('that is not of JSON is not read at all', async () => {
    for (const type of [
      'text/plain',
      'application/octet-stream',
      'application/json; charset=latin1',
    ]) {
      const asked = { body: '{"user":"a"}', headers: [['content-type', type]] } as const;
      const request = requestOf(asked);
      expect(await readerFor(USER).read(request, contextOf(asked))).toEqual({ missing: true });
      const { readUpTo } = request as unknown as { readUpTo(limit: number): Promise<Uint8Array> };
      expect(await readUpTo(100)).toEqual(bytesOf('{"user":"a"}'));
    }
  });

  test('of nothing has no key', async () => {
    expect(await read(USER, post(''))).toEqual({ missing: true, body: new Uint8Array() });
  });

  test.each(['{"user":', '{"user":"a","user":"b"}', '\xff', '[}'])(
    'that is no JSON, though it says so, is refused: %j',
    async (text) => {
      const bytes = Uint8Array.from(text, (one) => one.charCodeAt(0));
      await expect(read(USER, post(bytes))).rejects.toMatchObject({ code: 'invalid_json' });
    },
  );

  test('in an encoding that nobody knows is refused', async () => {
    await expect(read(USER, post('{}', ['content-encoding', 'zstd']))).rejects.toMatchObject({
      code: 'unsupported_encoding',
    });
  });
});

describe('64 KiB', () => {
  /** Behind a real server, which counts what comes. */
  const keyOf = async (
    body: string | Uint8Array,
    headers: readonly (readonly [string, string])[],
  ) => {
    let outcome: unknown;
    const server = createServer((incoming, outgoing) => {
      const signal = { get: () => new AbortController().signal, outgoing };
      const request = new NodeRequest(incoming, incoming.url ?? '', signal) as unknown as Request;
      void Promise.resolve(readerFor(USER).read(request, contextOf({})))
        .catch((failure: unknown) => failure)
        .then((found) => {
          outcome = found;
          outgoing.writeHead(200, { connection: 'close' }).end();
        });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await exchange(port, { method: 'POST', path: '/', headers: [JSON_TYPE, ...headers], body });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    return outcome;
  };
  const chunked = [['transfer-encoding', 'chunked']] as const;

  test('are read, and not one byte more: by its length, and as it comes', async () => {
    for (const headers of [[], chunked]) {
      expect(await keyOf(sized(65_536), headers)).toMatchObject({ value: 'u' });
      expect(await keyOf(sized(65_537), headers)).toMatchObject({
        code: 'body_too_large',
        status: 413,
      });
    }
  });

  test('hold for what is packed as well', async () => {
    const gzip = ['content-encoding', 'gzip'] as const;
    expect(await keyOf(gzipSync(sized(65_536)), [gzip])).toMatchObject({ value: 'u' });
    expect(await keyOf(gzipSync(sized(65_537)), [gzip])).toMatchObject({ code: 'body_too_large' });
  });
});

describe('among others', () => {
  const asked = post('{"user":"a","id":7}');
  const withHeader = post('{"user":"a"}', ['x', 'h']);

  test('a body is not touched when something in front is there', () => {
    const reader = readerFor({ first: [{ header: 'x' }, USER] });
    expect(reader.readsBody).toBe(true);
    const found = reader.read(requestOf(withHeader), contextOf(withHeader));
    expect(found).toEqual({ value: 'h', source: 'header x' });
  });

  test('nor when something else that is needed is not', () => {
    const reader = readerFor({ all: [USER, { header: 'x' }] });
    expect(reader.read(requestOf(asked), contextOf(asked))).toEqual({ missing: true });
  });

  test('it is read once, for all that look into it, and each stands in its place', async () => {
    const source: KeySource = {
      all: [USER, { header: 'x' }, { first: [{ body: '/no' }, { body: '/id' }] }],
      separator: '.',
    };
    expect(await read(source, { ...asked, headers: [JSON_TYPE, ['x', 'h']] })).toEqual({
      value: 'a.h.7',
      source: 'body /user + header x + body /id',
      body: bytesOf('{"user":"a","id":7}'),
    });
  });

  test('the next is asked when it has no key, and the body goes on', async () => {
    const source: KeySource = { first: [{ body: '/no' }, { header: 'x' }] };
    expect(await read(source, withHeader)).toEqual({
      value: 'h',
      source: 'header x',
      body: bytesOf('{"user":"a"}'),
    });
  });

  test('who reads none says so', () => {
    expect(readerFor({ all: [{ header: 'x' }] }).readsBody).toBe(false);
    expect(readerFor({ first: [{ all: [USER] }] }).readsBody).toBe(true);
  });
});
