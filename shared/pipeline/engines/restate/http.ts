/**
 * JSON over HTTP to Restate: its ingress, which calls handlers, and its admin interface.
 *
 * Fails closed: no answer, or none that says yes, is `engine_unavailable`.
 */
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { Failure } from '../../../failure';

/** How long an answer may take, ms. */
export const CALL_TIMEOUT = 10_000;
/** After a connection that broke before any answer, ms. */
const PAUSES = [50, 250, 1_000];

export interface JsonRequest {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  /** @default none */
  readonly body?: unknown;
  /** @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the wait, with `aborted`. @default none */
  readonly signal?: AbortSignal;
  /** ms @default 10000 */
  readonly timeout?: number;
  /** Whether it may be sent again after a connection that broke. @default true */
  readonly again?: boolean;
}

export interface JsonAnswer {
  readonly status: number;
  /** `undefined` when there is none. */
  readonly body: unknown;
}

export interface JsonClient {
  /** Any answer, whatever its status. */
  send(request: JsonRequest): Promise<JsonAnswer>;
  close(): void;
}

export const jsonClient = (base: string): JsonClient => {
  const { request: open, Agent } = base.startsWith('https:') ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });

  const once = ({ method, path, body, headers, signal, timeout = CALL_TIMEOUT }: JsonRequest) =>
    new Promise<JsonAnswer>((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const outgoing = open(
        new URL(path, base),
        {
          method,
          agent,
          headers: {
            accept: 'application/json',
            ...(text !== undefined && {
              'content-type': 'application/json',
              'content-length': Buffer.byteLength(text),
            }),
            ...headers,
          },
          ...(signal && { signal }),
        },
        (incoming) => read(incoming).then((answer) => settle(() => resolve(answer)), fail),
      );
      const late = setTimeout(() => outgoing.destroy(new Error('no answer in time')), timeout);
      const settle = (how: () => void): void => {
        clearTimeout(late);
        how();
      };
      const fail = (error: unknown): void => settle(() => reject(error));
      outgoing.on('error', fail);
      outgoing.end(text);
    });

  return {
    send: async (request) => {
      for (const pause of [...(request.again === false ? [] : PAUSES), undefined])
        try {
          return await once(request);
        } catch (error) {
          if (request.signal?.aborted) throw new Failure('aborted');
          if (pause === undefined || !isBroken(error)) throw unavailable(error);
          await new Promise((resolve) => setTimeout(resolve, pause));
        }
      throw new Failure('engine_unavailable');
    },
    close: () => agent.destroy(),
  };
};

export const unavailable = (cause: unknown): Failure =>
  new Failure('engine_unavailable', { cause, headers: { 'retry-after': '1' } });

const BROKEN: ReadonlySet<unknown> = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE']);
const isBroken = (error: unknown): boolean => BROKEN.has((error as NodeJS.ErrnoException)?.code);

const read = (incoming: IncomingMessage): Promise<JsonAnswer> =>
  new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.once('error', reject);
    incoming.once('end', () => {
      const text = Buffer.concat(parts).toString('utf8');
      resolve({ status: incoming.statusCode ?? 0, body: text === '' ? undefined : parse(text) });
    });
  });

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};
