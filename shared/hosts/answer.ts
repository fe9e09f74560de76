/** Writes an answer to node:http: in one go where its bytes are known, else part by part at the client's pace. */
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { Answer } from '../http/answer';

/** An answer that knows how to write its own body at the client's pace. */
export interface Piped {
  readonly status: number;
  /** Name and value in turn. */
  readonly rawHeaders: readonly string[];
  /** Which fields may come behind the body. @default none */
  readonly trailer?: string | undefined;
  /** The whole body, if it is there already; then nobody else takes it. @default it is not */
  takeWhole?(): Uint8Array | undefined;
  /** Resolves when the last byte was handed over; rejects when the source broke. */
  pipeTo(target: ServerResponse): Promise<void>;
}

export interface WriteOptions {
  /** Send the head only: an answer to HEAD. */
  readonly head: boolean;
  /** Fields to add, name and value in turn. */
  readonly add: readonly string[];
  /** A request body that nobody will read: it is thrown away for a moment, so that its sender sees the answer. */
  readonly unread?: Readable | undefined;
}

/** Bytes that are cheaper to copy than to write apart. */
const SMALL = 4_096;
/** How long an unread body is thrown away before the connection is cut, ms. */
const LINGER = 1_000;

/**
 * At once where the answer is whole, and throws what is wrong with it. Else it gives a promise, which rejects with what
 * broke the body; the connection is cut then, since a client must be able to tell a broken answer from a short one.
 */
export const writeAnswer = (
  target: ServerResponse,
  response: Response,
  { head, add, unread }: WriteOptions,
): Promise<void> | undefined => {
  if (target.destroyed) return undefined;
  if (response instanceof Answer) {
    const { status, headers, whole } = response;
    const fields = [...headers.raw(), ...add];
    if (!isBodiless(status) && !headers.has('content-length'))
      fields.push('content-length', String(whole === null ? 0 : Buffer.byteLength(whole)));
    writeWhole(target, status, fields, head ? null : whole, unread);
    return undefined;
  }
  if (isPiped(response)) {
    const whole = response.takeWhole?.();
    if (!whole) return writePiped(target, response, head, add, unread);
    const { status, rawHeaders } = response;
    const fields = [...rawHeaders, ...add];
    writeWhole(target, status, fields, head ? null : whole, unread);
    return undefined;
  }
  return writeParts(target, response, head, add);
};

const writePiped = async (
  target: ServerResponse,
  response: Piped & Response,
  head: boolean,
  add: readonly string[],
  unread: Readable | undefined,
): Promise<void> => {
  try {
    const fields = [...response.rawHeaders, ...add];
    if (response.trailer !== undefined && takesTrailers(target, head, response))
      fields.push('trailer', response.trailer);
    target.writeHead(response.status, fields);
    await (head ? response.body?.cancel() : response.pipeTo(target));
    endAfter(target, unread);
  } catch (error) {
    target.destroy();
    throw error;
  }
};

/** Only chunks have an end that fields can stand behind. */
const takesTrailers = (target: ServerResponse, head: boolean, { headers }: Response): boolean =>
  target.req.httpVersion === '1.1' && !head && !headers.has('content-length');

const writeParts = async (
  target: ServerResponse,
  response: Response,
  head: boolean,
  add: readonly string[],
): Promise<void> => {
  try {
    await writeStream(target, response, head, add);
  } catch (error) {
    target.destroy();
    throw error;
  }
};

const writeWhole = (
  target: ServerResponse,
  status: number,
  fields: string[],
  whole: string | Uint8Array | null,
  unread: Readable | undefined,
): void => {
  target.writeHead(status, fields);
  const content = isBodiless(status) || whole === null ? '' : whole;
  if (!unread) {
    // Beside a text Node writes the head in one piece, which is cheaper than two.
    if (typeof content !== 'string' && content.length <= SMALL)
      return void target.end(
        Buffer.from(content.buffer, content.byteOffset, content.length).toString('latin1'),
        'latin1',
      );
    return void target.end(content);
  }
  if (content.length > 0) target.write(content);
  else target.flushHeaders();
  endAfter(target, unread);
};

const isBodiless = (status: number): boolean => status === 204 || status === 304;

/** Closing on unread bytes sends a reset, and a reset can overtake the answer. */
const endAfter = (target: ServerResponse, unread: Readable | undefined): void => {
  if (!unread || unread.readableEnded || unread.destroyed) return void target.end();
  const end = () => {
    clearTimeout(late);
    unread.off('end', end).off('close', end);
    target.end();
  };
  const late = setTimeout(end, LINGER);
  unread.on('end', end).on('close', end).resume();
};

const writeStream = async (
  target: ServerResponse,
  response: Response,
  head: boolean,
  add: readonly string[],
): Promise<void> => {
  const fields: string[] = [];
  response.headers.forEach((value, name) => {
    if (name !== 'set-cookie') fields.push(name, value);
  });
  for (const cookie of response.headers.getSetCookie()) fields.push('set-cookie', cookie);
  const { body, status } = response;
  if (!body && status !== 204 && status !== 304 && !response.headers.has('content-length') && !head)
    fields.push('content-length', '0');
  target.writeHead(status, [...fields, ...add]);
  if (!body) return void target.end();
  const reader = body.getReader();
  const stop = () => void reader.cancel().catch(() => {});
  target.once('close', stop);
  try {
    if (head) await reader.cancel();
    else
      for (let part = await reader.read(); !part.done; part = await reader.read())
        if (!target.write(part.value)) await drained(target);
    target.end();
  } finally {
    target.off('close', stop);
  }
};

/** Resolves when the client has taken what was written, or has left. */
export const drained = (target: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      target.off('drain', done).off('close', done);
      resolve();
    };
    if (target.destroyed) resolve();
    else target.once('drain', done).once('close', done);
  });

const isPiped = (response: object): response is Piped & Response => 'pipeTo' in response;
