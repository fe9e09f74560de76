/** node load.mjs PORT SECONDS BODY: sends the same request over 64 connections; prints { requests, seconds }. */
import { connect } from 'node:net';
import { takeClientCore } from './machine.mjs';

const [port, seconds, body] = process.argv.slice(2);
const CONNECTIONS = 64;
const request = Buffer.from(
  `POST / HTTP/1.1\r\nhost: localhost:${port}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
);

takeClientCore();
let requests = 0;
let stopped = false;

/** On bare sockets, so that the client is never what is waited for. */
const open = () => {
  const socket = connect(Number(port), '127.0.0.1');
  socket.setNoDelay(true);
  let pending = '';
  socket.on('connect', () => socket.write(request));
  socket.on('error', (error) => {
    throw error;
  });
  socket.on('data', (part) => {
    pending += part.toString('latin1');
    const head = pending.indexOf('\r\n\r\n');
    if (head < 0) return;
    const [, status] = /^HTTP\/1\.1 (\d+)/.exec(pending) ?? [];
    const [, length] = /\r\ncontent-length: *(\d+)/i.exec(pending.slice(0, head)) ?? [];
    if (status !== '200' || length === undefined) throw new Error(`not an answer: ${pending}`);
    if (pending.length < head + 4 + Number(length)) return;
    pending = '';
    requests++;
    if (stopped) socket.destroy();
    else socket.write(request);
  });
};

/** Never asleep: to wake a client is billed to the server, and more often to the slower ones. */
const stayAwake = () => setImmediate(stayAwake);
stayAwake();

const started = performance.now();
for (let i = 0; i < CONNECTIONS; i++) open();
setTimeout(() => {
  stopped = true;
  const elapsed = (performance.now() - started) / 1000;
  process.stdout.write(`${JSON.stringify({ requests, seconds: elapsed })}\n`, () => process.exit());
}, Number(seconds) * 1000);
