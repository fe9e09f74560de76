/** Where requests for a WebSocket go: over TLS, to another server when one is not there; and the host that knows no upgrade. */
import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AUTHORITY, CERTIFICATES, KEY } from '../shared/webhook/certificates';
import { bundle } from '../support/bundle';
import { startHost } from '../support/host-process';
import { PEERS_TIMEOUT } from '../support/peers';
import { connect, type PeerServer, startPeerServer } from '../support/websocket-peer';

const folder = mkdtempSync(path.join(os.tmpdir(), 'faas-'));
const authority = path.join(folder, 'authority.pem');
writeFileSync(authority, AUTHORITY);

let peer: PeerServer;
let secret: PeerServer;

beforeAll(async () => {
  peer = await startPeerServer();
  secret = await startPeerServer({}, { key: KEY, cert: CERTIFICATES.good });
}, PEERS_TIMEOUT);

afterAll(() => {
  peer.stop();
  secret.stop();
});

const start = (environment: Record<string, string>) =>
  startHost({
    file: bundle('test/support/upgrade-probe/node.ts'),
    environment: { PIPELINES_DIR: folder, ...environment },
  });

/** A port on which nobody listens. */
const freePort = async (): Promise<number> => {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};

describe('a server behind that speaks TLS', () => {
  test('is spoken to when its certificate is good, and only then', async () => {
    const environment = { PROBE_UPGRADE_ORIGIN: `https://127.0.0.1:${secret.port}` };
    const trusting = await start({ ...environment, NODE_EXTRA_CA_CERTS: authority });
    const client = await connect(`ws://127.0.0.1:${trusting.port}/probe-upgrade/forward/x`);
    client.socket.send('x'.repeat(100_000));
    expect((await client.next()).length).toBe(100_000);
    client.socket.close(4000);
    expect(await client.closed).toBe(4000);
    await trusting.stop('SIGKILL');
    const doubting = await start(environment);
    const url = `ws://127.0.0.1:${doubting.port}/probe-upgrade/forward/x`;
    await expect(connect(url)).rejects.toThrow(/502/);
    expect(secret.sockets.size).toBe(0);
    await doubting.stop('SIGKILL');
  });
});

describe('a server that is not there', () => {
  test('has seen nothing, so that another may be asked; one that is silent has', async () => {
    const silent = net.createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port: mute } = silent.address() as AddressInfo;
    const dead = await freePort();
    const host = await start({ PROBE_UPGRADE_ORIGIN: 'http://127.0.0.1:1' });
    const url = (...ports: number[]) =>
      `ws://127.0.0.1:${host.port}/probe-upgrade/try?${ports.join(',')}`;
    const client = await connect(url(dead, dead, peer.port));
    client.socket.send('hello');
    expect(await client.next()).toBe('hello');
    client.socket.close();
    await client.closed;
    await expect(connect(url(dead))).rejects.toThrow(/502/);
    await expect(connect(url(mute, peer.port))).rejects.toThrow(/504/);
    await host.stop('SIGKILL');
    silent.close();
  });
});

test('under the stock command line it is a request like any other, which the server behind refuses', async () => {
  const source = bundle('test/support/upgrade-probe/stock.ts');
  const cli = path.resolve(
    __dirname,
    '../../node_modules/@google-cloud/functions-framework/build/src/main.js',
  );
  const port = await freePort();
  const child = spawn(
    process.execPath,
    [cli, '--target=probe-upgrade', `--source=${source}`, `--port=${port}`],
    {
      env: { PATH: process.env.PATH, PROBE_UPGRADE_ORIGIN: `http://127.0.0.1:${peer.port}` },
      cwd: folder,
    },
  );
  try {
    let refused = '';
    for (let i = 0; i < 200 && !/response/.test(refused); i += 1) {
      refused = await connect(`ws://127.0.0.1:${port}/forward/x`).then(
        () => 'taken: no response',
        (error: Error) => error.message,
      );
      await delay(50);
    }
    expect(refused).toBe('Unexpected server response: 426');
    expect(peer.sockets.size).toBe(0);
  } finally {
    child.kill('SIGKILL');
  }
});
