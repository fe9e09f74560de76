/**
 * Where Restate calls our handlers: HTTP/2 in the clear on a port of its own, with both directions open at once; or
 * request by request below a path of the host.
 *
 * Fails closed: without the keys by which Restate's requests are known, only the same machine may call.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import http2, { type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import type { Log } from '../../../handler';
import { SHORT_WAIT } from './attempts';
import type { NodeHandler, Sdk, ServiceDefinition } from './sdk';

/** Below this path of the host Restate calls, request by request. */
export const PATH = '/restate';

export interface EndpointOptions {
  readonly sdk: Sdk;
  /** `inlineWait` as in `carry`. */
  readonly services: (inlineWait: number) => readonly ServiceDefinition[];
  /** Restate's request identity, `publickeyv1_…`. @default none: only the same machine may call */
  readonly identityKeys?: readonly string[];
  readonly log: Log;
}

export interface RestateEndpoint {
  /** Answers one request whose path begins with `PATH`. `collected`: its body, when somebody has read it already. */
  handle(incoming: IncomingMessage, outgoing: ServerResponse, collected?: Uint8Array): void;
  /** Rejects when the port is taken. */
  listen(port: number, host: string): Promise<AddressInfo>;
  /** Takes no new calls. */
  drain(): void;
  /** Ends what is still open; it goes on elsewhere, or here after the next start. */
  close(): Promise<void>;
}

export const createEndpoint = (options: EndpointOptions): RestateEndpoint => {
  const { sdk, services, identityKeys = [], log } = options;
  let isClosing = false;
  let closed: Promise<void> | undefined;
  const sessions = new Set<ServerHttp2Session>();

  const create = (bidirectional: boolean): NodeHandler =>
    sdk.createEndpointHandler({
      services: services(bidirectional ? 0 : SHORT_WAIT),
      bidirectional,
      ...(identityKeys.length > 0 && { identityKeys }),
      logger: ({ level }, ...parts) => {
        if (level !== 'warn' && level !== 'error') return;
        const text = parts.map(String).join(' ');
        if (level === 'error' && !isClosing) log.error('restate_call_failed', { text });
        else log.debug('restate_sdk', { text });
      },
    });
  let plain: NodeHandler | undefined;
  let server: http2.Http2Server | undefined;

  return {
    handle: (incoming, outgoing, collected) => {
      if (identityKeys.length === 0 && !isLocal(incoming)) {
        outgoing.writeHead(403, { connection: 'close' }).end();
        return;
      }
      plain ??= create(false);
      plain(collected ? withBody(incoming, collected) : incoming, outgoing);
    },

    listen: (port, host) =>
      new Promise((resolve, reject) => {
        const handler = create(true);
        const listening = http2.createServer(
          { settings: { maxConcurrentStreams: 10_000 } },
          (request, response) =>
            handler(request as unknown as IncomingMessage, response as unknown as ServerResponse),
        );
        server = listening;
        listening.on('session', (session) => {
          sessions.add(session);
          session.on('close', () => sessions.delete(session));
          session.on('error', (error) => log.debug('restate_connection_broken', { error }));
        });
        listening.once('error', reject);
        listening.listen(port, host, () => resolve(listening.address() as AddressInfo));
      }),

    drain: () => {
      isClosing = true;
      closed = new Promise((resolve) => {
        if (server) server.close(() => resolve());
        else resolve();
      });
      // Open calls may end; for new ones Restate looks elsewhere.
      for (const session of sessions) session.close();
    },

    close: async () => {
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
};

/** A proxy on the same machine speaks for others. */
const isLocal = ({ socket, headers }: IncomingMessage): boolean =>
  /^(?:::ffff:)?127\.|^::1$/.test(socket.remoteAddress ?? '') &&
  headers['x-forwarded-for'] === undefined &&
  headers.forwarded === undefined;

/** The same request, to be read once more. */
const withBody = (incoming: IncomingMessage, body: Uint8Array): IncomingMessage =>
  Object.assign(Readable.from(body.length > 0 ? [body] : []), {
    url: incoming.url,
    method: incoming.method,
    headers: incoming.headers,
    httpVersion: '1.1',
    httpVersionMajor: 1,
  }) as unknown as IncomingMessage;
