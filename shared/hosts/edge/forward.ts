/**
 * `context.forward` at the edge: by fetch, or by a service binding where the origin has one. Redirects and content
 * codings are left alone; connections, trailers and interim answers (1xx) are the platform's own business.
 *
 * Fails closed: no answer in time is 504, no server 502, a broken answer cuts the client off. The platform does not tell
 * how far a failed request has come, so none counts as unsent.
 */
import { Failure } from '../../failure';
import type { ForwardOptions } from '../../handler';
import { endToEnd } from '../../http/hop-by-hop';
import { empty } from '../../http/response';
import { forwardsLeft } from '../forward/max-forwards';
import { liveAnswer } from './live-answer';
import { liveSocket } from './live-socket';
import { checkedPath, initOf, type OutgoingOptions } from './outgoing';
import { type EdgeResponse, edge, type Fetcher } from './runtime';
import { upload } from './upload';

const DEFAULT_TIMEOUT = 30_000;

export type EdgeForwarder = (
  request: Request,
  origin: string,
  options: EdgeForwarding,
) => Promise<Response>;

interface EdgeForwarding extends ForwardOptions, OutgoingOptions {
  readonly path: string;
  readonly signal: AbortSignal;
  /** Keeps the request alive until the promise is settled, also when its client has left. */
  readonly keepAlive: (work: Promise<unknown>) => void;
}

export interface EdgeForwardOptions {
  /** Service bindings by origin; all other origins are reached over the network. */
  readonly fetchers: ReadonlyMap<string, Fetcher>;
}

export const edgeForwarder =
  ({ fetchers }: EdgeForwardOptions): EdgeForwarder =>
  async (request, target, options) => {
    const { signal, timeout = DEFAULT_TIMEOUT, idle = timeout, keepAlive } = options;
    if (signal.aborted) throw new Failure('aborted');
    const { origin } = new URL(target);
    const url = origin + checkedPath(options.path);
    const { method = request.method, headers } = options;
    const left = forwardsLeft(method, request.headers.get('max-forwards'));
    if (left !== undefined && left < 0) return empty();
    const init = initOf(request, {
      ...options,
      ...(left !== undefined && { headers: { 'max-forwards': String(left), ...headers } }),
    });
    const controller = new AbortController();
    signal.addEventListener('abort', () => controller.abort(new Failure('aborted')), {
      once: true,
    });
    const giveUp = () => controller.abort(new Failure('upstream_timeout'));
    let late = setTimeout(giveUp, timeout);
    // Who still sends does not wait for an answer yet.
    const onPart = () => {
      clearTimeout(late);
      late = setTimeout(giveUp, timeout);
    };
    const body = options.body ?? upload(request, { onPart, controller, keepAlive });
    try {
      const fetcher = fetchers.get(origin) ?? NETWORK;
      const response = await fetcher.fetch(url, { ...init, body, signal: controller.signal });
      return receive(response, { ...options, idle, controller, method });
    } catch (thrown) {
      throw explain(thrown, controller.signal);
    } finally {
      clearTimeout(late);
    }
  };

const NETWORK: Fetcher = {
  fetch: (url, init) => fetch(url, init as RequestInit) as Promise<EdgeResponse>,
};

interface Receiving extends EdgeForwarding {
  readonly idle: number;
  readonly controller: AbortController;
  readonly method: string;
}

const receive = (response: EdgeResponse, options: Receiving): Response => {
  const { status, webSocket } = response;
  const headers = new Headers(pairsOf(endToEnd([...response.headers].flat())));
  if (webSocket)
    return new edge.Response(null, { status, headers, webSocket: liveSocket(webSocket, options) });
  const isBare =
    response.body === null || status === 204 || status === 304 || options.method === 'HEAD';
  if (isBare) options.onEnd?.();
  const body = isBare ? null : liveAnswer(response, options);
  return new edge.Response(body, { status, headers, encodeBody: 'manual' });
};

const pairsOf = (raw: readonly string[]): [string, string][] =>
  raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1] as string] as [string, string]] : []));

const explain = (thrown: unknown, { reason }: AbortSignal): Failure => {
  if (thrown instanceof Failure) return thrown;
  return reason instanceof Failure
    ? reason
    : new Failure('upstream_unreachable', { cause: thrown });
};
