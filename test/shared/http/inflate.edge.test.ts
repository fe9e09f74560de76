/** Compressed bodies at the edge: in the real workerd, beside what Node makes of the same bytes. */
import zlib from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Failure } from '../../../shared/failure';
import { readBytes } from '../../../shared/http/body';
import { PEERS_TIMEOUT } from '../../support/peers';
import { bundleForEdge, residentKib, startWorkerd, type Workerd } from '../../support/workerd';

const LIMIT = 100_000;

let worker: Workerd;

beforeAll(async () => {
  worker = await startWorkerd({ code: bundleForEdge('test/support/probe/edge-bytes.ts') });
}, PEERS_TIMEOUT);

afterAll(() => worker?.stop());

const requestOf = (body: Uint8Array, url = 'http://a.test/', limit = LIMIT): Request =>
  new Request(url, {
    method: 'POST',
    headers: { 'content-encoding': 'gzip', 'x-limit': `${limit}` },
    body: body as Uint8Array<ArrayBuffer>,
  });

/** The inflated bytes in hex, or the code of the failure. */
const atEdge = async (body: Uint8Array, limit = LIMIT): Promise<string> => {
  const response = await fetch(requestOf(body, worker.url, limit));
  if (response.status === 400) return ((await response.json()) as { code: string }).code;
  return Buffer.from(await response.arrayBuffer()).toString('hex');
};

const onNode = (body: Uint8Array): Promise<string> =>
  readBytes(requestOf(body), LIMIT).then(
    (bytes) => Buffer.from(bytes).toString('hex'),
    ({ code }: Failure) => code,
  );

const hello = zlib.gzipSync('hello');
const noise = Buffer.from(Array.from({ length: LIMIT }, (_, i) => (i * i * 7919 + (i >> 3)) % 251));

test.each<[string, Uint8Array, string]>([
  ['whole', hello, Buffer.from('hello').toString('hex')],
  ['of nothing', zlib.gzipSync(''), ''],
  [
    'of much that hardly shrinks',
    zlib.gzipSync(noise.subarray(0, 90_000)),
    noise.toString('hex', 0, 90_000),
  ],
  ['up to the limit', zlib.gzipSync(Buffer.alloc(LIMIT)), '00'.repeat(LIMIT)],
  ['one beyond the limit', zlib.gzipSync(Buffer.alloc(LIMIT + 1)), 'body_too_large'],
  ['far beyond the limit', zlib.gzipSync(Buffer.alloc(50_000_000)), 'body_too_large'],
  ['cut off', hello.subarray(0, 15), 'invalid_request'],
  ['cut off before its sum', hello.subarray(0, -4), 'invalid_request'],
  ['not at all', Buffer.from('hello'), 'invalid_request'],
  ['with a wrong sum', hello.with(-8, (hello.at(-8) as number) ^ 1), 'invalid_request'],
  ['with a byte behind', Buffer.concat([hello, Buffer.from('x')]), 'invalid_request'],
])('gzip %s', async (_name, body, expected) => {
  expect(await onNode(body)).toBe(expected);
  expect(await atEdge(body)).toBe(expected);
});

test('a body that would inflate to 256 MiB is refused in little memory', async () => {
  const body = zlib.gzipSync(Buffer.alloc(256 * 1024 * 1024));
  await atEdge(hello);
  const before = residentKib(worker.pid);
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, residentKib(worker.pid));
  }, 1);
  expect(await atEdge(body, 1_048_576)).toBe('body_too_large');
  clearInterval(watch);
  expect((Math.max(most, residentKib(worker.pid)) - before) / 1024).toBeLessThan(64);
});
