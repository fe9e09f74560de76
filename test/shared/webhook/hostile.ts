/** Receivers that do a sender harm, each on a port of its own: what they send is by the byte, past any HTTP library. */
import { createServer, type Server, type Socket } from 'node:net';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** How a delivery to it may end. A status: the answer stands, whatever becomes of its body. */
export type End = 200 | 'timeout' | 'unreachable' | 'invalid_answer';

export interface Hostile {
  readonly name: string;
  readonly ends: readonly End[];
  /** @default http */
  readonly scheme?: 'https';
  /** What it does with a connection. */
  readonly meet: (socket: Socket) => void;
}

const OK = 'HTTP/1.1 200 OK\r\n';
const JSON_OK = `${OK}content-type: application/json\r\n`;
const CHUNKED = `${JSON_OK}transfer-encoding: chunked\r\n\r\n`;
const DRIP = 20;

/** Once the request has begun to come. */
const reply =
  (act: (socket: Socket) => void) =>
  (socket: Socket): void => {
    socket.once('data', () => act(socket));
  };

const say = (bytes: string | Buffer, then?: (socket: Socket) => void) =>
  reply((socket) => {
    socket.write(bytes, () => then?.(socket));
  });

/** A piece now and then, without end. */
const drip = (head: string, piece: string) => (socket: Socket) => {
  socket.write(head);
  const timer = setInterval(() => socket.write(piece), DRIP);
  socket.on('close', () => clearInterval(timer));
};

/** As fast as it is taken, without end. */
const flood = (head: string, piece: Buffer) =>
  reply((socket) => {
    const more = (): void => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.on('drain', more);
    socket.write(head);
    more();
  });

const packed = (encoding: string, body: Buffer) =>
  say(
    Buffer.concat([
      Buffer.from(
        `${JSON_OK}content-encoding: ${encoding}\r\ncontent-length: ${body.length}\r\n\r\n`,
      ),
      body,
    ]),
  );

const end = (socket: Socket) => socket.end();
const reset = (socket: Socket) => socket.resetAndDestroy();
const part = Buffer.alloc(65_536, 'x');
const chunk = Buffer.concat([Buffer.from('10000\r\n'), part, Buffer.from('\r\n')]);

/** Built when asked for: the bombs take a while. */
export const hostiles = (): readonly Hostile[] => {
  const zeros = Buffer.alloc(200 * 1_048_576);
  const gzip = gzipSync(zeros);
  const brotli = brotliCompressSync(zeros.subarray(0, 50 * 1_048_576), {
    params: { [constants.BROTLI_PARAM_QUALITY]: 1 },
  });
  return [
    { name: 'a gzip bomb of 200 MiB', ends: [200], meet: packed('gzip', gzip) },
    { name: 'a bomb in a bomb', ends: [200], meet: packed('gzip, gzip', gzipSync(gzip)) },
    { name: 'a brotli bomb of 50 MiB', ends: [200], meet: packed('br', brotli) },
    { name: 'a body without end', ends: [200], meet: flood(`${OK}\r\n`, part) },
    { name: 'chunks without end', ends: [200], meet: flood(CHUNKED, chunk) },
    {
      name: 'a body of a terabyte',
      ends: [200],
      meet: flood(`${JSON_OK}content-length: 1099511627776\r\n\r\n`, part),
    },
    {
      name: 'a dripping body',
      ends: ['timeout'],
      meet: reply(drip(`${OK}content-length: 100000\r\n\r\n`, '.')),
    },
    { name: 'dripping chunks', ends: ['timeout'], meet: reply(drip(CHUNKED, '1\r\nx\r\n')) },
    { name: 'a dripping head', ends: ['timeout'], meet: reply(drip(OK, 'x: y\r\n')) },
    { name: 'a dripping status line', ends: ['timeout'], meet: drip('HTTP/1.1 200 ', 'O') },
    {
      name: 'a head without end',
      ends: ['invalid_answer'],
      meet: flood(OK, Buffer.from(`x: ${'y'.repeat(4_000)}\r\n`)),
    },
    {
      name: 'a field of 100 KB',
      ends: ['invalid_answer'],
      meet: say(`${OK}x: ${'y'.repeat(100_000)}\r\n\r\n`),
    },
    { name: 'a reason without end', ends: ['invalid_answer'], meet: flood('HTTP/1.1 200 ', part) },
    {
      name: 'trailers without end',
      ends: ['invalid_answer', 'unreachable'],
      meet: flood(`${CHUNKED}0\r\n`, Buffer.from(`x: ${'y'.repeat(4_000)}\r\n`)),
    },
    {
      name: 'a chunk extension without end',
      ends: ['invalid_answer', 'unreachable'],
      meet: flood(`${CHUNKED}1;x=`, part),
    },
    {
      name: 'a flood of 103 Early Hints',
      ends: ['invalid_answer'],
      meet: flood('', Buffer.from('HTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\n'.repeat(20))),
    },
    {
      name: 'another protocol',
      ends: ['invalid_answer'],
      meet: say(
        'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nxxxx',
      ),
    },
    {
      name: 'a body that breaks off',
      ends: ['unreachable'],
      meet: say(`${OK}content-length: 100\r\n\r\nhalf`, end),
    },
    {
      name: 'a body that stops',
      ends: ['timeout'],
      meet: say(`${OK}content-length: 100\r\n\r\nhalf`),
    },
    {
      name: 'more body than it said',
      ends: [200],
      meet: say(`${OK}content-length: 4\r\n\r\n${'x'.repeat(100_000)}`),
    },
    {
      name: 'two lengths',
      ends: ['invalid_answer'],
      meet: say(`${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nx`),
    },
    {
      name: 'a length and chunks',
      ends: ['invalid_answer'],
      meet: say(`${OK}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
    },
    {
      name: 'chunks that are none',
      ends: ['invalid_answer', 'unreachable'],
      meet: say(`${CHUNKED}zz\r\nxx\r\n`),
    },
    {
      name: 'a chunk of more than there is',
      ends: ['timeout'],
      meet: say(`${CHUNKED}ffffffffff\r\nx`),
    },
    {
      name: 'a reset in its body',
      ends: ['unreachable'],
      meet: say(`${OK}content-length: 100000\r\n\r\nhalf`, reset),
    },
    { name: 'a reset at once', ends: ['unreachable'], meet: reset },
    { name: 'an end at once', ends: ['unreachable'], meet: end },
    {
      name: 'no HTTP',
      ends: ['invalid_answer'],
      meet: (socket) => void socket.write('SSH-2.0-OpenSSH_9.2\r\n'),
    },
    { name: 'no answer', ends: ['timeout'], meet: () => {} },
    {
      name: 'a TLS handshake that never begins',
      scheme: 'https',
      ends: ['timeout'],
      meet: () => {},
    },
    // The head of a record of 16 KiB, which is then awaited.
    {
      name: 'a dripping TLS handshake',
      scheme: 'https',
      ends: ['timeout'],
      meet: reply(drip('\x16\x03\x03\x40\x00', '\x02')),
    },
    {
      name: 'no TLS where it should be',
      scheme: 'https',
      ends: ['unreachable'],
      meet: say(`${OK}\r\n`, end),
    },
  ];
};

export const serveHostile = ({ meet }: Hostile): Server =>
  createServer((socket) => {
    socket.on('error', () => {});
    meet(socket);
    socket.resume();
  });
