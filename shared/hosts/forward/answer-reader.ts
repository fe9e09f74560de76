/** One answer out of the bytes of a connection: its head, its body, and where it ends. Throws `NotHttp` for any other. */
import { type AnswerHead, MAX_HEAD, NotHttp, readAnswerHead } from './answer-head';
import { ChunkReader } from './chunks';

export interface AnswerEvents {
  /** A status below 200: another answer follows. */
  onInformation(status: number, fields: readonly string[]): void;
  onHead(head: AnswerHead): void;
  /** A part of the body. The bytes are borrowed. */
  onData(part: Buffer): void;
}

/** Answers of status 1xx before the one that counts. */
const MAX_INFORMATION = 16;
const EMPTY = Buffer.alloc(0);
/** Lines that end with LF alone: the end of such a head would never be seen. */
const BARE_LF = /(?<!\r)\n/;

export class AnswerReader {
  head: AnswerHead | undefined;
  isDone = false;
  /** Of a head that has come in part. */
  private begun: Buffer = EMPTY;
  private information = 0;
  /** Bytes of the body that are still to come, where its length is known. */
  private left = 0;
  private chunks: ChunkReader | undefined;

  constructor(
    private readonly isHead: boolean,
    private readonly events: AnswerEvents,
  ) {}

  /** Whether anything has come. */
  get hasBegun(): boolean {
    return this.begun.length > 0 || this.information > 0 || this.head !== undefined;
  }

  /** Fields behind the body: name in lower case and value in turn. */
  get trailers(): readonly string[] {
    return this.chunks?.trailers ?? [];
  }

  /** Takes what belongs to this answer, and gives how much that was. */
  read(bytes: Buffer): number {
    let at = 0;
    while (!this.head) {
      at = this.readHead(bytes, at);
      if (at < 0) return bytes.length;
    }
    return this.readBody(bytes, at);
  }

  /** The connection has ended: whether the answer is whole by that. */
  end(): boolean {
    this.isDone ||= this.head?.framing === 'close';
    return this.isDone;
  }

  /** Where the body begins, or the next head; negative: there must be more. */
  private readHead(bytes: Buffer, from: number): number {
    const before = this.begun.length;
    const all = before > 0 ? Buffer.concat([this.begun, bytes]) : bytes;
    const start = before > 0 ? 0 : from;
    const end = all.indexOf('\r\n\r\n', before > 0 ? Math.max(0, before - 3) : from, 'latin1');
    if ((end < 0 ? all.length : end) - start > MAX_HEAD)
      throw new NotHttp('a head that is too large');
    if (end < 0) {
      this.keep(all.subarray(start));
      return -1;
    }
    this.begun = EMPTY;
    const head = readAnswerHead(all.toString('latin1', start, end), this.isHead);
    const next = end + 4 - before;
    if (head.status < 200) this.onInformation(head);
    else this.onHead(head);
    return next;
  }

  private keep(part: Buffer): void {
    const text = part.toString('latin1');
    if (!'HTTP/1.'.startsWith(text.slice(0, 7)) || BARE_LF.test(text))
      throw new NotHttp('something else than HTTP');
    this.begun = Buffer.from(part);
  }

  private onInformation({ status, fields }: AnswerHead): void {
    this.information += 1;
    // Nobody has asked for another protocol.
    if (status === 101) throw new NotHttp('an upgrade');
    if (this.information > MAX_INFORMATION) throw new NotHttp('no end of 1xx');
    this.events.onInformation(status, fields);
  }

  private onHead(head: AnswerHead): void {
    this.head = head;
    this.left = head.framing === 'length' ? head.length : 0;
    if (head.framing === 'chunked') this.chunks = new ChunkReader();
    this.isDone = head.framing === 'none' || (head.framing === 'length' && head.length === 0);
    this.events.onHead(head);
  }

  private readBody(bytes: Buffer, from: number): number {
    if (this.isDone) return from;
    if (this.chunks) {
      const end = this.chunks.read(bytes, from, (data) => this.events.onData(data));
      this.isDone = this.chunks.isDone;
      return end;
    }
    const isCounted = this.head?.framing === 'length';
    const end = isCounted ? Math.min(bytes.length, from + this.left) : bytes.length;
    if (end > from) this.events.onData(bytes.subarray(from, end));
    this.left -= end - from;
    this.isDone = isCounted && this.left === 0;
    return end;
  }
}
