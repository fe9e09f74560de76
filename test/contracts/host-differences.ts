/**
 * Where a platform cannot do what the contract of hosts says: each with the case, the reason, and what is so instead.
 * What is not listed here is alike everywhere.
 */
import { expect } from '@jest/globals';
import type { RawAnswer } from '../support/raw-http';

export interface HostDifference {
  /** `serverless-offline`: of the gateway that stands before Lambda on this machine. */
  readonly host: 'edge' | 'lambda' | 'serverless-offline';
  /** Of the cases in `host.ts`; without one it is shown by a test of that host alone. */
  readonly cases?: readonly string[];
  /** What is different, for a table. */
  readonly what: string;
  readonly why: string;
  /** In place of what the case expects. @default the status and code are the same, only the words are not */
  readonly expect?: (answer: RawAnswer) => void;
}

export const HOST_DIFFERENCES: readonly HostDifference[] = [
  {
    host: 'edge',
    cases: ['JSON in brotli'],
    what: 'Of compressed bodies only gzip is taken where a function reads them; br is 415.',
    why: 'DecompressionStream knows no br.',
    expect: ({ status, headers, body }) => {
      expect([status, JSON.parse(body.toString()).code]).toEqual([415, 'unsupported_encoding']);
      expect(new Map(headers).get('accept-encoding')).toBe('gzip');
    },
  },
  {
    host: 'edge',
    cases: ['an unknown encoding'],
    what: 'What is said of other encodings names gzip only.',
    why: 'DecompressionStream knows no br.',
  },
  {
    host: 'edge',
    cases: ['duplicate fields are joined, cookies by semicolon'],
    what: 'Fields that come twice are joined by a comma, Cookie too; bytes that are not UTF-8 become U+FFFD.',
    why: 'The runtime hands fields over as texts, joined.',
    expect: ({ body }) =>
      expect(JSON.parse(body.toString())).toEqual({
        headers: [
          ['cookie', 'a=1, b=2'],
          ['x-a', '1, 2'],
          ['x-b', '\ufffd'],
          ['x-request-id', 'contract-1'],
        ],
      }),
  },
  {
    host: 'edge',
    what: 'Requests of GET and HEAD are not handed on with a body: 400.',
    why: 'fetch sends none.',
  },
  {
    host: 'edge',
    what: 'A path with segments of dots or a backslash is not handed on: 400, as for a target that is no URI. An apostrophe in a query goes on percent-encoded.',
    why: 'fetch takes a URL, and a URL has one form.',
  },
  {
    host: 'edge',
    what: 'A failed forward never counts as unsent, so only idempotent requests are tried at another server; an answer that is not HTTP is upstream_unreachable.',
    why: 'The runtime says no more than that the connection is lost.',
  },
  {
    host: 'edge',
    what: 'Trailers and interim answers (1xx) are not handed on.',
    why: 'fetch shows neither.',
  },
  {
    host: 'edge',
    what: 'Messages of a WebSocket are handed on, frames are not: pings, compression and fragments are of each hop.',
    why: 'The runtime speaks the protocol itself.',
  },
  {
    host: 'edge',
    what: 'That a client has left shows when something is written to it, and not before.',
    why: 'workerd watches no idle connection.',
  },
  {
    host: 'edge',
    what: 'There is no store, no sender, no engine, no file and no name server; functions that need one are refused at start.',
    why: 'A worker has none.',
  },
  {
    host: 'edge',
    what: 'With a wrong environment every request is answered with 500, and the log says why, once.',
    why: 'A worker cannot exit.',
  },
  {
    host: 'edge',
    what: 'Without NODE_ENV it runs as in production.',
    why: 'A worker is on the internet as soon as it is there; on Node development listens on this machine only.',
  },
  {
    host: 'lambda',
    cases: ['an error after the head breaks the connection'],
    what: 'An answer that breaks is 500, since nothing of it has gone out; one that is streamed is cut.',
    why: 'A gateway takes answers in one piece.',
    expect: ({ status, headers, body, broken }) => {
      expect([status, JSON.parse(body.toString()).code, broken]).toEqual([500, 'internal', false]);
      expect(new Map(headers).get('content-type')).toBe('application/problem+json');
    },
  },
  {
    host: 'lambda',
    what: 'A request holds 6 MiB at most, and so does an answer that is not streamed; in base64, as bytes that are no UTF-8 go, a quarter less. A larger answer is 500.',
    why: 'That is the payload of an invocation.',
  },
  {
    host: 'lambda',
    what: 'Event streams, and all that goes on after the time of an invocation, end with it: 503 when nothing was sent.',
    why: 'An invocation has an end, 30 seconds behind API Gateway, and 15 minutes at a function URL.',
  },
  {
    host: 'lambda',
    what: 'There are no WebSockets, no trailers and no interim answers (1xx); a request to upgrade is handed on as a plain one.',
    why: 'A function is called with a whole request and gives a whole answer.',
  },
  {
    host: 'lambda',
    what: 'That a client has left shows nowhere.',
    why: 'The gateway does not tell.',
  },
  {
    host: 'lambda',
    what: 'Stores and engines in a file or in memory are refused, and nothing goes on in the background: a code is sent before the answer, and shard tables are read when they are asked for.',
    why: 'An instance is frozen between two invocations, thrown away unasked, and one of many.',
  },
  {
    host: 'lambda',
    what: 'With a wrong environment every request is answered with 500, events stay in their queue, and the log says why, each time.',
    why: 'A function that exits is started again, without end.',
  },
  {
    host: 'lambda',
    what: 'Without NODE_ENV it runs as in production.',
    why: 'A function is on the internet as soon as it is there; on Node development listens on this machine only.',
  },
  {
    host: 'serverless-offline',
    cases: ['JSON in gzip', 'JSON in brotli', 'a body that inflates too large'],
    what: 'Compressed bodies are broken when they come: 400.',
    why: 'It takes every body for a text, but for multipart/form-data; API Gateway hands bytes over in base64.',
    expect: ({ status, body }) =>
      expect([status, JSON.parse(body.toString()).code]).toEqual([400, 'invalid_request']),
  },
  {
    host: 'serverless-offline',
    cases: ['binary bytes', 'content-encoding untouched in a stream'],
    what: 'Bytes that are no UTF-8 become U+FFFD.',
    why: 'It takes every body for a text, but for multipart/form-data; API Gateway hands bytes over in base64.',
    expect: ({ status, body }) =>
      expect([status, body.toString()]).toEqual([200, expect.stringContaining('\ufffd')]),
  },
  {
    host: 'serverless-offline',
    cases: ['duplicate fields are joined, cookies by semicolon'],
    what: 'Of a field that comes twice the last one counts.',
    why: 'It keeps one value a name; API Gateway joins them.',
    expect: ({ body }) =>
      expect(JSON.parse(body.toString())).toEqual({
        headers: [
          ['cookie', 'a=1; b=2'],
          ['x-a', '2'],
          ['x-b', 'ü'],
          ['x-request-id', 'contract-1'],
        ],
      }),
  },
  {
    host: 'serverless-offline',
    cases: ['several set-cookie stay apart'],
    what: 'A cookie that expires gets a Max-Age as well.',
    why: 'It reads cookies and writes them anew.',
    expect: ({ headers }) =>
      expect(headers.filter(([name]) => name === 'set-cookie').map(([, value]) => value)).toEqual([
        'a=1; Path=/',
        expect.stringMatching(/^b=2; Max-Age=-?\d+; Expires=Wed, 21 Oct 2026 07:28:00 GMT$/),
      ]),
  },
  {
    host: 'serverless-offline',
    cases: ['the query stays as it came', 'the path stays as it came'],
    what: 'A query is written anew, which means the same.',
    why: 'It hands over what URLSearchParams makes of it.',
    expect: ({ status, body }) =>
      expect([status, body.toString()]).toEqual([
        200,
        expect.stringMatching(
          /^GET \/probe-stream\/target\?(?:a=%2F%2F&b=\+\+&a=2&%C3%BC=%E2%82%AC&c=|x=%2F\.\.%2Fy%2F%2Fz)$/,
        ),
      ]),
  },
  {
    host: 'serverless-offline',
    cases: ['a parameter that is not UTF-8'],
    what: 'A path that is not UTF-8 is 400.',
    why: 'Its own server refuses it.',
    expect: ({ status }) => expect(status).toBe(400),
  },
];
