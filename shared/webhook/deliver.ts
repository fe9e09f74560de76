/**
 * One delivery: one POST, one answer, within bounds whatever the receiver does. The one file that knows axios.
 *
 * Nothing is followed (redirects), asked on the way (proxies of the environment) or inflated, and nothing of a vendor's
 * error gets out: those hold the request, with its body. Fails closed: no whole answer in time is no delivery.
 */
import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import type { AxiosInstance, AxiosResponse } from 'axios';
import type { FailureCode } from '../failure';
import { isJson } from '../http/json';
import { areWebhookHeaders, isWebhookUrl } from './request';

export interface DeliverOptions {
  /** http or https, without credentials. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** At most `MAX_PAYLOAD` bytes, sent to the byte. */
  readonly body: Uint8Array;
  /** From the first lookup to the last byte of the answer, in ms. */
  readonly timeout: number;
  /** Ends the attempt early, as `aborted`. */
  readonly signal: AbortSignal;
}

export interface DeliveryAnswer {
  readonly status: number;
  readonly headers: Readonly<Partial<Record<'content-type' | 'retry-after', string>>>;
  /** As it came, content-encoding included, up to the bound. */
  readonly body: Buffer;
  /** There was more than the bound. The status stands: the receiver has decided. */
  readonly truncated: boolean;
}

/**
 * `invalid_request`: refused before anything was sent, as is `too_large`; neither will ever succeed.
 * `invalid_answer`: what came is not HTTP.
 */
export type DeliveryError =
  | 'timeout'
  | 'unreachable'
  | 'invalid_answer'
  | 'aborted'
  | 'too_large'
  | 'invalid_request';

export type Delivery = DeliveryAnswer | { readonly error: DeliveryError };

/** The lines of the failure table for what a delivery can end with. */
export const DELIVERY_FAILURE: Readonly<Record<DeliveryError, FailureCode>> = {
  timeout: 'upstream_timeout',
  unreachable: 'upstream_unreachable',
  invalid_answer: 'upstream_invalid',
  aborted: 'aborted',
  too_large: 'body_too_large',
  invalid_request: 'invalid_request',
};

/** Bytes of a request. */
export const MAX_PAYLOAD = 1_048_576;
/** Bytes that are kept of a successful answer in JSON, which a step may expose. */
export const MAX_JSON_ANSWER = 65_536;
/** Bytes that are kept of any other answer. */
export const MAX_ANSWER = 4_096;

/** Never rejects. */
export const deliver = async (options: DeliverOptions): Promise<Delivery> => {
  const { url, headers, body, timeout, signal } = options;
  if (!isWebhookUrl(url) || !areWebhookHeaders(headers)) return { error: 'invalid_request' };
  if (body.length > MAX_PAYLOAD) return { error: 'too_large' };
  if (signal.aborted) return { error: 'aborted' };
  // A signal of its own: AbortSignal.any keeps what it made alive as long as the signal of the host lives.
  const attempt = new AbortController();
  const stop = () => attempt.abort();
  const deadline = setTimeout(stop, timeout);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await post(options, attempt.signal);
  } catch (thrown) {
    if (attempt.signal.aborted) return { error: signal.aborted ? 'aborted' : 'timeout' };
    return { error: isGarbage(thrown) ? 'invalid_answer' : 'unreachable' };
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', stop);
  }
};

const post = async (
  { url, headers, body }: DeliverOptions,
  signal: AbortSignal,
): Promise<Delivery> => {
  loading ??= load();
  const client = await loading;
  const {
    status,
    headers: answered,
    data,
  } = (await client.post(url, Buffer.from(body), {
    headers: { ...headers, 'accept-encoding': 'identity' },
    signal,
  })) as AxiosResponse<Readable>;
  const type = textOf(answered['content-type']);
  const retryAfter = textOf(answered['retry-after']);
  const isUseful = status >= 200 && status < 300 && isJson(type ?? null);
  return {
    status,
    headers: {
      ...(type !== undefined && { 'content-type': type }),
      ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
    },
    ...(await readUpTo(data, isUseful ? MAX_JSON_ANSWER : MAX_ANSWER)),
  };
};

/** Leaving the loop early destroys the stream, and its socket with it. */
const readUpTo = async (
  stream: Readable,
  limit: number,
): Promise<Pick<DeliveryAnswer, 'body' | 'truncated'>> => {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    parts.push(part);
    size += part.length;
    if (size > limit) break;
  }
  return { body: Buffer.concat(parts).subarray(0, limit), truncated: size > limit };
};

let loading: Promise<AxiosInstance> | undefined;

/** At the first delivery: a function that never delivers does not pay for axios. */
const load = async (): Promise<AxiosInstance> => {
  const { default: axios } = await import('axios');
  // Idle sockets go a second before Node servers close theirs (5 s): a call on a closing socket is lost.
  const sockets = { keepAlive: true, timeout: 4_000, maxFreeSockets: 64 };
  return axios.create({
    adapter: 'http',
    httpAgent: new Agent(sockets),
    httpsAgent: new TlsAgent(sockets),
    maxRedirects: 0,
    proxy: false,
    decompress: false,
    responseType: 'stream',
    validateStatus: () => true,
    maxBodyLength: MAX_PAYLOAD,
    headers: { common: { accept: 'application/json, */*;q=0.1', 'user-agent': 'faas-patterns' } },
  });
};

const textOf = (field: unknown): string | undefined =>
  typeof field === 'string' ? field : undefined;

/** The codes of node's HTTP parser. */
const isGarbage = (thrown: unknown): boolean =>
  typeof thrown === 'object' &&
  thrown !== null &&
  'code' in thrown &&
  String(thrown.code).startsWith('HPE_');
