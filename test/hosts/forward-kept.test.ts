/** What comes on a kept connection between two requests: it is nobody's answer, and costs the next request nothing. */
import { EventEmitter } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Exchange } from '../../shared/hosts/forward/exchange';
import { Origin } from '../../shared/hosts/forward/origin';
import { ok } from '../support/raw-upstream';

const EVIL = 'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nPOISON';

const ANOTHER = 'answer of connection 2';

let server: net.Server;
let control: net.Server;
let accepted: Socket[];
let told: Socket;
let ear: Socket;
let hear: () => void;
let port: number;
let origin: Origin;

const listening = (one: net.Server): Promise<number> =>
  new Promise((resolve) =>
    one.listen(0, '127.0.0.1', () => resolve((one.address() as AddressInfo).port)),
  );

/** As `context.forward` begins it. */
const ask = (body: string | undefined): Promise<string> =>
  new Promise((resolve) => {
    const head = `${body === undefined ? 'GET' : 'POST'} / HTTP/1.1\r\nhost: x\r\ncontent-length: ${body?.length ?? 0}\r\n\r\n`;
    const outgoing = Object.assign(new EventEmitter(), { socket: {}, req: {} });
    new Exchange({
      origin,
      order: {
        head,
        body,
        length: undefined,
        isHead: false,
        isRepeatable: body === undefined,
        giveBack: undefined,
      },
      outgoing: outgoing as never,
      signal: undefined,
      timeout: 5_000,
      idle: 5_000,
      onStream: undefined,
      onEnd: undefined,
      resolve: (answer) => void answer.text().then(resolve),
      reject: (failure) => resolve((failure as { code: string }).code),
    }).start();
  });

beforeAll(async () => {
  server = net.createServer((socket) => {
    const name = `answer of connection ${accepted.push(socket)}`;
    socket.on('error', () => undefined).on('data', () => void socket.write(ok(name)));
  });
  control = net.createServer();
  const heard = new Promise<Socket>((resolve) => control.once('connection', resolve));
  ear = net.connect(await listening(control), '127.0.0.1');
  told = await heard;
  // It listens always: who begins to listen hears later.
  ear.on('data', () => hear());
  port = await listening(server);
});
beforeEach(() => {
  accepted = [];
  origin = new Origin(new URL(`http://127.0.0.1:${port}`), undefined);
});
afterEach(() => origin.close());
afterAll(() => {
  for (const socket of [...accepted, told, ear]) socket.destroy();
  server.close();
  control.close();
});

/** A request that begins in the turn of the event loop in which something comes on the connection that it takes. */
const askWhile = async (
  isFirst: boolean,
  body: string | undefined,
  disturb: (kept: Socket) => void,
): Promise<string> => {
  expect(await ask(undefined)).toBe('answer of connection 1');
  const kept = accepted[0] as Socket;
  const second = new Promise<string>((resolve) => {
    hear = () => void ask(body).then(resolve);
  });
  await delay(10);
  // The kernel has both before anybody looks, in either order.
  if (isFirst) disturb(kept);
  told.write('now');
  if (!isFirst) disturb(kept);
  return second;
};

describe.each([
  ['GET', true],
  ['GET', false],
  ['POST', true],
  ['POST', false],
])('a kept connection that %s takes while (first: %s)', (method, isFirst) => {
  const body = method === 'POST' ? 'x=1' : undefined;

  test('an answer comes that nobody has asked for is not used', async () => {
    expect(await askWhile(isFirst, body, (kept) => void kept.write(EVIL))).toBe(ANOTHER);
  });

  test('it ends is not used', async () => {
    expect(await askWhile(isFirst, body, (kept) => void kept.destroy())).toBe(ANOTHER);
  });

  test('it breaks is not used', async () => {
    expect(await askWhile(isFirst, body, (kept) => void kept.resetAndDestroy())).toBe(ANOTHER);
  });
});
