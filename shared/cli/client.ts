/**
 * The HTTP client of the commands, and the one file here that knows fetch. Every call has a bound; nothing is followed
 * anywhere else (a redirect would take the token along); what is not an answer of the suite is an error.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Run } from '../pipeline/run';
import { isWebhookUrl } from '../webhook/request';
import { readEvents } from './event-stream';
import { UsageError } from './flags';
import type { FullIo } from './io';
import { ApiError, interrupted, problemOf, unreachable } from './problem';

export { ApiError } from './problem';

/** Whose token a route takes: the variable of the server is named when it is refused. */
export type TokenKind = 'admin' | 'backend' | 'none';

export interface Request {
  /** @default 'GET' */
  readonly method?: 'GET' | 'POST';
  /** Below the URL of the server, its parts encoded. */
  readonly path: string;
  /** JSON text. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly callers: TokenKind;
  /** Ends the call early. @default only its time does */
  readonly signal?: AbortSignal;
}

export interface Reply {
  /** 2xx */
  readonly status: number;
  readonly location: string | undefined;
  /** `undefined` when there is none. */
  readonly body: unknown;
}

export interface Client {
  /** Of the server, without a slash at its end. */
  readonly url: string;
  /** Whatever is sent may be sent twice: it is repeated once when no answer came. Rejects with an ApiError. */
  call(request: Request): Promise<Reply>;
  /**
   * A run as it is, then after each change, as server-sent events, until the stream ends. Rejects with an ApiError,
   * also when not even a heartbeat has come for `HEARTBEAT`.
   */
  stream(path: string, signal: AbortSignal): AsyncGenerator<Run>;
}

export interface ClientOptions {
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly io: Pick<FullIo, 'environment'>;
  /** Of one attempt of a call, ms. @default TIMEOUT */
  readonly timeout?: number;
  /** @default HEARTBEAT */
  readonly heartbeat?: number;
}

export const DEFAULT_URL = 'http://localhost:8080';
/** ms */
export const TIMEOUT = 10_000;
/** The longest silence of a stream, four times what the server allows itself; ms. */
export const HEARTBEAT = 60_000;
/** Before a call is repeated, ms. */
const BREATH = 250;

/** Throws a UsageError for a URL or a token that cannot be one. Connects to nothing yet. */
export const createClient = (options: ClientOptions): Client => {
  const { io, timeout = TIMEOUT, heartbeat = HEARTBEAT } = options;
  const url = readUrl(options.url, io.environment.FAAS_URL);
  const token = readToken(options.token, io.environment.FAAS_TOKEN);
  const fields = (headers: Readonly<Record<string, string>> = {}) => ({
    accept: 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...headers,
  });

  const attempt = async (request: Request): Promise<Reply> => {
    const { method = 'GET', path, body, callers, signal } = request;
    const late = AbortSignal.timeout(timeout);
    try {
      const response = await fetch(url + path, {
        method,
        redirect: 'manual',
        headers: fields({
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...request.headers,
        }),
        ...(body !== undefined && { body }),
        signal: signal ? AbortSignal.any([signal, late]) : late,
      });
      const text = await response.text();
      if (!response.ok) throw problemOf(response, text, { url, callers });
      return {
        status: response.status,
        location: response.headers.get('location') ?? undefined,
        body: text === '' ? undefined : readBody(text, response, { url, callers }),
      };
    } catch (error) {
      if (error instanceof ApiError) throw error;
      if (signal?.aborted) throw interrupted();
      throw unreachable(url, error, timeout);
    }
  };

  return {
    url,
    call: async (request) => {
      try {
        return await attempt(request);
      } catch (error) {
        if (!(error instanceof ApiError && error.problem.code === 'unreachable')) throw error;
        await pause(BREATH);
        return attempt(request);
      }
    },
    stream: async function* (path, signal) {
      const silence = new AbortController();
      const watchdog = setTimeout(() => silence.abort(), heartbeat);
      try {
        const response = await fetch(url + path, {
          redirect: 'manual',
          headers: fields({ accept: 'text/event-stream' }),
          signal: AbortSignal.any([signal, silence.signal]),
        });
        if (!response.ok)
          throw problemOf(response, await response.text(), { url, callers: 'none' });
        if (!response.body) return;
        const chunks = response.body as unknown as AsyncIterable<Uint8Array>;
        for await (const { event, data } of readEvents(chunks, () => watchdog.refresh()))
          if (event === 'run') yield readBody(data, response, { url, callers: 'none' }) as Run;
      } catch (error) {
        if (error instanceof ApiError) throw error;
        if (signal.aborted) throw interrupted();
        throw unreachable(url, error, heartbeat);
      } finally {
        clearTimeout(watchdog);
        silence.abort();
      }
    },
  };
};

const readBody = (
  text: string,
  response: Response,
  about: { readonly url: string; readonly callers: TokenKind },
): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw problemOf(response, text, about);
  }
};

const readUrl = (flag: string | undefined, variable: string | undefined): string => {
  const text = flag ?? (variable?.trim() || DEFAULT_URL);
  if (!isWebhookUrl(text) || /[?#]/.test(text))
    throw new UsageError(
      `${flag === undefined ? 'FAAS_URL' : '--url'} must be an http or https URL without a user, query or fragment`,
    );
  return text.replace(/\/+$/, '');
};

/** Never shown, whatever it is. */
const readToken = (flag: string | undefined, variable: string | undefined): string | undefined => {
  const text = flag ?? (variable?.trim() || undefined);
  if (text !== undefined && !/^[\x21-\x7e]+$/.test(text))
    throw new UsageError(
      `${flag === undefined ? 'FAAS_TOKEN' : '--token'} must be visible ASCII without spaces`,
    );
  return text;
};
