/**
 * `context.forward` on Node: undici's dispatch, so that no web stream stands between the two sockets.
 *
 * Back-pressure holds both ways. Fails closed: no answer in time is 504, no server 502, a broken answer cuts the client off.
 */
import type { Dispatcher, Pool } from 'undici';
import { Failure } from '../failure';
import type { ForwardOptions } from '../handler';
import { HeaderPairs } from '../http/headers';
import { endToEnd } from '../http/hop-by-hop';
import { ForwardedAnswer } from './forwarded-answer';
import type { NodeRequest } from './node-request';

/** Connections kept to one origin. */
const CONNECTIONS = 64;
const CONNECT_TIMEOUT = 5_000;
const DEFAULT_TIMEOUT = 30_000;

export interface Forwarder {
  /** `below` is the path below the function with the raw query. */
  forward(
    request: NodeRequest,
    below: string,
    traceparent: string,
    origin: string,
    options: ForwardOptions & { readonly signal: AbortSignal },
  ): Promise<Response>;
  close(): Promise<void>;
}

export const createForwarder = (): Forwarder => {
  const pools = new Map<string, Promise<Pool>>();
  const poolOf = (origin: string): Promise<Pool> => {
    let pool = pools.get(origin);
    if (!pool) {
      // undici takes 40 ms to load: only a function that forwards pays for it.
      pool = import('undici').then(
        ({ Pool }) =>
          new Pool(origin, { connections: CONNECTIONS, connect: { timeout: CONNECT_TIMEOUT } }),
      );
      pools.set(origin, pool);
    }
    return pool;
  };
  return {
    forward: async (
      request,
      below,
      traceparent,
      target,
      {
        method = request.method,
        path = below,
        headers = {},
        body,
        timeout = DEFAULT_TIMEOUT,
        signal,
      },
    ) => {
      const { origin } = new URL(target);
      const pool = await poolOf(origin);
      const changes = { via: '1.1 faas-patterns', traceparent, ...headers };
      const own = body === undefined;
      if (own && request.hasBody && request.bodyUsed)
        throw new TypeError('the body was read already: give forward the bytes to send');
      if (own) request.bodyUsed = true;
      const options: Dispatcher.DispatchOptions = {
        origin,
        method: method as Dispatcher.HttpMethod,
        path,
        headers: outgoing(request.headers.raw(), changes, !own),
        body: own ? (request.hasBody ? request.source() : null) : body,
        headersTimeout: timeout,
        bodyTimeout: timeout,
      };
      return new Promise<Response>((resolve, reject) => {
        if (signal.aborted) return reject(new Failure('aborted'));
        pool.dispatch(options, new Exchange(signal, resolve, reject));
      });
    },
    close: async () => {
      await Promise.all([...pools.values()].map(async (pool) => (await pool).close()));
    },
  };
};

/** The fields that go on, in the order they came, with the changes applied; content-length goes when the body is ours. */
const outgoing = (
  raw: readonly string[],
  changes: Readonly<Record<string, string | undefined>>,
  reframed: boolean,
): string[] => {
  const replaced = new Set(Object.keys(changes).map((name) => name.toLowerCase()));
  const fields = endToEnd(
    raw,
    (name) =>
      name === 'host' ||
      name === 'expect' ||
      (reframed && name === 'content-length') ||
      replaced.has(name),
  );
  for (const [name, value] of Object.entries(changes))
    if (value !== undefined) fields.push(name, value);
  return fields;
};

type Controller = Dispatcher.DispatchController;

/** One request on its way: resolves with the head of the answer, then holds the body until somebody takes it. */
class Exchange implements Dispatcher.DispatchHandler {
  private controller: Controller | undefined;
  private answer: ForwardedAnswer | undefined;

  constructor(
    private readonly signal: AbortSignal,
    private readonly resolve: (response: Response) => void,
    private readonly reject: (failure: unknown) => void,
  ) {}

  private readonly abort = (): void => this.controller?.abort(new Failure('aborted'));

  onRequestStart(controller: Controller): void {
    this.controller = controller;
    if (this.signal.aborted) this.abort();
    else this.signal.addEventListener('abort', this.abort, { once: true });
  }

  onResponseStart(controller: Controller, status: number): void {
    if (status < 200) return;
    const raw = (controller.rawHeaders as readonly Buffer[]).map((part) => part.toString('latin1'));
    this.answer = new ForwardedAnswer(status, new HeaderPairs(endToEnd(raw)), controller);
    this.resolve(this.answer as unknown as Response);
  }

  onResponseData(_controller: Controller, part: Buffer): void {
    this.answer?.take(part);
  }

  onResponseEnd(): void {
    this.signal.removeEventListener('abort', this.abort);
    this.answer?.finish();
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.signal.removeEventListener('abort', this.abort);
    const failure = explain(error);
    this.answer?.finish(failure);
    this.reject(failure);
  }
}

const explain = (error: Error & { code?: string }): Failure => {
  const code = error.code ?? '';
  if (error instanceof Failure) return error;
  if (/TIMEOUT|ETIMEDOUT/.test(code)) return new Failure('upstream_timeout', { cause: error });
  if (/^HPE_|INVALID|OVERFLOW|MISMATCH/.test(code))
    return new Failure('upstream_invalid', { cause: error });
  return new Failure('upstream_unreachable', { cause: error });
};
