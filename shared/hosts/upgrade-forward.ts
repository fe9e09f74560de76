/**
 * Hands a request for a WebSocket on to another server, over a connection of its own, and its answer back.
 *
 * Fails closed: not a byte of what the client has sent behind its request goes on before the server has said 101 and
 * means a WebSocket by it; else those bytes would be a request that nobody has looked at. No answer in time is 504, no server 502.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import http from 'node:http';
import type { Socket } from 'node:net';
import { Failure, Unforwarded } from '../failure';
import type { ForwardOptions } from '../handler';
import { HeaderPairs } from '../http/headers';
import { endToEnd } from '../http/hop-by-hop';
import type { Upgrade } from './upgrade';
import { RefusedAnswer, UpgradedAnswer } from './upgrade-answer';
import { WebSocketBridge } from './upgrade-bridge';

const CONNECT_TIMEOUT = 5_000;

export interface ForwardUpgradeOptions {
  /** http or https. */
  readonly origin: string;
  readonly path: string;
  /** Name and value in turn: Host, and all that does not end at this hop. */
  readonly fields: readonly string[];
  /** For the head of the answer, ms. */
  readonly timeout: number;
  /** For what follows, ms. */
  readonly idle: number;
  readonly onStream?: ForwardOptions['onStream'] | undefined;
  readonly onEnd?: (() => void) | undefined;
  readonly signal: AbortSignal;
}

/** Rejects as `context.forward` does; then the request can be handed on to another server. */
export const forwardUpgrade = async (
  upgrade: Upgrade,
  options: ForwardUpgradeOptions,
): Promise<Response> => {
  const target = new URL(options.origin);
  const { request: open } = target.protocol === 'https:' ? await import('node:https') : http;
  const { path, fields, signal } = options;
  if (signal.aborted) throw new Failure('aborted');
  const request = open(target, {
    method: 'GET',
    path,
    headers: [...fields, 'connection', 'Upgrade', 'upgrade', 'websocket'],
    agent: false,
    // A client may still speak when the server has no more to say, and the other way round.
    allowHalfOpen: true,
    noDelay: true,
  } as http.RequestOptions);
  return handshake(request, upgrade, options);
};

const handshake = (
  request: ClientRequest,
  upgrade: Upgrade,
  options: ForwardUpgradeOptions,
): Promise<Response> =>
  new Promise((resolve, reject) => {
    const { timeout, idle, signal } = options;
    let isSent = false;
    const fail = (failure: Failure) => void request.destroy(failure);
    const late = setTimeout(() => fail(new Failure('upstream_timeout')), timeout);
    const unreachable = setTimeout(() => fail(new Failure('upstream_timeout')), CONNECT_TIMEOUT);
    const abort = () => fail(new Failure('aborted'));
    signal.addEventListener('abort', abort, { once: true });
    const settle = () => {
      clearTimeout(late);
      clearTimeout(unreachable);
      signal.removeEventListener('abort', abort);
    };
    request
      .on('socket', (socket) => {
        socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => {
          isSent = true;
          clearTimeout(unreachable);
        });
      })
      .on('error', (error) => {
        settle();
        reject(explain(error, isSent));
      })
      .on('response', (response) => {
        settle();
        response.on('error', () => undefined);
        if (response.statusCode === 101) {
          // It does not say to what.
          response.destroy();
          return reject(new Failure('upstream_invalid'));
        }
        watch(response, options);
        const headers = new HeaderPairs(onward(response));
        resolve(new RefusedAnswer(response.statusCode as number, headers, response) as never);
      })
      .on('upgrade', (response, duplex, head) => {
        settle();
        const server = duplex as Socket;
        if (response.headers.upgrade?.toLowerCase() !== 'websocket') {
          server.on('error', () => undefined).destroy();
          return reject(new Failure('upstream_invalid'));
        }
        const bridge = new WebSocketBridge({ upgrade, server, head, idle });
        try {
          follow(bridge, upgrade, options);
          const fields = [...onward(response), 'connection', 'Upgrade', 'upgrade', 'websocket'];
          resolve(new UpgradedAnswer(new HeaderPairs(fields), bridge) as never);
        } catch (thrown) {
          reject(thrown);
        }
      })
      .end();
  });

const follow = (
  bridge: WebSocketBridge,
  upgrade: Upgrade,
  { signal, onStream, onEnd }: ForwardUpgradeOptions,
): void => {
  // Of a client that has left the bridge knows by itself, and lets the server hear its last words.
  const cut = () => {
    if (!upgrade.socket.closed) bridge.cut();
  };
  signal.addEventListener('abort', cut, { once: true });
  void bridge.ended.then(() => {
    signal.removeEventListener('abort', cut);
    onEnd?.();
  });
  onStream?.(bridge);
};

/** An answer that goes on: neither silent for long nor alive when nobody waits for it. */
const watch = (response: IncomingMessage, { idle, signal, onEnd }: ForwardUpgradeOptions): void => {
  const { socket } = response;
  const abort = () => void response.destroy(new Failure('aborted'));
  socket.setTimeout(idle, () => response.destroy(new Failure('upstream_timeout')));
  signal.addEventListener('abort', abort, { once: true });
  response.once('close', () => {
    signal.removeEventListener('abort', abort);
    onEnd?.();
  });
};

const explain = (error: Error & { code?: string }, isSent: boolean): Failure => {
  const code =
    error instanceof Failure
      ? error.code
      : /^HPE_/.test(error.code ?? '')
        ? 'upstream_invalid'
        : 'upstream_unreachable';
  return new Failure(code, {
    cause: isSent ? error : new Unforwarded('nothing was sent', { cause: error }),
  });
};

/** The fields that go on, names in lower case. */
const onward = ({ rawHeaders }: IncomingMessage): string[] =>
  endToEnd(rawHeaders).map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text));
