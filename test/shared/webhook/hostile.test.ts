/** Whatever a receiver does, a delivery to it ends in time and takes no memory; it runs in a process of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Child, startChild } from '../../support/child';
import { AUTHORITY, CERTIFICATES, KEY } from './certificates';
import { hostiles, serveHostile } from './hostile';
import { closeReceivers, listen, receiver } from './receiver';

const DEADLINE = 250;
/** Beyond the deadline, on a machine that does other things as well; bench/delivery.mjs measures what it takes. */
const SLACK = 2_500;
const MIB = 1_048_576;

const folder = mkdtempSync(path.join(os.tmpdir(), 'authority-'));
let child: Child;

beforeAll(async () => {
  const authority = path.join(folder, 'authority.pem');
  writeFileSync(authority, AUTHORITY);
  child = await startChild('test/shared/webhook/delivery-child.ts', [], {
    env: {
      NODE_EXTRA_CA_CERTS: authority,
      // What an environment may say and is not listened to.
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
      NODE_OPTIONS:
        '--tls-min-v1.0 --tls-cipher-list=DEFAULT@SECLEVEL=0 --max-http-header-size=262144 --no-warnings',
    },
  });
});
afterAll(async () => {
  child.kill();
  await child.ended;
  rmSync(folder, { recursive: true });
});
afterEach(closeReceivers);

interface Answer {
  readonly delivery: { readonly status?: number; readonly error?: string; readonly body?: unknown };
  readonly elapsed: number;
  readonly peak: number;
}

const deliver = async (url: string, timeout: number): Promise<Answer> => {
  child.send(JSON.stringify({ url, allow: '127.0.0.1,localhost', timeout }));
  return JSON.parse(await child.line());
};

describe('a hostile receiver', () => {
  const all = hostiles();
  let usual = 0;

  test('is one of many', () => {
    expect(all.length).toBeGreaterThanOrEqual(20);
  });

  test('comes after a good one', async () => {
    const peer = await receiver((response) => response.end('ok'));
    for (let i = 0; i < 50; i += 1) {
      const { delivery, peak } = await deliver(peer.url, 5_000);
      expect(delivery).toMatchObject({ status: 200 });
      usual = peak;
    }
  });

  test.each(all.map((one) => [one.name, one] as const))('with %s', async (_, hostile) => {
    const url = await listen(serveHostile(hostile));
    const { delivery, elapsed, peak } = await deliver(
      hostile.scheme ? url.replace('http:', 'https:') : url,
      DEADLINE,
    );
    expect(hostile.ends).toContain(delivery.error ?? delivery.status);
    expect(elapsed).toBeLessThan(DEADLINE + SLACK);
    expect(peak - usual).toBeLessThan(20 * MIB);
  });
});

describe('a server with TLS', () => {
  const serve = async (options: Parameters<typeof createTlsServer>[0]) => {
    let hits = 0;
    const server = createTlsServer({ key: KEY, ...options }, (request, response) => {
      hits += 1;
      request.resume();
      response.end('ok');
    });
    server.on('tlsClientError', () => {});
    const url = (await listen(server)).replace('http:', 'https:');
    return { url, hits: () => hits };
  };

  test('whose certificate is of an authority that is trusted is called', async () => {
    const { url } = await serve({ cert: CERTIFICATES.good });
    for (const host of ['127.0.0.1', 'localhost'])
      expect((await deliver(url.replace('127.0.0.1', host), 5_000)).delivery).toMatchObject({
        status: 200,
      });
  });

  test.each(['expired', 'wrongName', 'selfSigned'] as const)(
    'is not when its certificate is no good: %s',
    async (name) => {
      const { url, hits } = await serve({ cert: CERTIFICATES[name] });
      expect((await deliver(url, 5_000)).delivery).toEqual({ error: 'unreachable' });
      expect(hits()).toBe(0);
    },
  );

  test.each([
    ['TLSv1.1', { error: 'unreachable' }],
    ['TLSv1.2', { status: 200 }],
  ] as const)('that speaks no more than %s', async (maxVersion, expected) => {
    const { url } = await serve({
      cert: CERTIFICATES.good,
      minVersion: 'TLSv1',
      maxVersion,
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    expect((await deliver(url, 5_000)).delivery).toMatchObject(expected);
  });
});
