/** What goes out for a request: its head with the framing of its body, and the body. */

import type { Readable } from 'node:stream';
import { isIdempotent } from '../../http/methods';
import { awaitsContinue } from '../expect';
import type { NodeRequest } from '../node-request';
import { headText } from './head-text';
import type { Onward } from './request-head';

/** What goes out. */
export interface Order {
  /** With the empty line. */
  readonly head: string;
  /** Bytes, or a stream of what the client sends. */
  readonly body: string | Uint8Array | Readable | undefined;
  /** Of a stream; `undefined`: it goes in chunks. */
  readonly length: number | undefined;
  readonly isHead: boolean;
  /** Whether it may be sent twice. */
  readonly isRepeatable: boolean;
  /** Called when nobody has taken any of the stream: somebody else may. */
  readonly giveBack: (() => void) | undefined;
}

export interface OrderOptions {
  readonly request: NodeRequest;
  readonly method: string;
  readonly path: string;
  readonly onward: Onward;
  /** Takes the place of the body that came. */
  readonly body: string | Uint8Array | undefined;
}

/** Methods that have a body: without one they say so (RFC 9110 section 8.6). */
const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** A body that came counts as read from now on. Throws a TypeError when somebody has read it before. */
export const orderOf = (options: OrderOptions): Order => {
  const { request, method, path, onward, body } = options;
  const text = headText(method, path, onward.fields);
  const te = onward.takesTrailers ? 'te: trailers\r\nconnection: te\r\n' : '';
  const isRepeatable = isIdempotent(method);
  const isHead = method === 'HEAD';
  const bytes = body === undefined ? 0 : Buffer.byteLength(body);
  if (body !== undefined && bytes > 0)
    return {
      head: `${text}${te}content-length: ${bytes}\r\n\r\n`,
      body,
      length: bytes,
      isHead,
      isRepeatable,
      giveBack: undefined,
    };
  if (body !== undefined || onward.framing === 'none') {
    const tellsLength =
      WITH_BODY.has(method) || (body === undefined && onward.length !== undefined);
    const length = tellsLength ? 'content-length: 0\r\n' : '';
    return {
      head: `${text}${te}${length}\r\n`,
      body: undefined,
      length: 0,
      isHead,
      isRepeatable,
      giveBack: undefined,
    };
  }
  if (request.bodyUsed)
    throw new TypeError('the body was read already: give forward the bytes to send');
  request.bodyUsed = true;
  const expect = awaitsContinue(request.incoming) ? 'expect: 100-continue\r\n' : '';
  const isChunked = onward.framing === 'chunked';
  const trailer = isChunked && onward.trailer ? `trailer: ${onward.trailer}\r\n` : '';
  const length = Number(onward.length);
  const framing = isChunked ? 'transfer-encoding: chunked' : `content-length: ${length}`;
  return {
    head: `${text}${te}${expect}${trailer}${framing}\r\n\r\n`,
    body: request.source(),
    length: isChunked ? undefined : length,
    isHead,
    isRepeatable: false,
    giveBack: () => {
      request.bodyUsed = false;
    },
  };
};
