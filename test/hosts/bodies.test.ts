/** Bodies as they arrive: with the head, after it, in parts, too large, left unread. */
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createListener } from '../../shared/hosts/listener';
import { readRaw } from '../../shared/http/body';
import { readJson } from '../../shared/http/json';
import { empty, json } from '../../shared/http/response';
import { testContext } from '../support/invoke';

const listener = createListener({
  application: async (request, { path }) => {
    if (path === '/unread') return empty();
    if (path === '/five') return json((await readRaw(request, 5)).length);
    return json(await readJson(request));
  },
  forwarder: {
    forward: () => Promise.reject(new Error('nothing is forwarded here')),
    close: async () => {},
  },
  log: () => testContext().log,
  stopped: new AbortController().signal,
  stopping: () => false,
  waitUntil: () => {},
});
const server = http.createServer(listener);
let port: number;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const head = (fields: string, path = '/') =>
  `POST ${path} HTTP/1.1\r\nhost: test.local\r\ncontent-type: application/json\r\n${fields}\r\n\r\n`;

interface Heard {
  readonly text: string;
  readonly closed: boolean;
}

/** Sends each part a little after the one before; what has come back, and whether the connection is closed then. */
const speak = async (...parts: readonly string[]): Promise<Heard> => {
  const socket = net.connect(port, '127.0.0.1').setNoDelay();
  let text = '';
  let closed = false;
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.on('end', () => {
    closed = true;
  });
  for (const part of parts) {
    socket.write(part);
    await delay(40);
  }
  socket.destroy();
  return { text, closed };
};

const statuses = ({ text }: Heard) =>
  [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);

test.each([
  ['in one piece with its head', [`${head('content-length: 7')}{"a":1}`]],
  ['after its head', [head('content-length: 7'), '{"a":1}']],
  ['in parts', [`${head('content-length: 7')}{"a`, '":', '1}']],
  ['in chunks', [`${head('transfer-encoding: chunked')}3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n`]],
  ['in late chunks', [head('transfer-encoding: chunked'), '7\r\n{"a":1}\r\n', '0\r\n\r\n']],
])('a body %s is read, and the connection goes on', async (_, parts) => {
  const heard = await speak(...parts, `${head('content-length: 2')}[]`);
  expect(statuses(heard)).toEqual(['200', '200']);
  expect(heard.text).toMatch(/\{"a":1\}HTTP[\s\S]*\[\]$/);
  expect(heard.closed).toBe(false);
});

test('two requests in one packet are two', async () => {
  const heard = await speak(
    `${head('content-length: 7')}{"a":1}${head('content-length: 7')}{"a":2}`,
  );
  expect(heard.text).toMatch(/\{"a":1\}HTTP[\s\S]*\{"a":2\}$/);
});

test('a body that was read and refused leaves the connection usable', async () => {
  const heard = await speak(
    `${head('content-length: 7')}{"a":x}`,
    `${head('content-length: 7')}{"a":1}`,
  );
  expect(statuses(heard)).toEqual(['400', '200']);
  expect(heard.closed).toBe(false);
});

test('a body that nobody reads to its end ends the connection, once its sender has the answer', async () => {
  const late = await speak(head('content-length: 100000', '/unread'), 'x'.repeat(50_000));
  expect(statuses(late)).toEqual(['204']);
  expect(late.text).toMatch(/connection: close/i);
  const refused = await speak(`${head('content-length: 2000000')}{`);
  expect(statuses(refused)).toEqual(['413']);
  expect(refused.text).toMatch(/connection: close/i);
});

test('the limit of a reader holds for what came with the head, too', async () => {
  expect(statuses(await speak(`${head('content-length: 5', '/five')}12345`))).toEqual(['200']);
  expect(statuses(await speak(`${head('content-length: 6', '/five')}123456`))).toEqual(['413']);
});

test('a client that leaves in the middle of its body harms nobody', async () => {
  expect(await speak(`${head('content-length: 7')}{"a`)).toEqual({ text: '', closed: false });
  expect(statuses(await speak(`${head('content-length: 2')}{}`))).toEqual(['200']);
});
