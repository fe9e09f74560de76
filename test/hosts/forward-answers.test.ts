/**
 * Answers that two readers could read as two, from a server that sends the very bytes: each is refused with 502, or goes on as
 * exactly one; and whatever came with it is never the answer to the next request.
 */
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';
import { exchange } from '../support/raw-http';
import { ok, type RawUpstream, startRawUpstream } from '../support/raw-upstream';

const REFUSED = Symbol('refused');
/** What comes, and the status and body that go on. */
type Case = readonly [answer: string, expected: readonly [number, string] | typeof REFUSED];

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKS = '5\r\nhello\r\n0\r\n\r\n';
const HELLO = [200, 'hello'] as const;
/** Another answer that nobody has asked for. */
const EVIL = 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil';

const CASES: readonly Case[] = [
  // What must work.
  [`${OK}content-length: 5\r\n\r\nhello`, HELLO],
  [`${OK}Content-Length:\t5 \r\n\r\nhello`, HELLO],
  [`${OK}transfer-encoding: chunked\r\n\r\n${CHUNKS}`, HELLO],
  [`${OK}Transfer-Encoding: Chunked\r\n\r\n05;a="b"\r\nhello\r\n00;c\r\nx: y\r\n\r\n`, HELLO],
  [`${OK}transfer-encoding: chunked\r\n\r\n1\r\nh\r\n4\r\nello\r\n0\r\n\r\n`, HELLO],
  ['HTTP/1.1 200\r\ncontent-length: 5\r\n\r\nhello', HELLO],
  ['HTTP/1.1 200 \r\ncontent-length: 5\r\n\r\nhello', HELLO],
  ['HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello', HELLO],
  ['HTTP/1.1 204 No Content\r\n\r\n', [204, '']],
  ['HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n', [204, '']],
  ['HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n', [304, '']],
  [`${OK}content-length: 0\r\n\r\n`, [200, '']],
  ['HTTP/1.1 599 Own\r\ncontent-length: 5\r\n\r\nhello', [599, 'hello']],
  [`HTTP/1.1 102 Processing\r\n\r\n${OK}content-length: 5\r\n\r\nhello`, HELLO],
  [`${OK}x-empty:\r\ncontent-length: 5\r\n\r\nhello`, HELLO],
  // More than one answer: only the first is one.
  [`${OK}content-length: 5\r\n\r\nhello${EVIL}`, HELLO],
  [`${OK}content-length: 5\r\n\r\nhello, evil`, HELLO],
  [`${OK}transfer-encoding: chunked\r\n\r\n${CHUNKS}${EVIL}`, HELLO],
  [`HTTP/1.1 204 No Content\r\n\r\n${EVIL}`, [204, '']],
  [`HTTP/1.1 204 No Content\r\ncontent-length: 4\r\n\r\nevil`, [204, '']],
  [`HTTP/1.1 304 Not Modified\r\n\r\n${EVIL}`, [304, '']],
  [`HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n${CHUNKS}`, [304, '']],
  // A length and chunks.
  [`${OK}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n${CHUNKS}`, REFUSED],
  [`${OK}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n${CHUNKS}`, REFUSED],
  [`${OK}content-length: 5\r\ntransfer-encoding: identity\r\n\r\nhello`, REFUSED],
  // Lengths.
  [`${OK}content-length: 5\r\ncontent-length: 5\r\n\r\nhello`, REFUSED],
  [`${OK}content-length: 5\r\ncontent-length: 0\r\n\r\nhello`, REFUSED],
  [`${OK}content-length: 0\r\nContent-Length: 5\r\n\r\nhello`, REFUSED],
  [`${OK}content-length: 5, 5\r\n\r\nhello`, REFUSED],
  [`${OK}content-length: -5\r\n\r\nhello`, REFUSED],
  [`${OK}content-length: +5\r\n\r\nhello`, REFUSED],
  [`${OK}content-length: 0x5\r\n\r\nhello`, REFUSED],
  [`${OK}content-length: 5.0\r\n\r\nhello`, REFUSED],
  [`${OK}content-length:\r\n\r\nhello`, REFUSED],
  [`${OK}content-length: 18446744073709551621\r\n\r\nhello`, REFUSED],
  // Codings.
  [`${OK}transfer-encoding: gzip, chunked\r\n\r\n${CHUNKS}`, REFUSED],
  [`${OK}transfer-encoding: chunked, chunked\r\n\r\n${CHUNKS}`, REFUSED],
  [`${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n${CHUNKS}`, REFUSED],
  [`${OK}transfer-encoding: identity\r\n\r\nhello`, REFUSED],
  [`${OK}transfer-encoding: xchunked\r\n\r\n${CHUNKS}`, REFUSED],
  [`${OK}transfer-encoding: \x0bchunked\r\n\r\n${CHUNKS}`, REFUSED],
  [`HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${CHUNKS}`, REFUSED],
  // Lines.
  [`${OK}x: a\r\n b\r\ncontent-length: 5\r\n\r\nhello`, REFUSED],
  [`${OK}x: a\r\n\tcontent-length: 0\r\ncontent-length: 5\r\n\r\nhello`, REFUSED],
  [`${OK}x: a\ncontent-length: 5\r\n\r\nhello`, REFUSED],
  [`${OK}x: a\rcontent-length: 0\r\ncontent-length: 5\r\n\r\nhello`, REFUSED],
  [`${OK}x: a\0b\r\ncontent-length: 5\r\n\r\nhello`, REFUSED],
  [`${OK}x\0: a\r\ncontent-length: 5\r\n\r\nhello`, REFUSED],
  [`${OK}content-length : 5\r\n\r\nhello`, REFUSED],
  [`${OK} content-length: 5\r\n\r\nhello`, REFUSED],
  [`${OK}no colon\r\ncontent-length: 5\r\n\r\nhello`, REFUSED],
  [`${OK}: no name\r\ncontent-length: 5\r\n\r\nhello`, REFUSED],
  ['HTTP/1.1 200 OK\ncontent-length: 5\n\nhello', REFUSED],
  ['HTTP/1.1 200 OK\rx\r\ncontent-length: 5\r\n\r\nhello', REFUSED],
  // Status lines.
  ['HTTP/2.0 200 OK\r\ncontent-length: 5\r\n\r\nhello', REFUSED],
  ['HTTP/1.2 200 OK\r\ncontent-length: 5\r\n\r\nhello', REFUSED],
  ['http/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello', REFUSED],
  ['HTTP/1.1 2000 OK\r\ncontent-length: 5\r\n\r\nhello', REFUSED],
  ['HTTP/1.1 020 OK\r\ncontent-length: 5\r\n\r\nhello', REFUSED],
  ['HTTP/1.1  200 OK\r\ncontent-length: 5\r\n\r\nhello', REFUSED],
  [`HTTP/1.0 102 Processing\r\n\r\n${OK}content-length: 5\r\n\r\nhello`, REFUSED],
  ['HTTP/1.1 nonsense\r\n\r\n', REFUSED],
  ['\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello', REFUSED],
  ['SSH-2.0-OpenSSH_9.2\r\n', REFUSED],
  ['+OK\r\n', REFUSED],
  ['\x15\x03\x01\x00\x02\x02\x46', REFUSED],
  [
    `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n${EVIL}`,
    REFUSED,
  ],
  [`${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(50)}${OK}content-length: 5\r\n\r\nhello`, REFUSED],
  [`${OK}x: ${'a'.repeat(17_000)}\r\ncontent-length: 5\r\n\r\nhello`, REFUSED],
  [`${OK}x: ${'a'.repeat(100_000)}`, REFUSED],
  // Chunks.
  [`${OK}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\ncontent-length: 0\r\n\r\n`, REFUSED],
  [`${OK}transfer-encoding: chunked\r\n\r\n5;a"b"\r\nhello\r\n0\r\n\r\n`, REFUSED],
  [`${OK}transfer-encoding: chunked\t\r\n\r\n${CHUNKS}`, REFUSED],
  [
    `${OK}transfer-encoding: chunked\r\n\r\n${`1;a=${'b'.repeat(100)}\r\nx\r\n`.repeat(300)}0\r\n\r\n`,
    REFUSED,
  ],
  [
    `${OK}transfer-encoding: chunked\r\n\r\n0\r\n${`x: ${'y'.repeat(100)}\r\n`.repeat(300)}\r\n`,
    REFUSED,
  ],
  [`${OK}transfer-encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n`, REFUSED],
  [`${OK}transfer-encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n`, REFUSED],
  [`${OK}transfer-encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n`, REFUSED],
  [`${OK}transfer-encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n`, REFUSED],
  [`${OK}transfer-encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n`, REFUSED],
  [`${OK}transfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n`, REFUSED],
  [`${OK}transfer-encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n`, REFUSED],
  [`${OK}transfer-encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n`, REFUSED],
  [`${OK}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx : y\r\n\r\n`, REFUSED],
  [
    `${OK}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx: ${'y'.repeat(17_000)}\r\n\r\n`,
    REFUSED,
  ],
  [`${OK}transfer-encoding: chunked\r\n\r\n5;${'x'.repeat(17_000)}\r\nhello\r\n0\r\n\r\n`, REFUSED],
];

/** A head in pieces takes its time. */
const PATIENT = [['x-wishes', JSON.stringify({ options: { timeout: 15_000 } })]] as const;
const none = mkdtempSync(path.join(os.tmpdir(), 'faas-'));
const shown = (text: string): string =>
  JSON.stringify(text.length > 200 ? `${text.slice(0, 150)}…` : text);

describe.each(['node', 'functions-framework'])('the %s host', (name) => {
  let host: HostProcess;
  let upstream: RawUpstream;
  let bytes = '';
  /** Until all of it has been sent nobody can know that there is more than one answer. */
  let sent: Promise<void> | undefined;

  beforeAll(async () => {
    upstream = await startRawUpstream(({ line }, socket) => {
      if (line.startsWith('GET /second')) return ok('second');
      // An answer in pieces must mean the same as one that comes at once.
      if (!line.includes('pieces')) return bytes;
      const pieces = bytes.length > 500 ? [bytes] : [...bytes];
      sent = (async () => {
        for (const piece of pieces) {
          socket.write(piece, 'latin1');
          await delay(1);
        }
      })();
      return undefined;
    });
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

  describe.each(['at once', 'in pieces'])('%s', (manner) => {
    const target = `/forward-probe/${manner === 'in pieces' ? 'pieces' : ''}`;

    test.each(CASES.map(([answer, expected]) => [shown(answer), answer, expected] as const))(
      '%s',
      async (_name, answer, expected) => {
        bytes = answer;
        const got = await exchange(host.port, { path: target, headers: PATIENT });
        await sent;
        if (expected === REFUSED) {
          // What was wrong behind the head may show when the head has gone.
          if (!got.broken) expect([got.status, code(got.body)]).toEqual([502, 'upstream_invalid']);
        } else expect([got.status, got.body.toString(), got.broken]).toEqual([...expected, false]);
        expect(got.body.toString()).not.toMatch(/evil/);
        const second = await exchange(host.port, { path: '/forward-probe/second' });
        expect([second.status, second.body.toString()]).toEqual([200, 'second']);
      },
    );
  });

  test('an answer that nobody has asked for ends the connection that it came on', async () => {
    bytes = ok('hello');
    await exchange(host.port, { path: '/forward-probe/' });
    const [socket] = upstream.sockets();
    socket?.write(EVIL);
    const second = await exchange(host.port, { path: '/forward-probe/second' });
    expect(second.body.toString()).toBe('second');
    await new Promise((resolve) => (socket?.closed ? resolve(0) : socket?.once('close', resolve)));
  });

  test('after all that the process is the same, and has logged no exception', () => {
    expect(host.child.exitCode).toBeNull();
    expect(host.output()).not.toMatch(/uncaught|Unhandled|MaxListeners/);
  });
});

const code = (body: Buffer): unknown => JSON.parse(body.toString()).code;
