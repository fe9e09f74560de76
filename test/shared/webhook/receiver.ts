/** Receivers of webhooks on free ports of the loopback, of every kind of manners. */
import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import {
  type AddressInfo,
  createServer as createSocketServer,
  type Server as SocketServer,
} from 'node:net';

export interface Hit {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly hits: Hit[];
  /** Bytes that were written before the sender hung up. */
  written: number;
  connections: number;
}

const servers = new Set<Server | SocketServer>();

export const closeReceivers = async (): Promise<void> => {
  for (const server of servers) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  servers.clear();
};

/** The URL, and the server in the care of `closeReceivers`. */
export const listen = async (
  server: Server | SocketServer,
  host = '127.0.0.1',
): Promise<string> => {
  servers.add(server);
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(0, host, resolve),
  );
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
};

export const receiver = async (
  answer: (response: ServerResponse, state: Receiver) => void,
): Promise<Receiver> => {
  const hits: Hit[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { method = '', url = '', headers } = request;
    hits.push({ method, url, headers, body: Buffer.concat(parts) });
    answer(response, state);
  });
  server.on('connection', () => {
    state.connections += 1;
  });
  const url = await listen(server);
  const port = Number(new URL(url).port);
  const state: Receiver = { url, port, hits, written: 0, connections: 0 };
  return state;
};

/** Answers a connection with these bytes, then does what `after` says. */
export const rawReceiver = (
  bytes: string | Buffer,
  after: 'end' | 'reset' | 'keep',
): Promise<string> =>
  listen(
    createSocketServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.write(bytes, () => {
          if (after === 'end') socket.end();
          if (after === 'reset') socket.resetAndDestroy();
        });
      });
    }),
  );

/** A URL at which nobody listens. */
export const nobody = async (): Promise<string> => {
  const server = createSocketServer();
  const url = await listen(server);
  servers.delete(server);
  await new Promise((resolve) => server.close(resolve));
  return url;
};
