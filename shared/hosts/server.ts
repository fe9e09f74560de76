/**
 * The life of an HTTP server: bounded waits for heads and bodies, health, and a drain that loses nobody.
 *
 * On SIGTERM or SIGINT: readiness says no, and for a moment nothing else changes, so that balancers see it; then the port
 * closes, each answer ends its connection, connections that have been idle for a while are closed, requests in flight
 * end, then the process.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import { Failure, type FailureCode } from '../failure';
import type { Answer } from '../http/answer';
import { problem } from '../http/response';
import { type Random, randomId, systemRandom } from '../random';
import { holdContinue } from './expect';
import { ambiguityOf, isRefused, refuseAllOf } from './plain-request';
import { serveUpgrades, upgradesOf } from './upgrade';

/** Defaults in ms and bytes. */
export const SERVER_LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 300_000,
  /** Longer than load balancers keep theirs: who closes first must not be us. */
  keepAliveTimeout: 620_000,
  maxHeaderSize: 16_384,
} as const;

/** No field goes missing without a word, as Node would have it; the size of all together is limited. */
const MAX_HEADERS_COUNT = 0;

/** From the signal until what still runs is cut, ms; below the 10 s after which platforms kill. */
const DRAIN_TIMEOUT = 9_000;
/** Of these at least so much is left for what is under way when the port closes, ms. */
const LEAST_DRAIN = 6_000;
/** Until a port closes where readiness is asked for, ms. */
const DRAIN_DELAY = 3_000;
/** The longest that a connection must have been idle before it is closed, ms. */
const MAX_QUIET = 1_000;

/** When what happens after the signal to stop, ms. */
export interface DrainTimes {
  /** From the signal until the port closes. */
  readonly delay: number;
  /** How long a connection is idle before it is closed: to close one on which a request arrives would lose it. */
  readonly quiet: number;
  /** From the signal until what still runs is cut. */
  readonly timeout: number;
}

/** In development nobody asks for readiness, and somebody waits for the end. */
export const drainTimes = ({
  production,
  delay = production ? DRAIN_DELAY : 0,
}: {
  readonly production: boolean;
  /** @default 0 in development, 3000 in production */
  readonly delay?: number | undefined;
}): DrainTimes => ({
  delay,
  quiet: Math.min(delay, MAX_QUIET),
  timeout: Math.max(DRAIN_TIMEOUT, delay + LEAST_DRAIN),
});

export interface Health {
  readonly ready: () => boolean;
}

type RequestListener = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/** A server that answers health by itself and gives all else to the listener. */
export const createServer = (listener: RequestListener, { ready }: Health): http.Server => {
  const serve: RequestListener = (incoming, outgoing) => {
    if (isRefused(incoming)) return;
    // The port is closed: whoever has a connection still is answered, and told that it is the last time.
    if (!server.listening) outgoing.shouldKeepAlive = false;
    const ambiguity = ambiguityOf(incoming);
    if (ambiguity !== undefined) return refuseRequest(incoming, outgoing, ambiguity);
    if (incoming.url === '/health/liveness') return sendHealth(incoming, outgoing, true);
    if (incoming.url === '/health/readiness') return sendHealth(incoming, outgoing, ready());
    listener(incoming, outgoing);
  };
  const server = http.createServer(
    {
      ...SERVER_LIMITS,
      connectionsCheckingInterval: 1_000,
      insecureHTTPParser: false,
      requireHostHeader: false,
    },
    serve,
  );
  server.maxHeadersCount = MAX_HEADERS_COUNT;
  serveUpgrades(server, serve);
  server.on('checkContinue', (incoming, outgoing) => {
    holdContinue(incoming, outgoing);
    serve(incoming, outgoing);
  });
  server.on('clientError', refuse);
  return server;
};

const sendHealth = (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  healthy: boolean,
): void => {
  if (incoming.method !== 'GET' && incoming.method !== 'HEAD') {
    outgoing.writeHead(405, { allow: 'GET, HEAD', connection: 'close' }).end();
    return;
  }
  outgoing
    .writeHead(healthy ? 200 : 503, { 'content-length': '0', 'cache-control': 'no-store' })
    .end();
};

/** One that two servers could read as two: nothing behind it is read. */
const refuseRequest = (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  detail: string,
  random: Random = systemRandom,
): void => {
  refuseAllOf(incoming);
  const failure = new Failure('invalid_request', { detail });
  const { status, headers, whole } = problem(failure, randomId(random)) as unknown as Answer;
  outgoing.writeHead(status, [...headers.raw(), 'connection', 'close']).end(whole);
};

const CLIENT_ERRORS: Readonly<Record<string, FailureCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  HPE_HEADER_OVERFLOW: 'headers_too_large',
};

/** What the parser refused never becomes a request, so it is answered on the bare socket. */
const refuse = (
  error: Error & { code?: string },
  socket: import('node:stream').Duplex,
  random: Random = systemRandom,
): void => {
  if (!socket.writable || (socket as Socket & { bytesWritten?: number }).destroyed)
    return void socket.destroy();
  if (error.code === 'ECONNRESET') return void socket.destroy();
  // The parser has found a fault in what was refused already.
  if (isRefused({ socket })) return;
  const failure = new Failure(CLIENT_ERRORS[error.code ?? ''] ?? 'invalid_request');
  const { status, whole } = problem(failure, randomId(random)) as unknown as Answer;
  socket.end(
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(whole as string)}\r\nconnection: close\r\n\r\n${whole}`,
  );
};

/** Resolves with the address; rejects when the port is taken. */
export const listen = (server: http.Server, port: number, host: string): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });

/** Between two looks for connections that have become idle, ms, at least. */
const IDLE_CHECK = 50;

/**
 * Closes the port, says goodbye on WebSockets, ends connections once they are idle, and resolves when all have ended.
 * `quiet`: how long one is idle before it is closed, ms.
 */
export const drain = async (
  server: http.Server,
  { quiet }: Pick<DrainTimes, 'quiet'>,
): Promise<void> => {
  await takeAll(server);
  await new Promise<void>((resolve) => {
    // Not that of the HTTP server, which ends idle connections at once.
    net.Server.prototype.close.call(server, () => {
      clearInterval(idle);
      resolve();
    });
    const closeIdle = () => void takeAll(server).then(() => server.closeIdleConnections());
    // Answers that began before the stop could not say `connection: close`; their connections end once they are idle.
    const idle = setInterval(closeIdle, Math.max(quiet, IDLE_CHECK));
    if (quiet === 0) closeIdle();
    for (const upgrade of upgradesOf(server)) upgrade.leave();
  });
};

/** A turn of the event loop that takes longer leaves time for something to arrive behind its back, ms. */
const SHORT_TURN = 0.1;
/** A host that never has one is not kept from its end. */
const MAX_TURNS = 1_000;

/**
 * What has arrived, but was not taken, is lost when its port or connection is closed: that waits for a turn in which
 * nobody has connected and which was over at once.
 */
const takeAll = async (server: http.Server): Promise<void> => {
  let came: boolean;
  const note = () => {
    came = true;
  };
  server.on('connection', note);
  // From anywhere in a turn to its end, so that all others are whole.
  await turnEnds();
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    came = false;
    const begun = performance.now();
    await turnEnds();
    if (!came && performance.now() - begun < SHORT_TURN) break;
  }
  server.off('connection', note);
};

const turnEnds = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
