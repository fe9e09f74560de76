/** One GiB through the router in each direction: how much its memory grows, and what it costs. */
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { cpuTime, takeClientCore } from '../machine.mjs';
import { pause } from '../pipelines/process.mjs';
import { startProxies } from './proxies.mjs';

const SIZE = 2 ** 30;
const PART = Buffer.alloc(65_536, 'x');
const ROUTER = 'shard-router, node host';

export const bulk = async (program) => {
  takeClientCore();
  const rows = [];
  for (const [what, run] of Object.entries(RUNS)) {
    let serve = () => {};
    const server = createServer((socket) => serve(socket.on('error', () => {})));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    const [proxy] = await startProxies({ program, shards: [port], only: ROUTER });
    const through = (size) => run({ port: proxy.port, size, serve: (one) => (serve = one) });
    // What is loaded and compiled once is not counted.
    await through(2 ** 23);
    const memory = peakMemory(proxy.pid);
    const cpu = cpuTime(proxy.pid);
    const began = performance.now();
    const received = await through(SIZE);
    if (received < SIZE) throw new Error(`${what}: only ${received} bytes have come through`);
    rows.push({
      what,
      grown: (peakMemory(proxy.pid) - memory) / 1024,
      seconds: (performance.now() - began) / 1000,
      cpu: (cpuTime(proxy.pid) - cpu) / 1e6,
    });
    await proxy.stop();
    server.close();
  }
  return rows;
};

/** The most that was ever in memory, KiB; Linux only. */
const peakMemory = (pid) =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

const pour = async (socket, size) => {
  for (let left = size; left > 0 && !socket.destroyed; left -= PART.length)
    if (!socket.write(left < PART.length ? PART.subarray(0, left) : PART))
      await new Promise((resolve) => {
        const done = () => {
          socket.off('drain', done).off('close', done);
          resolve();
        };
        socket.on('drain', done).on('close', done);
      });
};

/** `slow`: how long the client takes nothing at all, ms. */
const download =
  (slow) =>
  async ({ port, size, serve }) => {
    serve((socket) =>
      socket.once('data', async () => {
        socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${size}\r\n\r\n`);
        await pour(socket, size);
      }),
    );
    const client = connect(port, '127.0.0.1');
    client.write('GET /?key=a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    client.pause();
    await pause(slow);
    let received = 0;
    client.on('data', (part) => {
      received += part.length;
    });
    client.resume();
    await new Promise((resolve) => client.once('close', resolve));
    return received;
  };

const upload =
  (slow) =>
  async ({ port, size, serve }) => {
    let received = 0;
    serve(async (socket) => {
      socket.pause();
      await pause(slow);
      socket.on('data', (part) => {
        received += part.length;
        if (received >= size)
          socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      });
      socket.resume();
    });
    const client = connect(port, '127.0.0.1');
    const answered = new Promise((resolve) => client.once('data', resolve));
    client.write(`POST /?key=a HTTP/1.1\r\nhost: x\r\ncontent-length: ${size}\r\n\r\n`);
    await pour(client, size);
    await answered;
    client.destroy();
    return received;
  };

const RUNS = {
  'an answer of 1 GiB': download(0),
  'the same, for a client that waits for 2 s': download(2_000),
  'a request of 1 GiB': upload(0),
  'the same, for a shard that waits for 2 s': upload(2_000),
};
