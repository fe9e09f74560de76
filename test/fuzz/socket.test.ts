/** Bytes of all kinds on the sockets of the node host: it stays up, answers the next one, and logs no 500. */
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';
import { exchange } from '../support/raw-http';
import { JSON_SNIPPETS, mutated } from './mutated';
import { leakIn } from './properties';
import { announceSeed, parameters, TIMEOUT } from './settings';

/** Whole fields: put in by line, so that what comes out is often a request still. */
const FIELDS = [
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Content-Length: 5',
  'Content-Length: -1',
  'Content-Length: 99999999999999999999',
  'Content-Encoding: gzip',
  'Content-Encoding: x',
  'Expect: 100-continue',
  'Expect: x',
  'Connection: upgrade\r\nUpgrade: websocket',
  'Connection: close',
  'Connection: content-type',
  'Idempotency-Key: a',
  'Idempotency-Key:',
  'ce-id: %',
  'Content-Type: application/cloudevents+json',
  'Content-Type: text/html',
  'X-Request-Id: a',
  'X-Request-Id: \u00ff',
  'Traceparent: a',
  'Prefer: wait=0',
  'Accept: text/html',
  'Accept-Language: \u00e4',
  'Cookie: a=b; c',
  'Range: bytes=0-1',
  'X-Forwarded-For: a',
  'X-Forwarded-Host: [',
  ' folded: a',
  'no colon',
  ': no name',
  `X: ${'y'.repeat(5_000)}`,
];
/** What a URL of the request could be made of. */
const AUTHORITIES = [
  '',
  '[',
  ']',
  '::',
  '..',
  ':',
  'a:99999999',
  'a:b',
  '[::1]:80',
  'a b',
  'a@b',
  'a/b',
  '%',
  '-',
];

const SNIPPETS = [
  '\r\n',
  '\n',
  '\r',
  '\r\n\r\n',
  ' ',
  '\t',
  ':',
  '\u0000',
  '\u00ff',
  '%00',
  '%',
  '//',
  '/..',
  '?',
  '#',
  '*',
  'GET / HTTP/1.1\r\nhost: a\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\n\r\n',
  'HTTP/2.0',
  'HTTP/0.9',
  'PRI * ',
  '0\r\n\r\n',
  'ffffffffffffffff\r\n',
  '5;a=b\r\n',
  'X: y\r\n'.repeat(500),
  'x'.repeat(20_000),
  ...JSON_SNIPPETS.slice(0, 20),
];

const raw = (line: string, headers: readonly string[] = [], body = ''): string =>
  [`${line} HTTP/1.1`, 'Host: a', ...headers, '', body].join('\r\n');
const JSON_TYPE = 'Content-Type: application/json';
const withJson = (line: string, body: unknown): string => {
  const text = JSON.stringify(body);
  return raw(line, [JSON_TYPE, `Content-Length: ${Buffer.byteLength(text)}`], text);
};

const HOSTS = [
  {
    name: 'of the probe',
    entry: 'test/support/probe/node.ts',
    pipelines: undefined,
    seeds: [
      withJson('POST /probe-json', { a: 1 }),
      withJson('PUT /probe-json/items/7', [1]),
      raw('GET /probe-json/items/a%20b'),
      raw('GET /probe-json/failure'),
      raw('GET http://a/probe-stream/target?a=b'),
      raw('POST /probe-stream/bytes', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'),
      raw('POST /probe-stream/count', ['Content-Length: 5'], 'hello'),
      raw('HEAD /probe-stream/parts'),
      raw('GET /probe-stream/cookies') + raw('GET /probe-stream/headers', ['X-A: b']),
      raw('OPTIONS *'),
    ],
  },
  {
    name: 'of the suite',
    entry: 'deploy/entry/node.ts',
    pipelines: path.resolve(__dirname, '../../pipelines'),
    seeds: [
      raw('GET /'),
      raw('GET /outbox', ['Accept: text/html']),
      raw('GET /health/readiness'),
      withJson('POST /add-defaults/a?b=c', { name: 'ada' }),
      withJson('POST /create-user', { username: 'ada', email: 'ada@example.com' }),
      withJson('POST /subscribe-user', { email: 'ada@example.com' }),
      withJson('POST /two-factor', { user: 'ada', email: 'ada@example.com' }),
      withJson('POST /two-factor/verify', { challenge: 'a', code: '000000' }),
      raw('GET /subscribe-user/confirm?token=a'),
      raw(
        'POST /subscribe-user/confirm',
        ['Content-Type: application/x-www-form-urlencoded', 'Content-Length: 7'],
        'token=a',
      ),
      raw('GET /signup/runs/a'),
    ],
  },
] as const;

/** How the bytes go: cut in parts, and whether the sender says that this was all. */
interface Talk {
  readonly bytes: Uint8Array;
  readonly cuts: readonly number[];
  readonly end: boolean;
}

/** A request with another host and other fields, still in its form. */
const rewritten = (seeds: readonly string[]): fc.Arbitrary<Buffer> =>
  fc
    .tuple(
      fc.constantFrom(...seeds),
      fc.option(fc.constantFrom(...AUTHORITIES), { nil: 'a' }),
      fc.array(fc.constantFrom(...FIELDS), { maxLength: 3 }),
    )
    .map(([seed, host, fields]) =>
      Buffer.from(
        seed.replace('Host: a\r\n', () => [`Host: ${host}`, ...fields, ''].join('\r\n')),
        'latin1',
      ),
    );

const talks = (seeds: readonly string[]): fc.Arbitrary<Talk> =>
  fc.record({
    bytes: fc.oneof(
      { weight: 6, arbitrary: rewritten(seeds) },
      { weight: 6, arbitrary: mutated(seeds, [...SNIPPETS, ...FIELDS], 5) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 500 }) },
    ),
    cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 2 }),
    end: fc.boolean(),
  });

/** No more of an answer than this is waited for, ms: many talks are not finished requests. */
const QUIET = 100;

/** All that came back until the host closed or was silent. Losing the connection is an answer, too. */
const talk = (port: number, { bytes, cuts, end }: Talk): Promise<string> =>
  new Promise((resolve) => {
    let answer = '';
    const socket = net.connect(port, '127.0.0.1', () => {
      const places = [...cuts].sort((a, b) => a - b).map((cut) => Math.floor(cut * bytes.length));
      [0, ...places].forEach((from, i) => {
        socket.write(bytes.subarray(from, places[i] ?? bytes.length));
      });
      if (end) socket.end();
    });
    socket.setNoDelay(true);
    socket.setTimeout(QUIET, () => socket.destroy());
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });

beforeAll(announceSeed);

describe.each(HOSTS)('the node host $name', ({ entry, pipelines, seeds }) => {
  let host: HostProcess;
  const none = mkdtempSync(path.join(os.tmpdir(), 'faas-'));

  beforeAll(async () => {
    host = await startHost({
      file: bundle(entry),
      environment: { PIPELINES_DIR: pipelines ?? none },
    });
  });

  afterAll(async () => {
    await host.stop('SIGKILL');
    rmSync(none, { recursive: true, force: true });
  });

  test(
    'stays up under whatever comes in, and answers none of it with a 500',
    async () => {
      const seen = new Set<string>();
      await fc.assert(
        fc.asyncProperty(
          fc.array(talks(seeds), { minLength: 1, maxLength: 30, size: 'max' }),
          async (several) => {
            const answers = await Promise.all(several.map((one) => talk(host.port, one)));
            for (const answer of answers) {
              for (const [, status] of answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
                seen.add(status as string);
                expect(status).not.toBe('500');
              }
              expect(leakIn(answer)).toBeUndefined();
            }
            const { status } = await exchange(host.port, { path: '/health/readiness' });
            expect(status).toBe(200);
          },
        ),
        parameters(0.15),
      );
      expect(host.child.exitCode).toBeNull();
      expect(
        host.lines().filter(({ severity, status }) => severity === 'ERROR' || status === 500),
      ).toEqual([]);
      expect([...seen]).toEqual(expect.arrayContaining(['200', '400']));
    },
    TIMEOUT,
  );

  test('takes any Host for what it is: of no consequence', async () => {
    for (const authority of AUTHORITIES)
      for (const seed of seeds) {
        const bytes = Buffer.from(seed.replace('Host: a\r\n', () => `Host: ${authority}\r\n`));
        const answer = await talk(host.port, { bytes, cuts: [], end: true });
        expect(answer).not.toMatch(/ 500 /);
        // The probe tells the target that it sees: nothing of the host may become a part of it.
        expect(answer).not.toMatch(/\r\n\r\nGET (?!\/probe-stream\/target\?a=b)/);
      }
  });
});
