/** An independent WebSocket server and client, from a package of their own. */
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { providePeers } from './peers';

/** The part of the package that tests use. */
export interface PeerSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  readonly protocol: string;
  readonly extensions: string;
  readonly _socket: Socket;
  send(data: string | Uint8Array, options?: object): void;
  ping(data?: string): void;
  pause(): void;
  resume(): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  on(event: string, listener: (...args: never[]) => void): this;
  once(event: string, listener: (...args: never[]) => void): this;
}

interface PeerPackage {
  new (url: string, protocols: readonly string[], options?: object): PeerSocket;
  readonly WebSocketServer: new (
    options: object,
  ) => {
    handleUpgrade(
      incoming: IncomingMessage,
      socket: unknown,
      head: Buffer,
      done: (socket: PeerSocket) => void,
    ): void;
  };
}

const load = async () => (await providePeers('websocket'))('ws') as PeerPackage;

export interface Connected {
  readonly socket: PeerSocket;
  readonly request: IncomingMessage;
  /** What the answer to the handshake said. */
  readonly head: IncomingMessage;
  readonly messages: (string | Buffer)[];
  readonly pongs: string[];
  /** Resolves with the code and whether the connection ended with a Close frame. */
  readonly closed: Promise<number>;
  /** Resolves with the next message that nobody has taken. */
  next(): Promise<string | Buffer>;
}

/** Rejects when the handshake is refused. */
export const connect = async (
  url: string,
  { protocols = [], ...options }: { protocols?: readonly string[]; [option: string]: unknown } = {},
): Promise<Connected> => {
  const WebSocket = await load();
  const socket = new WebSocket(url, protocols, { perMessageDeflate: false, ...options });
  let head: IncomingMessage | undefined;
  socket.once('upgrade', (answer: IncomingMessage) => {
    head = answer;
  });
  const heard = hear(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return { ...heard, head: head as IncomingMessage, request: head as IncomingMessage };
};

const hear = (socket: PeerSocket) => {
  const messages: (string | Buffer)[] = [];
  const pongs: string[] = [];
  let taken = 0;
  let wake = (): void => undefined;
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    messages.push(isBinary ? data : data.toString());
    wake();
  });
  socket.on('pong', (data: Buffer) => void pongs.push(data.toString()));
  socket.on('error', () => undefined);
  const closed = new Promise<number>((resolve) => {
    socket.once('close', (code: number) => {
      resolve(code);
      wake();
    });
  });
  const next = async (): Promise<string | Buffer> => {
    while (messages.length <= taken) {
      if (socket.readyState > 1) throw new Error('the socket is closed');
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    taken += 1;
    return messages[taken - 1] as string | Buffer;
  };
  return { socket, messages, pongs, closed, next };
};

export interface PeerServer {
  readonly port: number;
  /** Called with each WebSocket; the default echoes. */
  onSocket: (socket: PeerSocket, incoming: IncomingMessage) => void;
  /** All requests that are no WebSockets, or are not to become one. */
  onRequest: http.RequestListener;
  /** Whether a handshake is taken. */
  takes: (incoming: IncomingMessage) => boolean;
  /** What a handshake waits for. */
  holds: () => Promise<void>;
  readonly sockets: Set<PeerSocket>;
  /** Codes with which clients have gone. */
  readonly codes: number[];
  stop(): void;
}

export const startPeerServer = async (
  options: object = {},
  tls?: https.ServerOptions,
): Promise<PeerServer> => {
  const { WebSocketServer } = await load();
  const accepting = new WebSocketServer({ noServer: true, maxPayload: 2 ** 28, ...options });
  const listener: http.RequestListener = (incoming, outgoing) => peer.onRequest(incoming, outgoing);
  const server = tls ? https.createServer(tls, listener) : http.createServer(listener);
  server.on('upgrade', (incoming, socket, head) => {
    if (!peer.takes(incoming)) {
      const outgoing = new http.ServerResponse(incoming);
      outgoing.shouldKeepAlive = false;
      outgoing.assignSocket(socket as Socket);
      outgoing.once('finish', () => socket.end());
      peer.onRequest(incoming, outgoing as never);
      return;
    }
    const open = (one: PeerSocket) => {
      peer.sockets.add(one);
      one.on('close', (code: number) => {
        peer.sockets.delete(one);
        peer.codes.push(code);
      });
      one.on('error', () => undefined);
      peer.onSocket(one, incoming);
    };
    void peer.holds().then(() => accepting.handleUpgrade(incoming, socket, head, open));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const peer: PeerServer = {
    port: (server.address() as AddressInfo).port,
    onSocket: echo,
    onRequest: (_, outgoing) => void outgoing.writeHead(426).end(),
    takes: () => true,
    holds: async () => undefined,
    sockets: new Set(),
    codes: [],
    stop: () => {
      for (const one of peer.sockets) one.terminate();
      server.closeAllConnections();
      server.close();
    },
  };
  return peer;
};

export const echo = (socket: PeerSocket): void => {
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    socket.send(data, { binary: isBinary });
  });
};
