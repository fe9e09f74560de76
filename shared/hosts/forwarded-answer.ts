/**
 * An answer of another server on its way through: read at the pace of whoever takes it, never kept.
 *
 * A part that comes before anybody takes it is held, and then nothing more is read.
 */
import type { ServerResponse } from 'node:http';
import { Failure } from '../failure';
import type { LiveStream } from '../handler';
import { farewellOf, isEventStream } from '../http/event-stream';
import { HeaderPairs } from '../http/headers';
import type { Piped } from './answer';
import type { AnswerHead } from './forward/answer-head';

/** Where the parts come from. */
export interface Source {
  pause(): void;
  resume(): void;
  cancel(): void;
}

/** An answer whose body may still be on its way, with the interface of `Response`. */
export class ForwardedAnswer implements Piped {
  readonly type = 'default';
  readonly url = '';
  readonly redirected = false;
  readonly statusText = '';
  readonly status: number;
  readonly headers: HeaderPairs;
  bodyUsed = false;
  /** Whether whoever asked for it has it. */
  isGiven = false;
  /** What has come and nobody has taken. */
  private readonly waiting: Buffer[] = [];
  private isEnded = false;
  /** Whether its end must not look like one. */
  private isCut = false;
  private failure: Failure | undefined;
  private trailers: readonly string[] = NONE;
  private last: number | undefined;
  /** Where large parts are copied to, one after the other: a new place for each would grow before it is collected. */
  private room: Buffer | undefined;
  private isRoomTaken = false;
  /** Called when the bytes in it are with the kernel, or nobody will send them any more. */
  private freeRoom: (() => void) | undefined;
  private target: ServerResponse | undefined;
  private wake: (() => void) | undefined;
  private over: (() => void) | undefined;
  private stream: ReadableStream<Uint8Array> | undefined;

  constructor(
    private readonly head: AnswerHead,
    private readonly source: Source,
    private readonly onEnd: (() => void) | undefined,
  ) {
    this.status = head.status;
    this.headers = new HeaderPairs(head.fields);
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get rawHeaders(): readonly string[] {
    return this.headers.raw();
  }

  get trailer(): string | undefined {
    return this.head.trailer;
  }

  /** The body, once all of it is there in one piece; then it counts as read. */
  takeWhole(): Uint8Array | undefined {
    const { isEnded, isCut, failure, trailers, waiting } = this;
    if (!isEnded || isCut || failure || trailers.length > 0 || waiting.length > 1) return undefined;
    this.bodyUsed = true;
    return waiting.pop() ?? EMPTY;
  }

  /** A part that has come. The bytes are borrowed. */
  take(part: Uint8Array): void {
    if (this.isEnded) return;
    this.last = part[part.length - 1];
    if (this.target) return void this.write(this.target, part);
    // The first comes with the head, and whoever takes it is about to.
    if (this.waiting.push(Buffer.from(part)) > 1) this.source.pause();
    this.wake?.();
  }

  private write(target: ServerResponse, part: Uint8Array): void {
    const hasRoom =
      part.length < LARGE || part.length > MAX_PART || this.isRoomTaken
        ? target.write(Buffer.from(part))
        : target.write(this.inRoom(part), this.freeRoom);
    if (!hasRoom) this.source.pause();
  }

  private inRoom(part: Uint8Array): Buffer {
    this.room ??= Buffer.allocUnsafeSlow(MAX_PART);
    this.isRoomTaken = true;
    this.room.set(part);
    return this.room.subarray(0, part.length);
  }

  /** Nothing more comes. Only the first call counts. */
  finish(failure?: Failure, trailers: readonly string[] = NONE): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.failure = failure;
    this.trailers = trailers;
    this.wake?.();
    this.over?.();
    this.onEnd?.();
  }

  /** Shows it to whoever looks after streams, if it is one. */
  live(onStream: (stream: LiveStream) => void): void {
    const isEvents = isEventStream(this.headers.get('content-type'));
    const isDeclared = this.headers.has('content-length');
    if (isDeclared && !isEvents) return;
    const ended = new Promise<void>((resolve) => {
      this.over = resolve;
    });
    const end: LiveStream['end'] = ({ retry } = {}) =>
      this.endEarly(isEvents && !isDeclared, retry);
    onStream({ protocol: isEvents ? 'sse' : 'http', end, ended });
  }

  private endEarly(hasGoodbye: boolean, retry: number | undefined): void {
    if (this.isEnded) return;
    // Into compressed bytes nothing can be written.
    const isPlain = (this.headers.get('content-encoding') ?? 'identity') === 'identity';
    const goodbye = hasGoodbye && isPlain ? farewellOf(this.last, retry) : '';
    if (goodbye !== '') this.take(Buffer.from(goodbye));
    this.isCut = !hasGoodbye;
    this.finish();
    this.source.cancel();
  }

  pipeTo(target: ServerResponse): Promise<void> {
    this.bodyUsed = true;
    this.freeRoom = () => {
      this.isRoomTaken = false;
    };
    const drained = () => this.source.resume();
    const left = () => this.source.cancel();
    return new Promise<void>((resolve, reject) => {
      const conclude = () => {
        target.off('drain', drained).off('close', left);
        if (this.failure) return reject(this.failure);
        if (this.isCut) target.destroy();
        else if (this.trailers.length > 0) target.addTrailers(pairs(this.trailers));
        resolve();
      };
      // A body may begin late; its head is there now.
      if (this.waiting.length === 0) target.flushHeaders();
      let hasRoom = true;
      for (const part of this.waiting.splice(0)) hasRoom = target.write(part);
      if (this.isEnded) return conclude();
      this.target = target;
      this.wake = conclude;
      target.on('drain', drained).on('close', left);
      if (target.destroyed) left();
      else if (hasRoom) this.source.resume();
    });
  }

  get body(): ReadableStream<Uint8Array> {
    this.stream ??= new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const part = await this.next();
          if (part) controller.enqueue(part);
          else controller.close();
        },
        cancel: () => this.source.cancel(),
      },
      { highWaterMark: 0 },
    );
    return this.stream;
  }

  async bytes(): Promise<Uint8Array> {
    const parts: Buffer[] = [];
    for (let part = await this.next(); part; part = await this.next()) parts.push(part);
    return Buffer.concat(parts);
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return new Uint8Array(await this.bytes()).buffer;
  }

  /** The next part, or `undefined` at the end. */
  private async next(): Promise<Buffer | undefined> {
    this.bodyUsed = true;
    while (this.waiting.length === 0 && !this.isEnded)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        this.source.resume();
      });
    const part = this.waiting.shift();
    if (part) return part;
    if (this.failure) throw this.failure;
    if (this.isCut) throw new Failure('aborted');
    return undefined;
  }
}

/** From what size on a part is worth a place that is used again, and how much one read gives. */
const LARGE = 32_768;
const MAX_PART = 65_536;
const NONE: readonly string[] = [];
const EMPTY = Buffer.alloc(0);

const pairs = (fields: readonly string[]): [string, string][] => {
  const found: [string, string][] = [];
  for (let i = 0; i < fields.length; i += 2)
    found.push([fields[i] as string, fields[i + 1] as string]);
  return found;
};
