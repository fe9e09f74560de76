/** The two answers to a request for a WebSocket that another server gives: it takes part, or it has something to say. */
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { asFailure, Failure } from '../failure';
import type { HeaderPairs } from '../http/headers';
import { drained, type Piped } from './answer';
import type { WebSocketBridge } from './upgrade-bridge';

/** 101, with the interface of `Response`. The connections meet when it is written. */
export class UpgradedAnswer implements Piped {
  readonly type = 'default';
  readonly url = '';
  readonly redirected = false;
  readonly statusText = '';
  readonly status = 101;
  readonly ok = false;
  readonly body = null;
  readonly bodyUsed = false;

  constructor(
    readonly headers: HeaderPairs,
    private readonly bridge: WebSocketBridge,
  ) {}

  get rawHeaders(): readonly string[] {
    return this.headers.raw();
  }

  pipeTo(target: ServerResponse): Promise<void> {
    target.flushHeaders();
    return this.bridge.start();
  }

  async text(): Promise<string> {
    return '';
  }
}

/** Any other status, with the interface of `Response`; its body stays where it is until somebody takes it. */
export class RefusedAnswer implements Piped {
  readonly type = 'default';
  readonly url = '';
  readonly redirected = false;
  readonly statusText = '';
  bodyUsed = false;
  private stream: ReadableStream<Uint8Array> | undefined;

  constructor(
    readonly status: number,
    readonly headers: HeaderPairs,
    private readonly source: Readable,
  ) {}

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get rawHeaders(): readonly string[] {
    return this.headers.raw();
  }

  get body(): ReadableStream<Uint8Array> {
    this.stream ??= Readable.toWeb(this.source) as ReadableStream<Uint8Array>;
    return this.stream;
  }

  async pipeTo(target: ServerResponse): Promise<void> {
    const stop = () => this.source.destroy(new Failure('aborted'));
    target.once('close', stop);
    try {
      for await (const part of this.parts()) if (!target.write(part)) await drained(target);
    } finally {
      target.off('close', stop);
    }
  }

  async bytes(): Promise<Uint8Array> {
    const parts: Buffer[] = [];
    for await (const part of this.parts()) parts.push(part);
    return Buffer.concat(parts);
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return new Uint8Array(await this.bytes()).buffer;
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  private async *parts(): AsyncGenerator<Buffer> {
    this.bodyUsed = true;
    try {
      yield* this.source as AsyncIterable<Buffer>;
    } catch (thrown) {
      throw thrown instanceof Failure
        ? asFailure(thrown)
        : new Failure('upstream_unreachable', { cause: thrown });
    }
  }
}
