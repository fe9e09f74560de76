/** From the spawn of the process to the first byte of its first answer, in ms. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { freePort, spawnServer, takeClientCore } from './machine.mjs';
import { COLD_STARTS } from './servers.mjs';

/** One run of each after the other, again and again, so that a busy minute of the machine is in all of them. */
export const coldStart = async ({ rounds = 21 }) => {
  takeClientCore({ preferred: true });
  const folder = await mkdtemp(path.join(os.tmpdir(), 'faas-patterns-bench-'));
  const times = Object.fromEntries(Object.keys(COLD_STARTS).map((name) => [name, []]));
  try {
    // The first run of each warms the page cache, and makes the database file: it is not counted.
    for (let round = 0; round <= rounds; round++)
      for (const [name, server] of Object.entries(COLD_STARTS)) {
        const time = await startOnce(server, folder);
        if (round > 0) times[name].push(time);
      }
  } finally {
    takeClientCore();
    await rm(folder, { recursive: true, force: true });
  }
  return times;
};

const startOnce = async ({ args, environment = {}, body }, folder) => {
  const port = await freePort();
  const text = typeof body === 'function' ? body() : body;
  const started = performance.now();
  const child = spawnServer(args, {
    folder,
    environment: { ...environment, PORT: `${port}` },
    preferred: true,
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const broken = ended.then((code) => {
    throw new Error(`${args.join(' ')} ended with ${code}`);
  });
  broken.catch(() => {});
  const status = await Promise.race([firstAnswer(port, text, child), broken]);
  const time = performance.now() - started;
  child.kill('SIGKILL');
  await ended;
  if (status < 200 || status > 299) throw new Error(`${args.join(' ')} answered ${status}`);
  return time;
};

/** Asks until somebody listens. */
const firstAnswer = (port, body, child) =>
  new Promise((resolve) => {
    const request = `POST / HTTP/1.1\r\nhost: localhost:${port}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    const ask = () => {
      if (child.exitCode !== null) return;
      const socket = connect(port, '127.0.0.1', () => socket.write(request));
      socket.once('data', (head) => {
        resolve(Number(head.toString('latin1', 9, 12)));
        socket.destroy();
      });
      socket.once('error', () => setImmediate(ask));
    };
    ask();
  });
