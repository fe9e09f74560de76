/**
 * One connection to a server behind: it serves one request at a time, and is kept for the next.
 *
 * Bytes that nobody has asked for end it: they would be taken for the next answer.
 */
import { connect, isIP, type Socket } from 'node:net';

/** Who has the connection for now. */
export interface User {
  /** It is connected: now is the time to write. */
  ready(): void;
  /** The bytes are borrowed: they are others after this call. */
  read(bytes: Buffer): void;
  /** What was written is on its way, and there is room for more. */
  drained(): void;
  /** It is gone; `isEnd`: the other side has ended it in good order. */
  closed(isEnd: boolean, error: Error | undefined): void;
  /** `due` has passed. */
  expired(): void;
}

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
}

/** Every connection reads into the same bytes: whoever is to keep some copies them. */
const shared = Buffer.allocUnsafeSlow(65_536);

export class Connection {
  user: User | undefined;
  isOpen = false;
  /** Whether it has served a request already: then the other side may have ended it unnoticed. */
  isKept = false;
  isClosed = false;
  /** When whatever it waits for takes too long, as `performance.now()` has it. */
  due = Number.POSITIVE_INFINITY;
  readonly socket: Socket;
  private isEnd = false;
  private error: Error | undefined;

  constructor(target: Target, tls: typeof import('node:tls') | undefined, onClose: () => void) {
    this.socket = tls && target.isSecure ? this.openSecure(target, tls) : this.open(target);
    this.socket
      .on(target.isSecure ? 'secureConnect' : 'connect', () => {
        this.isOpen = true;
        this.user?.ready();
      })
      .on('drain', () => this.user?.drained())
      .on('end', () => {
        this.isEnd = true;
      })
      .on('error', (error) => {
        this.error = error;
      })
      .on('close', () => {
        this.isClosed = true;
        onClose();
        this.user?.closed(this.isEnd && !this.error, this.error);
      });
  }

  /** Whether nothing can be written any more, or the other side has said that it ends: its user hears of that soon. */
  get isLost(): boolean {
    return this.isEnd || this.isClosed || this.socket.destroyed;
  }

  destroy(): void {
    this.user = undefined;
    this.socket.destroy();
  }

  private open({ host, port }: Target): Socket {
    const callback = (size: number) => {
      this.take(shared.subarray(0, size));
      return true;
    };
    return connect({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      onread: { buffer: shared, callback },
    });
  }

  private openSecure({ host, port }: Target, tls: typeof import('node:tls')): Socket {
    return tls
      .connect({
        host,
        port,
        servername: isIP(host) ? '' : host,
        ALPNProtocols: ['http/1.1'],
        noDelay: true,
        keepAlive: true,
      } as import('node:tls').ConnectionOptions)
      .on('data', (bytes: Buffer) => this.take(bytes));
  }

  private take(bytes: Buffer): void {
    if (this.user) this.user.read(bytes);
    else this.socket.destroy();
  }
}
