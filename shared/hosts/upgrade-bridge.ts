/**
 * A WebSocket on its way through: two connections, each of which ends with the other.
 *
 * Nobody is kept waiting: silence is bounded by `idle`, and a goodbye by seconds. Fails closed: what cannot be ended between
 * two frames in time is cut.
 */
import type { Socket } from 'node:net';
import { Failure } from '../failure';
import type { LiveStream } from '../handler';
import { systemRandom } from '../random';
import { type CloseCode, closeFrame } from '../websocket/frames';
import type { Upgrade, Upgraded } from './upgrade';
import { Lane } from './upgrade-lane';

/** How long a goodbye has, to find the end of a frame and to be heard, ms. */
const PATIENCE = 2_000;

export interface BridgeOptions {
  readonly upgrade: Upgrade;
  /** The connection to the server behind, upgraded. */
  readonly server: Socket;
  /** What came from it together with the head of its answer. */
  readonly head: Buffer;
  /** How long both may be silent, ms. */
  readonly idle: number;
}

export class WebSocketBridge implements LiveStream, Upgraded {
  readonly protocol = 'websocket';
  readonly ended: Promise<void>;
  private readonly client: Socket;
  private readonly server: Socket;
  private readonly toClient: Lane;
  private readonly toServer: Lane;
  private isStarted = false;
  private leaving: CloseCode | undefined;
  private late: NodeJS.Timeout | undefined;
  private failure: Failure | undefined;

  constructor(private readonly options: BridgeOptions) {
    const { upgrade, server, idle } = options;
    const client = upgrade.socket;
    this.client = client;
    this.server = server;
    this.toClient = new Lane(server, client);
    this.toServer = new Lane(client, server);
    server.on('error', (cause) => {
      this.failure ??= new Failure('upstream_unreachable', { cause });
    });
    client.on('error', (cause) => {
      this.failure ??= new Failure('aborted', { cause });
    });
    const gone = [
      closing(client, () => outlive(server, this.toClient)),
      closing(server, () => {
        // Before the start the client is still to have an answer.
        if (this.isStarted) outlive(client, this.toServer);
      }),
    ];
    this.ended = Promise.all(gone).then(() => clearTimeout(this.late));
    // WebSocket knows no half of a connection (RFC 6455 section 1.4): what is still to come has a moment.
    for (const socket of [client, server])
      socket.once('end', () => {
        this.late ??= setTimeout(() => this.cut(), PATIENCE);
      });
    const silent = () => this.close(1001);
    for (const socket of [client, server]) socket.setTimeout(idle, silent);
    upgrade.become(this);
  }

  /** Lets the bytes flow; the head of the answer has gone. Resolves at the end, and rejects with what broke it. */
  async start(): Promise<void> {
    const { upgrade, head } = this.options;
    this.isStarted = true;
    this.toClient.start(head.length > 0 ? [head] : []);
    this.toServer.start(upgrade.release());
    if (this.leaving) this.sayGoodbye(this.leaving);
    if (this.server.destroyed) outlive(this.client, this.toServer);
    await this.ended;
    if (this.failure) throw this.failure;
  }

  end(): void {
    this.close(1012);
  }

  leave(): void {
    this.close(1001);
  }

  cut(): void {
    this.client.destroy();
    this.server.destroy();
  }

  /** The client hears why; the server behind only that the client has gone. Only the first call counts. */
  private close(code: CloseCode): void {
    if (this.leaving) return;
    this.leaving = code;
    this.late ??= setTimeout(() => this.cut(), PATIENCE);
    if (this.isStarted) this.sayGoodbye(code);
  }

  private sayGoodbye(code: CloseCode): void {
    this.toClient.leave(closeFrame(code));
    this.toServer.leave(closeFrame(1001, systemRandom.bytes(4)));
  }
}

/** Resolves when it is closed. */
const closing = (socket: Socket, then: () => void): Promise<void> =>
  new Promise((resolve) => {
    const closed = () => {
      then();
      resolve();
    };
    if (socket.destroyed) closed();
    else socket.once('close', closed);
  });

/** The other side has gone: what it has said still arrives, then this one has a moment to go by itself. */
const outlive = (socket: Socket, lane: Lane): void => {
  lane.stop();
  if (socket.destroyed) return;
  const bound = () => {
    const late = setTimeout(() => socket.destroy(), PATIENCE);
    socket.once('close', () => clearTimeout(late));
  };
  if (socket.writableFinished) bound();
  else socket.once('finish', bound).end();
};
