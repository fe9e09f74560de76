/** `context.clientAddress`: on both hosts, whatever a caller sends. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { parseAddress } from '../../shared/hosts/client-address';
import { createListener, type HostContext } from '../../shared/hosts/listener';
import { json } from '../../shared/http/response';
import { ADDRESS_CASES } from '../contracts/client-address';
import { bundle } from '../support/bundle';
import { type HostProcess, runToEnd, startHost } from '../support/host-process';
import { testContext } from '../support/invoke';
import { exchange } from '../support/raw-http';

const none = mkdtempSync(path.join(os.tmpdir(), 'faas-'));
afterAll(() => rmSync(none, { recursive: true, force: true }));

describe.each(['node', 'functions-framework'])('on the %s host', (name) => {
  const hosts: HostProcess[] = [];

  beforeAll(async () => {
    const file = bundle(`test/support/probe/${name}.ts`);
    for (const TRUSTED_PROXY_HOPS of [undefined, '1', '2'])
      hosts.push(
        await startHost({ file, environment: { PIPELINES_DIR: none, TRUSTED_PROXY_HOPS } }),
      );
  });

  afterAll(async () => {
    for (const host of hosts) await host.stop('SIGKILL');
  });

  const ask = async (
    host: HostProcess | undefined,
    fields: readonly (readonly [string, string])[],
  ) =>
    JSON.parse(
      (
        await exchange(host?.port as number, { path: '/probe-stream/client', headers: fields })
      ).body.toString(),
    ).address;

  test.each(ADDRESS_CASES)('$name', async ({ forwardedFor, addresses }) => {
    const fields = forwardedFor.map((value) => ['X-Forwarded-For', value] as const);
    expect([
      await ask(hosts[0], fields),
      await ask(hosts[1], fields),
      await ask(hosts[2], fields),
    ]).toEqual(addresses);
  });

  test('no other field is believed', async () => {
    const fields = ['Forwarded', 'X-Real-IP', 'X-Client-IP', 'CF-Connecting-IP', 'True-Client-IP'];
    const forged = fields.map(
      (field) => [field, `${field === 'Forwarded' ? 'for=' : ''}203.0.113.99`] as const,
    );
    expect(await ask(hosts[1], forged)).toBe('127.0.0.1');
  });

  test('a number of proxies that is none is refused', async () => {
    const file = bundle(`test/support/probe/${name}.ts`);
    for (const TRUSTED_PROXY_HOPS of ['-1', 'all', 'true']) {
      const { code, stderr } = await runToEnd(file, { PIPELINES_DIR: none, TRUSTED_PROXY_HOPS });
      expect([code, stderr]).toEqual([2, expect.stringMatching(/TRUSTED_PROXY_HOPS +must be/)]);
    }
  });
});

test.each([
  '',
  'unknown',
  'localhost',
  '1.2.3',
  '1.2.3.4.5',
  '01.2.3.4',
  '0x7f.0.0.1',
  '2130706433',
  '1.2.3.4:',
  '1.2.3.4:123456',
  '1.2.3.4/24',
  '1.2.3.4 5.6.7.8',
  '[::1',
  '::1]',
  '[[::1]]',
  '[::1]x',
  ':::',
  '%eth0',
  '12345::',
  '::ffff:1.2.3.4.5',
  '１.2.3.4',
  `${'1'.repeat(100)}.2.3.4`,
  `[${':'.repeat(100)}]`,
])('%j is no address', (text) => {
  expect(parseAddress(text)).toBeUndefined();
});

test.each([
  ['::ffff:1.2.3.4', '1.2.3.4'],
  ['::FFFF:0102:0304', '1.2.3.4'],
  ['0:0:0:0:0:ffff:102:304', '1.2.3.4'],
  ['[::ffff:0.0.0.0]:1', '0.0.0.0'],
  ['::1.2.3.4', '::102:304'],
  ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
  ['::', '::'],
  [' 1.2.3.4\t', '1.2.3.4'],
])('%s is %s', (text, address) => {
  expect(parseAddress(text)).toBe(address);
});

describe('within one process', () => {
  const servers: http.Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  /** What the function sees of its caller; the first request settles it. */
  const listen = async (
    at: { readonly host: string } | { readonly path: string },
    look: (context: HostContext, incoming: IncomingMessage) => unknown,
  ): Promise<{ readonly server: http.Server; readonly seen: Promise<unknown> }> => {
    let settle: (seen: unknown) => void;
    const seen = new Promise<unknown>((resolve) => {
      settle = resolve;
    });
    let incoming: IncomingMessage;
    const listener = createListener({
      application: (_request, context) => {
        try {
          settle({ address: look(context, incoming) });
        } catch (thrown) {
          settle(thrown);
        }
        return json({});
      },
      forwarder: { forward: () => Promise.reject(new Error('no')), close: async () => {} },
      log: () => testContext().log,
      stopped: new AbortController().signal,
      stopping: () => false,
      waitUntil: () => {},
    });
    const server = http.createServer((request, response) => {
      incoming = request;
      listener(request, response);
    });
    servers.push(server);
    await new Promise<void>((resolve) =>
      server.listen('path' in at ? at : { port: 0, ...at }, resolve),
    );
    return { server, seen };
  };

  test('a caller that cuts its connection before it is known is gone, not without an address', async () => {
    const { server, seen } = await listen(
      { host: '127.0.0.1' },
      (context) => context.clientAddress,
    );
    const { port } = server.address() as AddressInfo;
    // While this process stands still, so that it finds a whole request and a connection that is no more.
    const { status } = spawnSync(process.execPath, [
      '-e',
      `const socket = require('node:net').connect(${port}, '127.0.0.1', () =>
         socket.write('GET / HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n', () => socket.resetAndDestroy()));`,
    ]);
    expect(status).toBe(0);
    expect(await seen).toMatchObject({ code: 'aborted' });
  });

  test('a Unix socket has no address', async () => {
    const file = path.join(none, 'socket');
    const { seen } = await listen({ path: file }, (context) => context.clientAddress);
    http.get({ socketPath: file, path: '/' }).on('error', () => {});
    expect(await seen).toEqual({ address: undefined });
  });

  test('IPv4 that comes in by an IPv6 socket is IPv4', async () => {
    const { server, seen } = await listen({ host: '::' }, (context, { socket }) => [
      socket.remoteAddress,
      context.clientAddress,
    ]);
    const { port } = server.address() as AddressInfo;
    http.get({ host: '127.0.0.1', port }).on('error', () => {});
    expect(await seen).toEqual({ address: ['::ffff:127.0.0.1', '127.0.0.1'] });
  });

  test('is the same from first to last, for contexts made from this one too', async () => {
    const { server, seen } = await listen({ host: '127.0.0.1' }, (context, { socket }) => {
      const derived = Object.create(context, { params: { value: {} } }) as HostContext;
      const first = derived.clientAddress;
      socket.destroy();
      return [first, context.clientAddress];
    });
    const { port } = server.address() as AddressInfo;
    http.get({ host: '127.0.0.1', port }).on('error', () => {});
    expect(await seen).toEqual({ address: ['127.0.0.1', '127.0.0.1'] });
  });
});
