/**
 * Requests that two servers could read as two (RFC 9112 section 11.2), to both hosts in front of a server that sees every byte:
 * each is refused and its connection closed, or goes on as exactly one with the same body. Another follows each on its
 * connection; it is answered after the first, or never.
 */
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';
import { exchange, speak } from '../support/raw-http';
import { type RawUpstream, startRawUpstream } from '../support/raw-upstream';

const REFUSED = Symbol('refused');
/** Name, head, what follows it, and the body that must arrive. */
type Case = readonly [name: string, head: string, body: string, expected: string | typeof REFUSED];

const CHUNKS = '5\r\nhello\r\n0\r\n\r\n';
const HOST = 'host: x\r\n';
const post = (fields: string, body: string, expected: string | typeof REFUSED): Case => [
  `${fields}${body}`,
  `POST /forward-probe/ HTTP/1.1\r\n${HOST}${fields}\r\n`,
  body,
  expected,
];

const CASES: readonly Case[] = [
  // What must work.
  post('content-length: 5\r\n', 'hello', 'hello'),
  post('Content-Length:5\r\n', 'hello', 'hello'),
  post('content-length: 00005\r\n', 'hello', 'hello'),
  post('transfer-encoding: chunked\r\n', CHUNKS, 'hello'),
  post('transfer-encoding: CHUNKED\r\n', CHUNKS, 'hello'),
  post('transfer-encoding: \t chunked \r\n', CHUNKS, 'hello'),
  post('transfer-encoding: chunked\t\r\n', CHUNKS, REFUSED),
  post('content-length: 0\r\n', '', ''),
  post('', '', ''),
  // A length and chunks.
  post('content-length: 5\r\ntransfer-encoding: chunked\r\n', CHUNKS, REFUSED),
  post('transfer-encoding: chunked\r\ncontent-length: 5\r\n', CHUNKS, REFUSED),
  post('content-length: 0\r\ntransfer-encoding: chunked\r\n', CHUNKS, REFUSED),
  post('content-length: 5\r\ntransfer-encoding: identity\r\n', 'hello', REFUSED),
  post('Content-Length: 5\r\nTransfer-Encoding : chunked\r\n', CHUNKS, REFUSED),
  post('content-length: 5\r\nx: y\r\ntransfer-encoding:\tchunked\r\n', CHUNKS, REFUSED),
  // Lengths.
  post('content-length: 5\r\ncontent-length: 5\r\n', 'hello', REFUSED),
  post('content-length: 5\r\ncontent-length: 0\r\n', 'hello', REFUSED),
  post('content-length: 0\r\ncontent-length: 5\r\n', 'hello', REFUSED),
  post('content-length: 5, 5\r\n', 'hello', REFUSED),
  post('content-length: 5,0\r\n', 'hello', REFUSED),
  post('content-length: -5\r\n', 'hello', REFUSED),
  post('content-length: +5\r\n', 'hello', REFUSED),
  post('content-length: 0x5\r\n', 'hello', REFUSED),
  post('content-length: 5.0\r\n', 'hello', REFUSED),
  post('content-length: 5e0\r\n', 'hello', REFUSED),
  post('content-length: 5 0\r\n', 'hello', REFUSED),
  post('content-length: "5"\r\n', 'hello', REFUSED),
  post('content-length: five\r\n', 'hello', REFUSED),
  post('content-length: \r\n', 'hello', REFUSED),
  post('content-length: 18446744073709551621\r\n', 'hello', REFUSED),
  post('content-length: 99999999999999999999\r\n', 'hello', REFUSED),
  post('content-length : 5\r\n', 'hello', REFUSED),
  post('content-length\t: 5\r\n', 'hello', REFUSED),
  post(' content-length: 5\r\n', 'hello', REFUSED),
  // Codings.
  post('transfer-encoding: identity\r\n', CHUNKS, REFUSED),
  post('transfer-encoding: gzip, chunked\r\n', CHUNKS, REFUSED),
  post('transfer-encoding: chunked, gzip\r\n', CHUNKS, REFUSED),
  post('transfer-encoding: chunked, chunked\r\n', CHUNKS, REFUSED),
  post('transfer-encoding: chunked, identity\r\n', CHUNKS, REFUSED),
  post('transfer-encoding: identity, chunked\r\n', CHUNKS, REFUSED),
  post('transfer-encoding: xchunked\r\n', CHUNKS, REFUSED),
  post('transfer-encoding: chunkedx\r\n', CHUNKS, REFUSED),
  post('transfer-encoding: chunked;a=b\r\n', CHUNKS, REFUSED),
  post('transfer-encoding: "chunked"\r\n', CHUNKS, REFUSED),
  post('transfer-encoding: ,chunked\r\n', CHUNKS, REFUSED),
  post('transfer-encoding: \x0bchunked\r\n', CHUNKS, REFUSED),
  post('transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n', CHUNKS, REFUSED),
  post('transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n', CHUNKS, REFUSED),
  post('transfer-encoding: identity\r\ntransfer-encoding: chunked\r\n', CHUNKS, REFUSED),
  post('transfer-encoding:\r\n chunked\r\n', CHUNKS, REFUSED),
  post('transfer_encoding: chunked\r\ncontent-length: 5\r\n', 'hello', 'hello'),
  post('transfer-encoding : chunked\r\n', CHUNKS, REFUSED),
  // Lines.
  post('x: a\r\n b\r\ncontent-length: 5\r\n', 'hello', REFUSED),
  post('x: a\r\n\tb\r\ncontent-length: 5\r\n', 'hello', REFUSED),
  post('x: a\ncontent-length: 5\r\n', 'hello', REFUSED),
  post('x: a\rcontent-length: 5\r\n', 'hello', REFUSED),
  post('x: a\0b\r\ncontent-length: 5\r\n', 'hello', REFUSED),
  post('x\0: a\r\ncontent-length: 5\r\n', 'hello', REFUSED),
  post('content-length: 5\r\nno colon\r\n', 'hello', REFUSED),
  post(': no name\r\ncontent-length: 5\r\n', 'hello', REFUSED),
  post('x y: a\r\ncontent-length: 5\r\n', 'hello', REFUSED),
  post('x(y): a\r\ncontent-length: 5\r\n', 'hello', REFUSED),
  // Chunks.
  post('transfer-encoding: chunked\r\n', '5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n', 'hello'),
  post('transfer-encoding: chunked\r\n', '05\r\nhello\r\n000\r\n\r\n', 'hello'),
  post('transfer-encoding: chunked\r\n', '5\r\nhello\r\n0\r\ncontent-length: 9\r\n\r\n', REFUSED),
  post('transfer-encoding: chunked\r\n', '5\r\nhello0\r\n\r\n', REFUSED),
  post('transfer-encoding: chunked\r\n', '5\r\nhelloX\r\n0\r\n\r\n', REFUSED),
  post('transfer-encoding: chunked\r\n', '5\nhello\r\n0\r\n\r\n', REFUSED),
  post('transfer-encoding: chunked\r\n', '5\r\nhello\n0\r\n\r\n', REFUSED),
  post('transfer-encoding: chunked\r\n', '5;a\nb\r\nhello\r\n0\r\n\r\n', REFUSED),
  post('transfer-encoding: chunked\r\n', '-5\r\nhello\r\n0\r\n\r\n', REFUSED),
  post('transfer-encoding: chunked\r\n', '+5\r\nhello\r\n0\r\n\r\n', REFUSED),
  post('transfer-encoding: chunked\r\n', '0x5\r\nhello\r\n0\r\n\r\n', REFUSED),
  post('transfer-encoding: chunked\r\n', ' 5\r\nhello\r\n0\r\n\r\n', REFUSED),
  post('transfer-encoding: chunked\r\n', '5 \r\nhello\r\n0\r\n\r\n', REFUSED),
  post('transfer-encoding: chunked\r\n', 'g\r\nhello\r\n0\r\n\r\n', REFUSED),
  post('transfer-encoding: chunked\r\n', '\r\nhello\r\n0\r\n\r\n', REFUSED),
  post('transfer-encoding: chunked\r\n', '10000000000000005\r\nhello\r\n0\r\n\r\n', REFUSED),
  post('transfer-encoding: chunked\r\n', '5\r\nhello\r\n0\r\nx: a\r\n y\r\n\r\n', REFUSED),
];

/** Other request lines and hosts. */
const LINES: readonly Case[] = [
  [
    'absolute form',
    `POST http://x/forward-probe/ HTTP/1.1\r\n${HOST}content-length: 5\r\n\r\n`,
    'hello',
    'hello',
  ],
  [
    'absolute form, another host',
    `POST http://evil/forward-probe/ HTTP/1.1\r\n${HOST}content-length: 5\r\n\r\n`,
    'hello',
    'hello',
  ],
  [
    'two hosts',
    `POST /forward-probe/ HTTP/1.1\r\n${HOST}host: y\r\ncontent-length: 5\r\n\r\n`,
    'hello',
    REFUSED,
  ],
  [
    'the same host twice',
    `POST /forward-probe/ HTTP/1.1\r\n${HOST}${HOST}content-length: 5\r\n\r\n`,
    'hello',
    REFUSED,
  ],
  ['no host', 'POST /forward-probe/ HTTP/1.1\r\ncontent-length: 5\r\n\r\n', 'hello', REFUSED],
  [
    'HTTP/1.0 with chunks',
    `POST /forward-probe/ HTTP/1.0\r\n${HOST}connection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n`,
    CHUNKS,
    REFUSED,
  ],
  [
    'HTTP/1.0',
    `POST /forward-probe/ HTTP/1.0\r\n${HOST}connection: keep-alive\r\ncontent-length: 5\r\n\r\n`,
    'hello',
    'hello',
  ],
  [
    'HTTP/2.0',
    `POST /forward-probe/ HTTP/2.0\r\n${HOST}content-length: 5\r\n\r\n`,
    'hello',
    REFUSED,
  ],
  [
    'HTTP/1.2',
    `POST /forward-probe/ HTTP/1.2\r\n${HOST}content-length: 5\r\n\r\n`,
    'hello',
    REFUSED,
  ],
  ['no version', `POST /forward-probe/\r\n${HOST}content-length: 5\r\n\r\n`, 'hello', REFUSED],
  [
    'a space in the path',
    `POST /forward-probe/ x HTTP/1.1\r\n${HOST}content-length: 5\r\n\r\n`,
    'hello',
    REFUSED,
  ],
  [
    'a tab in the path',
    `POST /forward-probe/\tx HTTP/1.1\r\n${HOST}content-length: 5\r\n\r\n`,
    'hello',
    REFUSED,
  ],
  [
    'NUL in the path',
    `POST /forward-probe/\0 HTTP/1.1\r\n${HOST}content-length: 5\r\n\r\n`,
    'hello',
    REFUSED,
  ],
  [
    'an unknown method',
    `SMUGGLE /forward-probe/ HTTP/1.1\r\n${HOST}content-length: 5\r\n\r\n`,
    'hello',
    REFUSED,
  ],
  [
    'a body of GET',
    `GET /forward-probe/ HTTP/1.1\r\n${HOST}content-length: 5\r\n\r\n`,
    'hello',
    'hello',
  ],
  [
    'chunks of GET',
    `GET /forward-probe/ HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\n\r\n`,
    CHUNKS,
    'hello',
  ],
  [
    'a body of DELETE',
    `DELETE /forward-probe/ HTTP/1.1\r\n${HOST}content-length: 5\r\n\r\n`,
    'hello',
    'hello',
  ],
  [
    'Connection that names the length',
    `POST /forward-probe/ HTTP/1.1\r\n${HOST}connection: content-length\r\ncontent-length: 5\r\n\r\n`,
    'hello',
    'hello',
  ],
  [
    'Connection that names the coding',
    `POST /forward-probe/ HTTP/1.1\r\n${HOST}connection: transfer-encoding\r\ntransfer-encoding: chunked\r\n\r\n`,
    CHUNKS,
    'hello',
  ],
  [
    'Connection that names the host',
    `POST /forward-probe/ HTTP/1.1\r\n${HOST}connection: host\r\ncontent-length: 5\r\n\r\n`,
    'hello',
    'hello',
  ],
  [
    'an upgrade with a body',
    `POST /forward-probe/ HTTP/1.1\r\n${HOST}connection: upgrade\r\nupgrade: websocket\r\ncontent-length: 5\r\n\r\n`,
    'hello',
    'hello',
  ],
  [
    'h2c with a body',
    `POST /forward-probe/ HTTP/1.1\r\n${HOST}connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\ncontent-length: 5\r\n\r\n`,
    'hello',
    'hello',
  ],
];

const none = mkdtempSync(path.join(os.tmpdir(), 'faas-'));
const SECOND = `GET /forward-probe/second HTTP/1.1\r\n${HOST}connection: close\r\n\r\n`;

describe.each(['node', 'functions-framework'])('the %s host', (name) => {
  let host: HostProcess;
  let upstream: RawUpstream;

  beforeAll(async () => {
    upstream = await startRawUpstream();
    host = await startHost({
      file: bundle(`test/support/forward-probe/${name}.ts`),
      environment: { PIPELINES_DIR: none, FORWARD_PROBE_ORIGIN: upstream.url },
    });
  });
  afterAll(async () => {
    await host.stop('SIGKILL');
    await upstream.close();
  });
  beforeEach(() => upstream.forget());

  /** How often what stands behind has reached the function. */
  const seconds = async (): Promise<number> =>
    JSON.parse((await exchange(host.port, { path: '/forward-probe/counts' })).body.toString())
      .seconds;

  test.each([...CASES, ...LINES])('%j', async (_name, head, body, expected) => {
    const before = await seconds();
    const answer = await speak(host.port, Buffer.from(`${head}${body}${SECOND}`, 'latin1'));
    const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    if (expected === REFUSED) {
      expect(statuses).toEqual([expect.stringMatching(/^4/)]);
      // Of one that breaks off in its body the beginning may have gone, but never an end.
      expect(upstream.requests()).toEqual([]);
      expect(upstream.rests().join('')).not.toMatch(/second/);
      expect(await seconds()).toBe(before);
    } else {
      expect(statuses).toEqual(['200', '200']);
      const [first, second] = upstream.requests();
      expect([first?.body, second?.line]).toEqual([expected, 'GET /second HTTP/1.1']);
      expect([upstream.requests().length, upstream.rests()]).toEqual([2, []]);
    }
  });
});
