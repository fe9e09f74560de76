/**
 * node load.mjs PORT SECONDS STATUS: asks for one key after the other over 64 connections; prints { requests, seconds, p99 }.
 * On bare sockets, so that the client is never what is waited for.
 */
import { connect } from 'node:net';
import { takeClientCore } from '../machine.mjs';

const [port, seconds, status] = process.argv.slice(2);
const CONNECTIONS = 64;
const KEYS = 10_000;
const requests = Array.from({ length: KEYS }, (_, i) =>
  Buffer.from(
    `GET /items/${i}?key=user:${i} HTTP/1.1\r\nhost: localhost:${port}\r\nuser-agent: bench\r\naccept: */*\r\n\r\n`,
  ),
);
const STATUS = `HTTP/1.1 ${status}`;

takeClientCore();
let done = 0;
let sent = 0;
let isOver = false;
const times = [];

const open = () => {
  const socket = connect(Number(port), '127.0.0.1');
  let pending = '';
  let since = 0;
  const ask = () => {
    since = performance.now();
    socket.write(requests[sent++ % KEYS]);
  };
  socket.setNoDelay(true).on('connect', ask);
  socket.on('error', (error) => {
    throw error;
  });
  socket.on('data', (part) => {
    pending += part.toString('latin1');
    const head = pending.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = lengthOf(pending, head);
    if (!pending.startsWith(STATUS)) throw new Error(`not an answer: ${pending}`);
    if (
      length === undefined ? !pending.endsWith('\r\n0\r\n\r\n') : pending.length < head + 4 + length
    )
      return;
    pending = '';
    done += 1;
    if (done % 16 === 0) times.push(performance.now() - since);
    if (isOver) socket.destroy();
    else ask();
  });
};

/** `undefined`: it comes in chunks. */
const lengthOf = (text, head) => {
  const found = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head));
  return found ? Number(found[1]) : undefined;
};

/** Never asleep: to wake a client is billed to the server, and more often to the slower ones. */
const stayAwake = () => setImmediate(stayAwake);
stayAwake();

const started = performance.now();
for (let i = 0; i < CONNECTIONS; i += 1) open();
setTimeout(() => {
  isOver = true;
  const took = (performance.now() - started) / 1000;
  times.sort((a, b) => a - b);
  const p99 = times[Math.floor(times.length * 0.99)];
  const line = JSON.stringify({ requests: done, seconds: took, p99 });
  process.stdout.write(`${line}\n`, () => process.exit());
}, Number(seconds) * 1000);
