/** One direction of a WebSocket between two sockets: every byte as it came, at the pace of whoever takes it. */
import type { Socket } from 'node:net';
import { FrameBoundaries } from '../websocket/frames';

/** Knows where frames end, so that a goodbye can be said in between; the bytes themselves are neither kept nor changed. */
export class Lane {
  /** Whether nothing more goes this way. */
  isDone = false;
  private readonly frames = new FrameBoundaries();
  private goodbye: Uint8Array | undefined;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
  ) {}

  /** Begins with what has come already. */
  start(early: readonly Buffer[]): void {
    const { from, to } = this;
    to.on('drain', () => from.resume());
    from.on('data', this.take).on('end', () => {
      if (!this.isDone) this.finish();
    });
    for (const part of early) this.take(part);
    // What was paused for a full socket goes on when that is drained; if it is not full now, at once.
    if (!to.writableNeedDrain) from.resume();
  }

  /** Says goodbye as soon as a frame has ended, and hands on nothing behind it. */
  leave(goodbye: Uint8Array): void {
    if (this.isDone) return;
    this.goodbye = goodbye;
    if (this.frames.isAtBoundary) this.sayGoodbye();
  }

  /** There is nobody to speak to any more. */
  stop(): void {
    this.isDone = true;
    // What still comes is thrown away, so that its end is seen.
    this.from.resume();
  }

  private readonly take = (part: Buffer): void => {
    // What comes after the goodbye is read and thrown away: to close on unread bytes could destroy what was said.
    if (this.isDone) return;
    if (this.goodbye) {
      const end = this.frames.takeToBoundary(part);
      this.send(end < 0 ? part : part.subarray(0, end));
      if (this.frames.isAtBoundary) this.sayGoodbye();
    } else {
      this.frames.take(part);
      this.send(part);
    }
  };

  private send(part: Buffer): void {
    if (part.length > 0 && !this.to.write(part)) this.from.pause();
  }

  private sayGoodbye(): void {
    // Nothing may follow a Close frame, not even another one.
    if (this.goodbye && !this.frames.isClosed && this.to.writable) this.to.write(this.goodbye);
    this.finish();
    this.from.resume();
  }

  private finish(): void {
    this.isDone = true;
    this.to.end();
  }
}
