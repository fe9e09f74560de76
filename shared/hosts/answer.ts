/** Writes an answer to node:http: in one go where its bytes are known, else part by part at the client's pace. */
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { Answer } from '../http/answer';

/** An answer that knows how to write its own body at the client's pace. */
export interface Piped {
  readonly status: number;
  /** Name and value in turn. */
  readonly rawHeaders: readonly string[];
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
  if (!(response instanceof Answer)) return writeParts(target, response, head, add);
  writeWhole(target, response, head, add, unread);
  return undefined;
};

const writeParts = async (
  target: ServerResponse,
  response: Response,
  head: boolean,
  add: readonly string[],
): Promise<void> => {
  try {
    if (isPiped(response)) {
      target.writeHead(response.status, [...response.rawHeaders, ...add]);
      await (head ? response.body?.cancel() : response.pipeTo(target));
      target.end();
    } else await writeStream(target, response, head, add);
  } catch (error) {
    target.destroy();
    throw error;
  }
};

const writeWhole = (
  target: ServerResponse,
  { status, headers, whole }: Answer,
  head: boolean,
  add: readonly string[],
  unread: Readable | undefined,
): void => {
  const fields = [...headers.raw(), ...add];
  const bodiless = status === 204 || status === 304;
  if (!bodiless && !headers.has('content-length'))
    fields.push('content-length', String(whole === null ? 0 : Buffer.byteLength(whole)));
  target.writeHead(status, fields);
  const content = head || bodiless || whole === null ? '' : whole;
  if (!unread) return void target.end(content);
  // Closing on unread bytes sends a reset, and a reset can overtake the answer.
  if (content.length > 0) target.write(content);
  else target.flushHeaders();
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
