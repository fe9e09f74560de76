/** The body of a request on its way to the server behind, at the pace of whoever takes it. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { trailersOnward } from '../../http/hop-by-hop';
import { sweepAfter } from './sweep';

export interface UploadEvents {
  /** A part has gone, or there is room again. `isBlocked`: the other side takes no more for now. */
  readonly moved: (isBlocked: boolean) => void;
  readonly sent: () => void;
  /** The client has left in the middle of it. */
  readonly broken: () => void;
}

export class Upload {
  isDone = false;
  private readonly isChunked: boolean;

  constructor(
    private readonly source: Readable,
    private readonly socket: Socket,
    /** How many bytes the head has promised; `undefined`: they go in chunks. */
    private left: number | undefined,
    private readonly events: UploadEvents,
  ) {
    this.isChunked = left === undefined;
  }

  start(): void {
    const { source } = this;
    source.on('data', this.onData).on('end', this.onEnd);
    source.on('close', this.onBroken).on('error', this.onBroken);
    if (source.readableEnded) this.onEnd();
    else if (source.destroyed) this.onBroken();
    else source.resume();
  }

  /** What the client still sends is for nobody. */
  stop(): void {
    this.detach();
    this.source.resume();
  }

  drained(): void {
    if (this.isDone) return;
    this.events.moved(false);
    this.source.resume();
  }

  private readonly onData = (part: Buffer): void => {
    if (this.left !== undefined) this.left -= part.length;
    // One byte more would be the beginning of another request.
    if ((this.left ?? 0) < 0) return void this.onBroken();
    const hasRoom = this.isChunked ? this.writeChunk(part) : this.socket.write(part);
    if (!hasRoom) this.source.pause();
    this.events.moved(!hasRoom);
    sweepAfter(part.length);
  };

  private writeChunk(part: Buffer): boolean {
    const { socket } = this;
    // An empty chunk would be the last one.
    if (part.length === 0) return true;
    socket.cork();
    socket.write(`${part.length.toString(16)}\r\n`, 'latin1');
    socket.write(part);
    const hasRoom = socket.write('\r\n', 'latin1');
    socket.uncork();
    return hasRoom;
  }

  private readonly onEnd = (): void => {
    if ((this.left ?? 0) > 0) return void this.onBroken();
    this.detach();
    if (this.isChunked) this.socket.write(`0\r\n${this.trailers()}\r\n`, 'latin1');
    this.isDone = true;
    this.events.sent();
  };

  private readonly onBroken = (): void => {
    this.detach();
    this.events.broken();
  };

  private detach(): void {
    const { source } = this;
    source.off('data', this.onData).off('end', this.onEnd);
    source.off('close', this.onBroken).off('error', this.onBroken);
  }

  /** Of a request that came in chunks, too. */
  private trailers(): string {
    const { rawTrailers = [] } = this.source as Partial<IncomingMessage>;
    const fields = trailersOnward(rawTrailers);
    let text = '';
    for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
    return text;
  }
}
