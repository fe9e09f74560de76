/**
 * Requests to become a WebSocket (RFC 6455 section 4.1), as requests like any other: they come through the same listener
 * to the same functions, and a function that does not forward them answers as ever.
 *
 * Node gives every request with an Upgrade field away together with its connection, and reads no body of it. What is no
 * handshake of a WebSocket (`h2c`, one with a body) is put back, without that field, and read again as what it is; a
 * server may ignore Upgrade (RFC 9110 section 7.8). Fails closed: while an earlier answer is under way on the connection
 * there can be no upgrade, and it is cut.
 */
import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How long a client may go on sending after its answer, ms: closing on unread bytes could destroy the answer. */
const LINGER = 1_000;
/** Of what a client says before it has its answer no more is kept, bytes. */
const MAX_EARLY = 65_536;

/** What a connection has become. */
export interface Upgraded {
  /** Says goodbye and ends within seconds. */
  leave(): void;
}

/** The connection of a client that has asked for an upgrade. */
export class Upgrade {
  private readonly early: Buffer[] = [];
  private size = 0;
  private upgraded: Upgraded | undefined;
  private isLeaving = false;

  constructor(
    readonly socket: Socket,
    head: Buffer,
    /** Whether the answer has gone, so that nothing is to come any more. */
    private readonly isOver: () => boolean,
  ) {
    socket.on('error', () => undefined);
    if (head.length > 0) this.hear(head);
    // Somebody must read, or nobody would see that the client has left.
    socket.on('data', this.hear).on('end', this.left);
  }

  private readonly hear = (part: Buffer): void => {
    if (this.isOver()) return;
    this.early.push(part);
    this.size += part.length;
    if (this.size > MAX_EARLY) this.socket.pause();
  };

  private readonly left = (): void => {
    if (!this.isOver()) this.socket.destroy();
  };

  become(upgraded: Upgraded): void {
    this.upgraded = upgraded;
    if (this.isLeaving) upgraded.leave();
  }

  /** Gives what the client has said already; from now on somebody else listens. */
  release(): readonly Buffer[] {
    this.socket.off('data', this.hear).off('end', this.left);
    return this.early;
  }

  leave(): void {
    this.isLeaving = true;
    this.upgraded?.leave();
  }
}

const byRequest = new WeakMap<IncomingMessage, Upgrade>();
const byServer = new WeakMap<Server, Set<Upgrade>>();

/** The connection that a request wants to become a WebSocket; `undefined`: it wants no such thing, or the host cannot. */
export const upgradeOf = (incoming: IncomingMessage): Upgrade | undefined =>
  byRequest.get(incoming);

/** All connections of a server that are, or want to become, WebSockets. */
export const upgradesOf = (server: Server): ReadonlySet<Upgrade> =>
  byServer.get(server) ?? new Set();

/** Lets a server serve requests for a WebSocket as all others. */
export const serveUpgrades = (
  server: Server,
  serve: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
): void => {
  const open = new Set<Upgrade>();
  byServer.set(server, open);
  server.on('upgrade', (incoming: IncomingMessage, duplex, head: Buffer) => {
    const socket = duplex as Socket;
    const outgoing = new ServerResponse(incoming);
    try {
      outgoing.assignSocket(socket);
    } catch {
      return void socket.on('error', () => undefined).destroy();
    }
    if (!wantsWebSocket(incoming)) {
      outgoing.detachSocket(socket);
      return putBack(server, incoming, socket, head);
    }
    const upgrade = new Upgrade(socket, head, () => outgoing.writableEnded);
    open.add(upgrade);
    socket.once('close', () => open.delete(upgrade));
    byRequest.set(incoming, upgrade);
    answerOn(socket, outgoing);
    serve(incoming, outgoing);
  });
};

/** What the server does for an answer whose connection it has not given away; this one is good for no other request. */
const answerOn = (socket: Socket, outgoing: ServerResponse): void => {
  outgoing.shouldKeepAlive = false;
  const drained = () => outgoing.emit('drain');
  socket.on('drain', drained);
  outgoing.once('finish', () => {
    if (socket.destroyed) return;
    socket.off('drain', drained).end();
    if (socket.readableEnded) return void socket.destroySoon();
    const late = setTimeout(() => socket.destroy(), LINGER);
    socket
      .once('end', () => socket.destroySoon())
      .once('close', () => clearTimeout(late))
      .resume();
  });
};

/** RFC 6455 section 4.1. One with a body would end in the middle of it. */
const wantsWebSocket = ({ method, httpVersion, headers }: IncomingMessage): boolean =>
  method === 'GET' &&
  httpVersion === '1.1' &&
  headers.upgrade?.toLowerCase() === 'websocket' &&
  headers['transfer-encoding'] === undefined &&
  Number(headers['content-length'] ?? 0) === 0;

/** The parser has checked what is written here, and reads it again as it was but for the one field. */
const putBack = (server: Server, incoming: IncomingMessage, socket: Socket, head: Buffer): void => {
  const { method, url, httpVersion, rawHeaders } = incoming;
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]?.toLowerCase() !== 'upgrade')
      text += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`;
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
};
