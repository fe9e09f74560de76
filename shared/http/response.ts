/** Answers without the global `Response`: the hosts write them in one go. A real `Response` is as welcome. */
import { asFailure, type Failure } from '../failure';
import { Answer, StreamAnswer } from './answer';
import { HeaderPairs } from './headers';

type HeaderInit = Readonly<Record<string, string>>;

export interface AnswerOptions {
  /** @default 200 */
  readonly status?: number;
  /** @default none beside content-type */
  readonly headers?: HeaderInit;
}

export const json = (
  value: unknown,
  { status = 200, headers = {} }: AnswerOptions = {},
): Response =>
  answer(JSON.stringify(value), status, { 'content-type': 'application/json', ...headers });

export const text = (value: string, { status = 200, headers = {} }: AnswerOptions = {}): Response =>
  answer(value, status, { 'content-type': 'text/plain; charset=utf-8', ...headers });

export const html = (value: string, { status = 200, headers = {} }: AnswerOptions = {}): Response =>
  answer(value, status, { 'content-type': 'text/html; charset=utf-8', ...headers });

/** No body: 204 unless said otherwise. */
export const empty = ({ status = 204, headers = {} }: AnswerOptions = {}): Response =>
  answer(null, status, headers);

/** A body that is made while it is sent, part by part, at the pace of the client; ended early when the client leaves. */
export const stream = (
  parts: AsyncIterable<string>,
  { status = 200, headers = {} }: AnswerOptions = {},
): Response => new StreamAnswer(parts, status, HeaderPairs.of(headers)) as unknown as Response;

/** RFC 9457. Shows the failure's own words only; its cause is for the log. */
export const problem = (thrown: unknown, requestId: string): Response => {
  const failure: Failure = asFailure(thrown);
  const body = {
    type: 'about:blank',
    title: TITLE[failure.status] ?? 'Error',
    status: failure.status,
    detail: failure.message,
    instance: `urn:request:${encodeURIComponent(requestId)}`,
    code: failure.code,
    ...(failure.errors.length > 0 && { errors: failure.errors }),
  };
  return answer(JSON.stringify(body), failure.status, {
    'content-type': 'application/problem+json',
    ...failure.headers,
  });
};

/** RFC 9110 section 15; with `about:blank` the title is the status phrase (RFC 9457 section 4.2.1). */
const TITLE: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  499: 'Client Closed Request',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

const answer = (body: string | Uint8Array | null, status: number, headers: HeaderInit): Response =>
  new Answer(body, status, HeaderPairs.of(headers)) as unknown as Response;
