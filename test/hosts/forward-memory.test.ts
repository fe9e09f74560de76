/** Large bodies on their way through `context.forward`, on both hosts: they are not kept, however slow whoever takes them is. */
import { mkdtempSync, readFileSync } from 'node:fs';
import net, { type AddressInfo, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';

const none = mkdtempSync(path.join(os.tmpdir(), 'faas-'));
const MiB = 1024 * 1024;
const SIZE = 256 * MiB;
/** KiB. */
const MOST = 32 * 1024;
const PART = Buffer.alloc(65_536, 'x');

const peakMemory = ({ child }: HostProcess): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]);

/** As fast as it is taken. */
const pour = async (socket: Socket, size: number): Promise<void> => {
  for (let left = size; left > 0 && !socket.destroyed; left -= PART.length) {
    const part = left < PART.length ? PART.subarray(0, left) : PART;
    if (!socket.write(part)) await drained(socket);
  }
};

const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });

describe.each(['node', 'functions-framework'])('the %s host', (name) => {
  let host: HostProcess;
  let server: net.Server;
  let serve: (socket: Socket) => void;

  beforeAll(async () => {
    server = net.createServer((socket) => serve(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    host = await startHost({
      file: bundle(`test/support/forward-probe/${name}.ts`),
      environment: { PIPELINES_DIR: none, FORWARD_PROBE_ORIGIN: `http://127.0.0.1:${port}` },
    });
    // What is loaded and compiled once is not counted.
    await download(8 * MiB, false);
    await upload(8 * MiB, false);
  });
  afterAll(async () => {
    await host.stop('SIGKILL');
    server.close();
  });

  const OPTIONS = `x-wishes: ${JSON.stringify({ options: { timeout: 20_000 } })}\r\n`;

  const download = async (size: number, isSlow: boolean, chunked = false): Promise<number> => {
    let sent = 0;
    serve = (socket) =>
      void socket.once('data', async () => {
        socket.write(
          `HTTP/1.1 200 OK\r\nconnection: close\r\n${chunked ? 'transfer-encoding: chunked' : `content-length: ${size}`}\r\n\r\n`,
        );
        for (; sent < size && !socket.destroyed; sent += PART.length) {
          if (chunked) socket.write('10000\r\n');
          await pour(socket, PART.length);
          if (chunked) socket.write('\r\n');
        }
        if (chunked) socket.write('0\r\n\r\n');
      });
    const client = net.connect(host.port, '127.0.0.1');
    client.write(`GET /forward-probe/ HTTP/1.1\r\nhost: x\r\n${OPTIONS}connection: close\r\n\r\n`);
    if (isSlow) {
      client.pause();
      await delay(1_000);
      // Nothing but what kernels hold has left the server behind.
      expect(sent).toBeLessThan(64 * MiB);
    }
    let received = 0;
    client.on('data', (part) => {
      received += part.length;
    });
    client.resume();
    await new Promise((resolve) => client.once('close', resolve));
    return received;
  };

  const upload = async (size: number, isSlow: boolean): Promise<number> => {
    let received = 0;
    serve = (socket) => {
      const read = () =>
        void socket.on('data', (part) => {
          received += part.length;
          if (received >= size)
            socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
        });
      if (isSlow) setTimeout(read, 1_000);
      else read();
    };
    const client = net.connect(host.port, '127.0.0.1');
    const answered = new Promise((resolve) => client.once('data', resolve));
    client.write(
      `POST /forward-probe/ HTTP/1.1\r\nhost: x\r\n${OPTIONS}content-length: ${size}\r\n\r\n`,
    );
    await pour(client, size);
    await answered;
    client.destroy();
    return received;
  };

  const grownBy = async (work: () => Promise<number>): Promise<number> => {
    const before = peakMemory(host);
    expect(await work()).toBeGreaterThanOrEqual(SIZE);
    return peakMemory(host) - before;
  };

  test.each([
    ['an answer with a length', () => download(SIZE, false)],
    ['an answer in chunks', () => download(SIZE, false, true)],
    ['an answer for a client that is slow', () => download(SIZE, true)],
    ['a request', () => upload(SIZE, false)],
    ['a request for a server that is slow', () => upload(SIZE, true)],
  ])(
    '256 MiB of %s take less than 32 MiB',
    async (_name, work) => {
      const grown = await grownBy(work);
      expect(grown).toBeLessThan(MOST);
    },
    120_000,
  );
});
