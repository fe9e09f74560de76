/** What every host must do alike: the cases, each with what the answer must be. */
import zlib from 'node:zlib';
import { expect } from '@jest/globals';
import type { RawAnswer, RawRequest } from '../support/raw-http';

export interface HostCase {
  readonly name: string;
  readonly request: RawRequest;
  readonly expect: (answer: RawAnswer) => void;
}

const JSON_FIELD = ['content-type', 'application/json'] as const;
const ID = ['x-request-id', 'contract-1'] as const;

const problem =
  (status: number, code: string, more: object = {}) =>
  (answer: RawAnswer) => {
    expect(answer.status).toBe(status);
    expect(new Map(answer.headers).get('content-type')).toBe('application/problem+json');
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      type: 'about:blank',
      status,
      code,
      instance: 'urn:request:contract-1',
      ...more,
    });
    expect(answer.body.toString()).not.toMatch(/secret|\.ts\b|\n\s+at /);
  };

const ok =
  (body: string | Uint8Array, status = 200) =>
  (answer: RawAnswer) => {
    expect([answer.status, answer.body.toString('latin1')]).toEqual([
      status,
      Buffer.from(body as string).toString('latin1'),
    ]);
    expect(answer.broken).toBe(false);
  };

const header = (answer: RawAnswer, name: string): string[] =>
  answer.headers.filter(([field]) => field === name).map(([, value]) => value);

/** Sent in chunks; can be sent again. */
const chunks = (...parts: readonly (string | Uint8Array)[]): AsyncIterable<Uint8Array> => ({
  async *[Symbol.asyncIterator]() {
    for (const part of parts) yield Buffer.from(part as string);
  },
});

const every = Uint8Array.from({ length: 256 }, (_, i) => i);
const bomb = zlib.gzipSync(Buffer.alloc(4 * 1024 * 1024, 0x20));

const jsonPost = (
  body: string | Uint8Array,
  ...headers: (readonly [string, string])[]
): RawRequest => ({
  method: 'POST',
  path: '/probe-json',
  headers: [ID, JSON_FIELD, ...headers],
  body,
});

export const HOST_CASES: readonly HostCase[] = [
  {
    name: 'JSON comes in and goes out',
    request: jsonPost('{"a":[1,"ü"]}'),
    expect: ok('{"a":[1,"ü"]}'),
  },
  {
    name: 'JSON in chunks',
    request: { ...jsonPost(''), body: chunks('{"a"', ':1}') },
    expect: ok('{"a":1}'),
  },
  {
    name: 'JSON in gzip',
    request: jsonPost(zlib.gzipSync('{"a":1}'), ['content-encoding', 'gzip']),
    expect: ok('{"a":1}'),
  },
  {
    name: 'JSON in brotli',
    request: jsonPost(zlib.brotliCompressSync('{"a":1}'), ['content-encoding', 'br']),
    expect: ok('{"a":1}'),
  },
  { name: 'broken JSON', request: jsonPost('{"a":'), expect: problem(400, 'invalid_json') },
  { name: 'an empty JSON body', request: jsonPost(''), expect: problem(400, 'invalid_json') },
  { name: 'a scalar is JSON', request: jsonPost('12'), expect: ok('12') },
  {
    name: 'another media type',
    request: {
      method: 'POST',
      path: '/probe-json',
      headers: [ID, ['content-type', 'text/plain']],
      body: '{}',
    },
    expect: problem(415, 'unsupported_media_type'),
  },
  {
    name: 'another charset',
    request: {
      method: 'POST',
      path: '/probe-json',
      headers: [ID, ['content-type', 'application/json; charset=utf-16']],
      body: '{}',
    },
    expect: problem(415, 'unsupported_media_type'),
  },
  {
    name: 'an unknown encoding',
    request: jsonPost('{}', ['content-encoding', 'zstd']),
    expect: problem(415, 'unsupported_encoding'),
  },
  {
    name: 'not the gzip that it says',
    request: jsonPost('{}', ['content-encoding', 'gzip']),
    expect: problem(400, 'invalid_request'),
  },
  {
    name: 'a body declared too large',
    request: {
      ...jsonPost(''),
      headers: [ID, JSON_FIELD, ['content-length', '1048577']],
      body: Buffer.alloc(1_048_577, 0x20),
    },
    expect: problem(413, 'body_too_large'),
  },
  {
    name: 'a chunked body that grows too large',
    request: {
      ...jsonPost(''),
      body: chunks(...Array.from({ length: 20 }, () => Buffer.alloc(65_536, 0x20))),
    },
    expect: problem(413, 'body_too_large'),
  },
  {
    name: 'a body that inflates too large',
    request: jsonPost(bomb, ['content-encoding', 'gzip']),
    expect: problem(413, 'body_too_large'),
  },
  {
    name: 'binary bytes',
    request: { method: 'POST', path: '/probe-stream/bytes', headers: [ID], body: every },
    expect: ok(every),
  },
  {
    name: 'a streamed body of 3 MiB',
    request: {
      method: 'POST',
      path: '/probe-stream/count',
      headers: [ID],
      body: chunks(...Array.from({ length: 48 }, () => Buffer.alloc(65_536, 1))),
    },
    expect: ok('{"size":3145728}'),
  },
  {
    name: 'content-encoding untouched in a stream',
    request: {
      method: 'POST',
      path: '/probe-stream/bytes',
      headers: [ID, ['content-encoding', 'gzip']],
      body: zlib.gzipSync('x'),
    },
    expect: ok(zlib.gzipSync('x')),
  },
  { name: 'no body', request: { path: '/probe-stream/bytes', headers: [ID] }, expect: ok('') },
  {
    name: 'an empty answer',
    request: { path: '/probe-stream/empty', headers: [ID] },
    expect: (answer) => {
      ok('', 204)(answer);
      expect(header(answer, 'content-length')).toEqual([]);
    },
  },
  {
    name: 'HEAD has the head of GET and no body',
    request: { method: 'HEAD', path: '/probe-json/items/7', headers: [ID] },
    expect: (answer) => {
      ok('')(answer);
      expect(header(answer, 'content-length')).toEqual([String('{"id":"7"}'.length)]);
    },
  },
  {
    name: 'HEAD of a stream',
    request: { method: 'HEAD', path: '/probe-stream/parts', headers: [ID] },
    expect: ok(''),
  },
  {
    name: 'a streamed answer',
    request: { path: '/probe-stream/parts', headers: [ID] },
    expect: ok('one two three'),
  },
  {
    name: 'duplicate fields are joined, cookies by semicolon',
    request: {
      path: '/probe-stream/headers',
      headers: [ID, ['x-a', '1'], ['x-b', 'ü'], ['X-A', '2'], ['cookie', 'a=1'], ['cookie', 'b=2']],
    },
    expect: (answer) =>
      expect(JSON.parse(answer.body.toString())).toEqual({
        headers: [
          ['cookie', 'a=1; b=2'],
          ['x-a', '1, 2'],
          ['x-b', 'ü'],
          ['x-request-id', 'contract-1'],
        ],
      }),
  },
  {
    name: 'several set-cookie stay apart',
    request: { path: '/probe-stream/cookies', headers: [ID] },
    expect: (answer) =>
      expect(header(answer, 'set-cookie')).toEqual([
        'a=1; Path=/',
        'b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT',
      ]),
  },
  {
    name: 'a real Response with cookies',
    request: { path: '/probe-stream/real-cookies', headers: [ID] },
    expect: (answer) => {
      ok('real', 201)(answer);
      expect(header(answer, 'set-cookie')).toEqual(['a=1; Path=/', 'b=2']);
    },
  },
  {
    name: 'the query stays as it came',
    request: { path: '/probe-stream/target?a=%2F%2f&b=+%20&a=2&%C3%BC=%E2%82%AC&c', headers: [ID] },
    expect: ok('GET /probe-stream/target?a=%2F%2f&b=+%20&a=2&%C3%BC=%E2%82%AC&c'),
  },
  {
    name: 'the path stays as it came',
    request: { path: '/probe-stream/target?x=/../y//z', headers: [ID] },
    expect: ok('GET /probe-stream/target?x=/../y//z'),
  },
  {
    name: 'parameters of a route are decoded',
    request: { path: '/probe-json/items/a%2Fb%20%C3%BC', headers: [ID] },
    expect: ok('{"id":"a/b ü"}'),
  },
  {
    name: 'a parameter that is not UTF-8',
    request: { path: '/probe-json/items/%ff', headers: [ID] },
    expect: problem(404, 'not_found'),
  },
  {
    name: 'a body beside parameters',
    request: {
      method: 'PUT',
      path: '/probe-json/items/7',
      headers: [ID, JSON_FIELD],
      body: '{"a":1}',
    },
    expect: ok('{"id":"7","body":{"a":1}}'),
  },
  {
    name: 'a failure keeps its code, errors and fields, and hides its cause',
    request: { path: '/probe-json/failure', headers: [ID] },
    expect: (answer) => {
      problem(409, 'in_progress', {
        title: 'Conflict',
        detail: 'Wait for it.',
        errors: [{ pointer: '/a', message: 'is required' }],
      })(answer);
      expect(header(answer, 'retry-after')).toEqual(['7']);
    },
  },
  {
    name: 'an error thrown at once',
    request: { path: '/probe-json/throw', headers: [ID] },
    expect: problem(500, 'internal'),
  },
  {
    name: 'an error thrown later',
    request: { path: '/probe-json/reject', headers: [ID] },
    expect: problem(500, 'internal'),
  },
  {
    name: 'a handler without an answer',
    request: { path: '/probe-json/nothing', headers: [ID] },
    expect: problem(500, 'internal'),
  },
  {
    name: 'an error after the head breaks the connection',
    request: { path: '/probe-stream/late', headers: [ID] },
    expect: (answer) => {
      expect([answer.status, answer.broken]).toEqual([200, true]);
      expect(answer.body.toString()).toBe('a beginning');
    },
  },
  {
    name: 'an unknown function',
    request: { path: '/nobody/home', headers: [ID] },
    expect: problem(404, 'not_found'),
  },
  {
    name: 'an unknown route',
    request: { path: '/probe-json/nowhere', headers: [ID] },
    expect: problem(404, 'not_found'),
  },
  {
    name: 'a method that the route does not take',
    request: { method: 'DELETE', path: '/probe-json/items/7', headers: [ID] },
    expect: (answer) => {
      problem(405, 'method_not_allowed')(answer);
      expect(header(answer, 'allow')).toEqual(['GET, HEAD, PUT']);
    },
  },
  {
    name: 'OPTIONS tells the methods',
    request: { method: 'OPTIONS', path: '/probe-json/items/7', headers: [ID] },
    expect: (answer) =>
      expect([answer.status, header(answer, 'allow')]).toEqual([204, ['GET, HEAD, PUT']]),
  },
  { name: 'liveness', request: { path: '/health/liveness' }, expect: ok('') },
  { name: 'readiness', request: { path: '/health/readiness' }, expect: ok('') },
];
