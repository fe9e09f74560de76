/** An answer of another server on its way through: read at the pace of whoever takes it, never kept. */
import type { ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import { Failure } from '../failure';
import type { HeaderPairs } from '../http/headers';
import { drained, type Piped } from './answer';

type Controller = Dispatcher.DispatchController;

/** An answer whose body is still on its way, with the interface of `Response`. Paused until it is read. */
export class ForwardedAnswer implements Piped {
  readonly type = 'default';
  readonly url = '';
  readonly redirected = false;
  readonly statusText = '';
  bodyUsed = false;
  private readonly waiting: Buffer[] = [];
  private ended = false;
  private failure: Failure | undefined;
  private wake = (): void => {};
  private stream: ReadableStream<Uint8Array> | undefined;

  constructor(
    readonly status: number,
    readonly headers: HeaderPairs,
    private readonly controller: Controller,
  ) {}

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get rawHeaders(): readonly string[] {
    return this.headers.raw();
  }

  take(part: Buffer): void {
    // undici hands over an empty part whenever it is resumed; pausing for it would go on for ever.
    if (part.length === 0) return;
    this.waiting.push(part);
    // What nobody has taken yet stays in the socket.
    this.controller.pause();
    this.wake();
  }

  finish(failure?: Failure): void {
    this.ended = true;
    this.failure = failure;
    this.wake();
  }

  async pipeTo(target: ServerResponse): Promise<void> {
    const stop = () => this.cancel();
    target.once('close', stop);
    try {
      for (let part = await this.next(); part; part = await this.next())
        if (!target.write(part)) await drained(target);
    } finally {
      target.off('close', stop);
    }
  }

  get body(): ReadableStream<Uint8Array> {
    this.stream ??= new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const part = await this.next();
          if (part) controller.enqueue(part);
          else controller.close();
        },
        cancel: () => this.cancel(),
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

  private cancel(): void {
    if (!this.ended) this.controller.abort(new Failure('aborted'));
  }

  /** The next part, or `undefined` at the end. */
  private async next(): Promise<Buffer | undefined> {
    this.bodyUsed = true;
    while (this.waiting.length === 0 && !this.ended) {
      const woken = new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      this.controller.resume();
      await woken;
    }
    const part = this.waiting.shift();
    if (!part && this.failure) throw this.failure;
    return part;
  }
}
