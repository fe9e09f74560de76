/**
 * The boundaries of WebSocket frames (RFC 6455 section 5.2) in bytes that go by, which are neither kept nor changed.
 *
 * Fails closed: after a head that is none (a length beyond 2^53) there is no boundary any more, so nobody can write into it.
 */

/** The longest head: two bytes, a length of 64 bits, a masking key. */
const LONGEST_HEAD = 14;
const CLOSE = 8;

/** Follows one direction of a WebSocket from its first byte on. */
export class FrameBoundaries {
  /** The head under way, as far as it has come. */
  private readonly head = new Uint8Array(LONGEST_HEAD);
  private headLength = 0;
  /** Bytes of the payload that are still to come. */
  private left = 0;
  /** Whether the peer has said Close: it may say nothing after it (section 5.5.1). */
  isClosed = false;

  /** Whether the next byte begins a frame. */
  get isAtBoundary(): boolean {
    return this.left === 0 && this.headLength === 0;
  }

  /** Takes all of it. */
  take(part: Uint8Array): void {
    for (let at = 0; at < part.length; ) at = this.frame(part, at);
  }

  /** Takes it up to the first boundary only, and gives how many bytes that were; -1: all of them, and there was none. */
  takeToBoundary(part: Uint8Array): number {
    let at = 0;
    while (!this.isAtBoundary) {
      if (at === part.length) return -1;
      at = this.frame(part, at);
    }
    return at;
  }

  /** Goes on to the end of a frame or of the part, whichever is nearer. */
  private frame(part: Uint8Array, from: number): number {
    let at = from;
    while (this.left === 0 && at < part.length) {
      this.head[this.headLength] = part[at] as number;
      this.headLength += 1;
      at += 1;
      if (this.headLength < headLengthOf(this.head, this.headLength)) continue;
      this.left = payloadLengthOf(this.head);
      this.isClosed ||= ((this.head[0] as number) & 0x0f) === CLOSE;
      this.headLength = 0;
      // A frame without a payload ends with its head.
      if (this.left === 0) return at;
    }
    const taken = Math.min(this.left, part.length - at);
    this.left -= taken;
    return at + taken;
  }
}

/** How long the head will be, as far as its first bytes tell. */
const headLengthOf = (head: Uint8Array, known: number): number => {
  if (known < 2) return 2;
  const second = head[1] as number;
  const length = second & 0x7f;
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (second & 0x80 ? 4 : 0);
};

const payloadLengthOf = (head: Uint8Array): number => {
  const length = (head[1] as number) & 0x7f;
  if (length < 126) return length;
  let value = 0;
  for (let i = 2; i < (length === 126 ? 4 : 10); i += 1) value = value * 256 + (head[i] as number);
  return value <= Number.MAX_SAFE_INTEGER ? value : Number.POSITIVE_INFINITY;
};

/** RFC 6455 section 7.4.1 and the registry that it began. */
export type CloseCode =
  /** Going Away. */
  | 1001
  /** Service Restart: come again, a little later each. */
  | 1012;

/** A Close frame without a reason. What a client says is masked (section 5.3); `mask` is 4 bytes nobody can guess. */
export const closeFrame = (code: CloseCode, mask?: Uint8Array): Uint8Array => {
  const payload = [code >> 8, code & 0xff];
  if (!mask) return Uint8Array.from([0x80 | CLOSE, payload.length, ...payload]);
  const masked = payload.map((byte, i) => byte ^ (mask[i] as number));
  return Uint8Array.from([0x80 | CLOSE, 0x80 | payload.length, ...mask, ...masked]);
};
