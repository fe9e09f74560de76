/**
 * `context.forward` on Node: from one connection to another, with nothing in between but the rules of RFC 9110 and 9112.
 *
 * Bytes stream both ways with back-pressure; so do trailers and answers of status 1xx. A client that leaves ends its request
 * behind, and the other way round. Fails closed: no answer in time is 504, no server 502, a broken answer cuts the client off.
 */
import { Failure } from '../failure';
import type { ForwardOptions } from '../handler';
import { empty } from '../http/response';
import { Exchange } from './forward/exchange';
import { forwardsLeft, isBounded } from './forward/max-forwards';
import { orderOf } from './forward/order';
import { Origin } from './forward/origin';
import { onwardFields } from './forward/request-head';
import type { NodeRequest } from './node-request';
import { upgradeOf } from './upgrade';
import { forwardUpgrade } from './upgrade-forward';

const DEFAULT_TIMEOUT = 30_000;
/** Servers that are spoken to at once; above, those without a connection are forgotten. */
const MAX_ORIGINS = 1_000;

export interface Forwarder {
  /**
   * `below` is the path below the function with the raw query. `trustsForwarded`: whether X-Forwarded-Host and -Proto come
   * from a proxy of ours.
   */
  forward(
    request: NodeRequest,
    below: string,
    traceparent: string,
    target: string,
    options: ForwardOptions,
    trustsForwarded: boolean,
  ): Promise<Response>;
  /** Resolves when what is under way has ended. */
  close(): Promise<void>;
}

export const createForwarder = (): Forwarder => {
  const origins = new Map<string, Origin | Promise<Origin>>();
  const originOf = (target: string): Origin | Promise<Origin> => {
    const known = origins.get(target);
    if (known) return known;
    const url = new URL(target);
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new TypeError('forward speaks http and https only');
    if (url.protocol !== 'https:') return keep(target, new Origin(url, undefined));
    // It takes its time to load: only who needs it pays for it.
    const loading = import('node:tls').then((tls) => keep(target, new Origin(url, tls)));
    return keep(target, loading);
  };
  const keep = <T extends Origin | Promise<Origin>>(target: string, origin: T): T => {
    if (origins.size >= MAX_ORIGINS)
      for (const [name, one] of origins)
        if (one instanceof Origin && one.isIdle) origins.delete(name);
    origins.set(target, origin);
    return origin;
  };

  const begin = (
    request: NodeRequest,
    below: string,
    traceparent: string,
    origin: Origin,
    options: ForwardOptions,
    trustsForwarded: boolean,
  ): Promise<Response> => {
    const { incoming, outgoing } = request;
    const { method = request.method, path = below, body, signal, headers = NO_CHANGES } = options;
    const left = isBounded(method)
      ? forwardsLeft(method, request.headers.get('max-forwards'))
      : undefined;
    if (left !== undefined && left < 0) return Promise.resolve(empty());
    const onward = onwardFields({
      incoming,
      came: request.headers.raw(),
      authority: origin.authority,
      changes: left === undefined ? headers : { 'max-forwards': String(left), ...headers },
      traceparent,
      trustsForwarded,
    });
    const { timeout = DEFAULT_TIMEOUT, idle = timeout, onStream, onEnd } = options;
    const upgrade = upgradeOf(incoming);
    if (upgrade)
      return forwardUpgrade(upgrade, {
        origin: origin.url,
        path,
        fields: onward.fields,
        timeout,
        idle,
        onStream,
        onEnd,
        signal: signal ?? request.signal,
      });
    if (outgoing.destroyed || signal?.aborted) throw new Failure('aborted');
    const order = orderOf({ request, method, path, onward, body });
    return new Promise((resolve, reject) => {
      const how = {
        origin,
        order,
        outgoing,
        signal,
        timeout,
        idle,
        onStream,
        onEnd,
        resolve,
        reject,
      };
      new Exchange(how).start();
    });
  };

  return {
    forward: (request, below, traceparent, target, options, trusts) => {
      try {
        const origin = originOf(target);
        return origin instanceof Origin
          ? begin(request, below, traceparent, origin, options, trusts)
          : origin.then((one) => begin(request, below, traceparent, one, options, trusts));
      } catch (thrown) {
        return Promise.reject(thrown);
      }
    },
    close: async () => {
      await Promise.all([...origins.values()].map(async (origin) => (await origin).close()));
    },
  };
};

const NO_CHANGES = Object.freeze({});
