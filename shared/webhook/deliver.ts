/**
 * One delivery: one POST, one answer, within bounds whatever the receiver does.
 *
 * Nothing of a vendor's error gets out: those hold the request, with its body. Fails closed: no whole answer in time
 * is no delivery.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { FailureCode } from '../failure';
import { isJson } from '../http/json';
import type { Signal } from '../signal';
import { post, UNWANTED_ANSWER } from './client';
import { createGuard, FORBIDDEN_TARGET, type Guard } from './guard';
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
  readonly signal: Signal;
  /** Whom it may call. @default what is public */
  readonly guard?: Guard;
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
 * Refused before anything was sent, never to succeed: `invalid_request`, `too_large`, and `forbidden_target` by the
 * guard. `invalid_answer`: what came is not HTTP.
 */
export type DeliveryError =
  | 'timeout'
  | 'unreachable'
  | 'invalid_answer'
  | 'aborted'
  | 'too_large'
  | 'invalid_request'
  | 'forbidden_target';

export type Delivery = DeliveryAnswer | { readonly error: DeliveryError };

/** The lines of the failure table for what a delivery can end with. */
export const DELIVERY_FAILURE: Readonly<Record<DeliveryError, FailureCode>> = {
  timeout: 'upstream_timeout',
  unreachable: 'upstream_unreachable',
  invalid_answer: 'upstream_invalid',
  aborted: 'aborted',
  too_large: 'body_too_large',
  invalid_request: 'invalid_request',
  forbidden_target: 'forbidden_target',
};

/** Bytes of a request. */
export const MAX_PAYLOAD = 1_048_576;
/** Bytes that are kept of a successful answer in JSON, which a step may expose. */
export const MAX_JSON_ANSWER = 65_536;
/** Bytes that are kept of any other answer. */
export const MAX_ANSWER = 4_096;

const publicOnly = createGuard();

/** Never rejects. */
export const deliver = (options: DeliverOptions): Promise<Delivery> => {
  const { url, headers, body } = options;
  const isFine = isWebhookUrl(url) && areWebhookHeaders(headers);
  if (!isFine) return Promise.resolve({ error: 'invalid_request' });
  if (body.length > MAX_PAYLOAD) return Promise.resolve({ error: 'too_large' });
  return new Promise((resolve) => call(options, resolve));
};

/**
 * By the clock on the wall: at the deadline it is over, whether or not what was begun has noticed. By callbacks, since
 * a promise for each stage costs as much as the stage.
 */
const call = (options: DeliverOptions, resolve: (delivery: Delivery) => void): void => {
  const { url, headers, body, timeout, signal, guard = publicOnly } = options;
  if (signal.aborted) {
    resolve({ error: 'aborted' });
    return;
  }
  let request: ClientRequest | undefined;
  let ended = false;
  const end = (delivery: Delivery) => {
    ended = true;
    clearTimeout(deadline);
    signal.removeEventListener('abort', abort);
    resolve(delivery);
  };
  const fail = (thrown: unknown) => end({ error: reasonOf(thrown) });
  const cut = (error: DeliveryError) => {
    end({ error });
    request?.destroy();
  };
  const abort = () => cut('aborted');
  const deadline = setTimeout(cut, timeout, 'timeout');
  signal.addEventListener('abort', abort, { once: true });
  const onRequest = (made: ClientRequest) => {
    request = made;
    if (ended) made.destroy();
  };
  // As it is meant, whatever its spelling: one reading of it, for who judges and for who connects.
  const { href } = new URL(url);
  post({ url: href, headers, body, guard, onRequest }).then(
    (answer) => read(answer, end, fail),
    fail,
  );
};

const read = (
  answer: IncomingMessage,
  end: (answer: DeliveryAnswer) => void,
  fail: (error: unknown) => void,
): void => {
  const { statusCode: status = 0, headers } = answer;
  const type = headers['content-type'];
  const retryAfter = headers['retry-after'];
  const isUseful = status >= 200 && status < 300 && isJson(type ?? null);
  const limit = isUseful ? MAX_JSON_ANSWER : MAX_ANSWER;
  const parts: Buffer[] = [];
  let size = 0;
  const finish = () =>
    end({
      status,
      headers: {
        ...(type !== undefined && { 'content-type': type }),
        ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
      },
      body: Buffer.concat(parts).subarray(0, limit),
      truncated: size > limit,
    });
  answer.on('data', (part: Buffer) => {
    parts.push(part);
    size += part.length;
    if (size <= limit) return;
    finish();
    // Takes the socket with it.
    answer.destroy();
  });
  answer.on('end', finish);
  answer.on('error', fail);
};

/** The codes of node's HTTP parser begin with HPE. */
const reasonOf = (thrown: unknown): DeliveryError => {
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown && thrown.code;
  if (code === FORBIDDEN_TARGET) return 'forbidden_target';
  const isGarbage = code === UNWANTED_ANSWER || String(code).startsWith('HPE_');
  return isGarbage ? 'invalid_answer' : 'unreachable';
};
