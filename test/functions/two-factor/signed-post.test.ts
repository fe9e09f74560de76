/** Posts to the operator's own services: within bounds, and to nobody else. */
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import {
  ownTarget,
  type PostOutcome,
  postSigned,
  type SignedPost,
} from '../../../functions/two-factor/signed-post';
import { systemClock } from '../../../shared/clock';
import { systemRandom } from '../../../shared/random';
import { deliver } from '../../../shared/webhook/deliver';
import { closeReceivers, receiver } from '../../shared/webhook/receiver';

afterEach(closeReceivers);

const post = (url: string, more: Partial<SignedPost> = {}): Promise<PostOutcome> =>
  postSigned({
    url,
    guard: ownTarget('URL', url),
    id: 'id-1',
    headers: {},
    body: Buffer.from('{}'),
    keys: [],
    retry: { attempts: 3, backoff: 10, maxBackoff: 10, jitter: 0 },
    timeout: 400,
    total: 10_000,
    signal: new AbortController().signal,
    clock: systemClock,
    random: systemRandom,
    ...more,
  });

// The first loads the HTTP client, which takes time of its own.
beforeAll(async () => {
  const peer = await receiver((response) => void response.writeHead(204).end());
  await post(peer.url, { timeout: 10_000 });
});

test('who never answers is asked as often as was said, each time for so long and no longer', async () => {
  const peer = await receiver(() => {});
  expect(await post(peer.url)).toEqual({ delivered: false, error: 'timeout' });
  expect(peer.hits).toHaveLength(3);
});

test('no try begins after the total, and none outlasts it', async () => {
  const peer = await receiver(() => {});
  const started = performance.now();
  const outcome = await post(peer.url, { timeout: 60_000, total: 500 });
  expect(outcome).toEqual({ delivered: false, error: 'timeout' });
  expect(peer.hits).toHaveLength(1);
  expect(performance.now() - started).toBeLessThan(5_000);
});

test('each try is signed as of its own time', async () => {
  let now = Date.UTC(2026, 0, 1);
  const peer = await receiver((response, { hits }) =>
    response.writeHead(hits.length < 2 ? 503 : 200).end(),
  );
  const clock = {
    now: () => now,
    sleep: async () => {
      now += 1_000;
    },
  };
  const keys = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  expect(await post(peer.url, { clock, keys })).toEqual({ delivered: true });
  const [first, second] = peer.hits.map(({ headers }) => headers);
  expect(Number(second?.['webhook-timestamp']) - Number(first?.['webhook-timestamp'])).toBe(1);
  expect(second?.['webhook-signature']).not.toBe(first?.['webhook-signature']);
  expect(String(first?.['webhook-signature']).split(' ')).toHaveLength(2);
});

test('a target of the operator lets through itself and nothing beside it', async () => {
  const own = await receiver((response) => void response.writeHead(204).end());
  const other = await receiver((response) => void response.writeHead(204).end());
  const guard = ownTarget('URL', `${own.url}/path`);
  const send = (url: string) =>
    deliver({
      url,
      guard,
      headers: {},
      body: Buffer.from('{}'),
      timeout: 5_000,
      signal: new AbortController().signal,
    });
  expect(await send(own.url)).toMatchObject({ status: 204 });
  expect(await send(other.url)).toEqual({ error: 'forbidden_target' });
  expect(await send(other.url.replace('127.0.0.1', 'localhost'))).toEqual({
    error: 'forbidden_target',
  });
  expect(await send('http://8.8.8.8/')).toEqual({ error: 'forbidden_target' });
  expect(other.hits).toHaveLength(0);
});

test.each([
  ['https://broker.internal/x', 'broker.internal', 443],
  ['http://broker.internal.', 'broker.internal', 80],
  ['http://[::1]:9000', '::1', 9_000],
  ['http://2130706433:81', '127.0.0.1', 81],
])('%s is %s at port %d', (url, host, port) => {
  const guard = ownTarget('URL', url);
  expect(guard.resolver(host, port)).toBeDefined();
  expect(guard.resolver(host, port + 1)).toBeUndefined();
});

test.each(['ftp://x/', 'https://u@x/', 'https://:p@x/', 'nothing'])('%s is refused', (url) => {
  expect(() => ownTarget('URL', url)).toThrow(TypeError);
});
