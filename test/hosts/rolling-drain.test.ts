/** What a host that is told to stop does for those that still send it requests. */
import { mkdtempSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { createServer, drain, drainTimes, listen } from '../../shared/hosts/server';
import { bundle } from '../support/bundle';
import { type HostProcess, runToEnd, startHost } from '../support/host-process';
import { exchange, openRaw } from '../support/raw-http';

const none = mkdtempSync(path.join(os.tmpdir(), 'faas-'));
const GET = 'GET /probe-json/items/7 HTTP/1.1\r\nhost: x\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n';
const WHOLE = /\}$/;

describe.each(['node', 'functions-framework'])('a %s host that is told to stop', (name) => {
  const file = bundle(`test/support/probe/${name}.ts`);
  const start = (delay: string) =>
    startHost({ file, environment: { PIPELINES_DIR: none, DRAIN_DELAY: delay } });

  const refused = async ({ port }: HostProcess): Promise<void> => {
    for (;;) {
      const answer = await exchange(port, { path: '/health/liveness' }).catch(() => undefined);
      if (!answer) return;
      await sleep(20);
    }
  };

  test('is served as before, on new connections and kept ones, while its readiness says no; then it is not', async () => {
    const host = await start('700ms');
    const kept = openRaw(host.port, GET);
    await kept.until(WHOLE);
    const stopped = host.stop();
    await sleep(200);
    const { status } = await exchange(host.port, { path: '/health/readiness' });
    expect(status).toBe(503);
    expect((await exchange(host.port, { path: '/health/liveness' })).status).toBe(200);
    expect((await exchange(host.port, { path: '/probe-json/items/7' })).status).toBe(200);
    const first = kept.text.length;
    kept.socket.write(GET);
    await sleep(200);
    expect(kept.text.slice(first)).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(kept.text.slice(first)).not.toMatch(/^connection: close/im);
    await refused(host);
    expect(await stopped).toBe(0);
  });

  test.each([
    ['a function', GET],
    ['its health', 'GET /health/liveness HTTP/1.1\r\nhost: x\r\n\r\n'],
  ])(
    'answers a request of %s on a kept connection after its port has closed, and ends the connection',
    async (_, request) => {
      const host = await start('1s');
      const kept = openRaw(host.port, GET);
      await kept.until(WHOLE);
      const first = kept.text.length;
      const stopped = host.stop();
      await refused(host);
      kept.socket.write(request);
      const answer = (await kept.ended()).slice(first);
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
      expect(answer).toMatch(/^connection: close/im);
      expect(await stopped).toBe(0);
    },
  );

  test('ends a connection that nobody uses, and then itself, long before it would be cut', async () => {
    const host = await start('300ms');
    const kept = openRaw(host.port, GET);
    await kept.until(WHOLE);
    const begun = performance.now();
    expect(await host.stop()).toBe(0);
    expect(await kept.ended()).not.toMatch(/connection: close/i);
    expect(performance.now() - begun).toBeLessThan(5_000);
  });
});

test('DRAIN_DELAY that is no duration, or one of hours, is refused', async () => {
  const file = bundle('test/support/probe/node.ts');
  for (const delay of ['soon', '5', '2h', '-1s']) {
    const { code, stderr } = await runToEnd(file, { PIPELINES_DIR: none, DRAIN_DELAY: delay });
    expect([delay, code, stderr]).toEqual([delay, 2, expect.stringMatching(/DRAIN_DELAY/)]);
  }
});

test('in development a stop is at once; in production balancers have 3 s, and all is over before platforms kill', () => {
  expect(drainTimes({ production: false })).toEqual({ delay: 0, quiet: 0, timeout: 9_000 });
  expect(drainTimes({ production: true })).toEqual({ delay: 3_000, quiet: 1_000, timeout: 9_000 });
  expect(drainTimes({ production: true, delay: 15_000 })).toEqual({
    delay: 15_000,
    quiet: 1_000,
    timeout: 21_000,
  });
  expect(drainTimes({ production: true, delay: 0 })).toEqual({
    delay: 0,
    quiet: 0,
    timeout: 9_000,
  });
});

describe('nothing that has arrived is lost', () => {
  const serve = async (): Promise<Server> => {
    const server = createServer((_, outgoing) => void outgoing.end('done'), { ready: () => true });
    await listen(server, 0, '127.0.0.1');
    return server;
  };
  const portOf = (server: Server) => (server.address() as AddressInfo).port;

  test('when the port closes: those that have connected already are served', async () => {
    const server = await serve();
    const port = portOf(server);
    // All have connected as far as the system is concerned; the server has yet to hear of it.
    const clients = Array.from({ length: 40 }, () => openRaw(port, POST));
    const drained = drain(server, { quiet: 500 });
    for (const client of clients) expect(await client.ended()).toMatch(/^HTTP\/1\.1 200 OK/);
    await drained;
  });

  test('when a connection has been idle for long enough: a request that came while the host was busy is answered', async () => {
    const server = await serve();
    const client = openRaw(portOf(server), 'GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await client.until(/done$/);
    const first = client.text.length;
    const drained = drain(server, { quiet: 200 });
    await sleep(50);
    // Due with the look for idle connections, and before it.
    setTimeout(() => client.socket.write(POST), 100);
    for (const end = performance.now() + 300; performance.now() < end; );
    expect((await client.ended()).slice(first)).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*done$/);
    await drained;
  });
});
