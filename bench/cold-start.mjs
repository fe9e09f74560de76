/**
 * From the spawn of the process to the first byte of its first answer, in ms; where it sends a message, to when that has
 * been taken, if that is later.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { startPeers } from '../deploy/build/warm-up-peers.cjs';
import { freePort, spawnServer, takeClientCore } from './machine.mjs';
import { coldStarts } from './servers.mjs';

/** One run of each after the other, again and again, so that a busy minute of the machine is in all of them. */
export const coldStart = async ({ rounds = 21 }) => {
  takeClientCore({ preferred: true });
  let taken;
  const message = { next: () => new Promise((resolve) => (taken = resolve)) };
  const servers = coldStarts(await startPeers(() => taken?.()));
  const folder = await mkdtemp(path.join(os.tmpdir(), 'faas-patterns-bench-'));
  const times = Object.fromEntries(Object.keys(servers).map((name) => [name, []]));
  try {
    // The first run of each warms the page cache, and makes the database file: it is not counted.
    for (let round = 0; round <= rounds; round++)
      for (const [name, server] of Object.entries(servers)) {
        const time = await startOnce(server, folder, message);
        if (round > 0) times[name].push(time);
      }
  } finally {
    takeClientCore();
    await rm(folder, { recursive: true, force: true });
  }
  return times;
};

const startOnce = async ({ args, environment = {}, body, path: asked, sends }, folder, message) => {
  const port = await freePort();
  const text = typeof body === 'function' ? body() : body;
  const sent = sends ? message.next() : undefined;
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
  const answered = firstAnswer(port, asked ?? '/', text, child);
  const [status] = await Promise.race([Promise.all([answered, sent]), broken]);
  const time = performance.now() - started;
  child.kill('SIGKILL');
  await ended;
  if (status < 200 || status > 299) throw new Error(`${args.join(' ')} answered ${status}`);
  return time;
};

/** Asks until somebody listens. */
const firstAnswer = (port, target, body, child) =>
  new Promise((resolve) => {
    const request = `POST ${target} HTTP/1.1\r\nhost: localhost:${port}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
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
