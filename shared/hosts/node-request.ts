/** `Request` over node:http, built lazily: what a function does not look at is never made. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { Failure } from '../failure';
import { type BoundedReader, MAX_BODY, tooLarge } from '../http/body';
import { HeaderPairs } from '../http/headers';
import { sendContinue } from './expect';

/** How long a body that is read whole may take to arrive, in ms. */
const BODY_TIMEOUT = 15_000;

export class NodeRequest implements BoundedReader {
  readonly method: string;
  readonly duplex = 'half';
  /** Whether somebody has begun to read the body. */
  bodyUsed = false;
  /** Whether all of it was read. */
  private isWhole = false;
  private fields: HeaderPairs | undefined;
  private stream: ReadableStream<Uint8Array> | null | undefined;

  constructor(
    readonly incoming: IncomingMessage,
    /** Path and query as they came. */
    readonly target: string,
    private readonly call: { get(): AbortSignal; readonly outgoing: ServerResponse },
    /** The body, when the platform has read it already. */
    private readonly collected?: Uint8Array,
  ) {
    this.method = incoming.method ?? 'GET';
  }

  get url(): string {
    const { host = '' } = this.incoming.headers;
    return `http://${isAuthority(host) ? host : 'localhost'}${this.target}`;
  }

  get path(): string {
    const query = this.target.indexOf('?');
    return query < 0 ? this.target : this.target.slice(0, query);
  }

  /** With its `?`; empty when there is none. */
  get query(): string {
    const query = this.target.indexOf('?');
    return query < 0 ? '' : this.target.slice(query);
  }

  get headers(): HeaderPairs {
    this.fields ??= HeaderPairs.fromRaw(this.incoming.rawHeaders);
    return this.fields;
  }

  get signal(): AbortSignal {
    return this.call.get();
  }

  /** Where its answer is written. */
  get outgoing(): ServerResponse {
    return this.call.outgoing;
  }

  /** In bytes; NaN when only its end will tell. From the raw fields: a host may have hidden the others. */
  get declaredLength(): number {
    if (this.headers.has('transfer-encoding')) return Number.NaN;
    return Number(this.headers.get('content-length') ?? 0);
  }

  get hasBody(): boolean {
    return this.declaredLength !== 0;
  }

  /** Whether bytes of the body may still be on their way. */
  get isArriving(): boolean {
    return this.hasBody && !this.isWhole && !this.incoming.complete;
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this.stream !== undefined) return this.stream;
    if (!this.hasBody) this.stream = null;
    else {
      this.bodyUsed = true;
      sendContinue(this.incoming);
      this.stream = Readable.toWeb(this.source()) as ReadableStream<Uint8Array>;
    }
    return this.stream;
  }

  /** The bytes as they come, for a host that moves them on. */
  source(): Readable {
    return this.collected ? Readable.from([this.collected]) : this.incoming;
  }

  /** Rejects with `body_too_large`, `request_timeout`, or `aborted` when the client leaves. */
  readUpTo(limit: number): Promise<Uint8Array> {
    if (this.bodyUsed) return Promise.reject(new TypeError('the body was read already'));
    this.bodyUsed = true;
    if (!this.hasBody) return Promise.resolve(new Uint8Array());
    if (this.collected)
      return this.collected.length > limit
        ? Promise.reject(tooLarge(limit))
        : Promise.resolve(this.collected);
    return this.readIncoming(limit);
  }

  private async readIncoming(limit: number): Promise<Uint8Array> {
    const { incoming } = this;
    sendContinue(incoming);
    // What came along with the head is there by the next turn, and a small body comes in one piece with it.
    await undefined;
    const length = incoming.readableLength;
    if (length !== this.declaredLength || length > limit || incoming.destroyed)
      return collect(incoming, limit);
    this.isWhole = true;
    return incoming.read();
  }

  bytes(): Promise<Uint8Array> {
    return this.readUpTo(MAX_BODY);
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

  /** The rest of the interface is rare; a real `Request` does it. */
  async formData(): Promise<FormData> {
    return this.real().formData();
  }

  async blob(): Promise<Blob> {
    return this.real().blob();
  }

  clone(): Request {
    throw new TypeError('a request from the network is read once; read its bytes and keep them');
  }

  private real(): Request {
    const { method, url, body } = this;
    const headers = [...this.headers.entries()] as [string, string][];
    return new Request(url, { method, headers, ...(body && { body, duplex: 'half' }) });
  }
}

/** What a client may write here need not make a URL: `[`, `a:99999999`. Whoever reads ours must be able to parse it. */
const isAuthority = (host: string): boolean => {
  if (host !== known.host) {
    known.host = host;
    known.isAuthority = /^[\w.:[\]-]+$/.test(host) && URL.canParse(`http://${host}`);
  }
  return known.isAuthority;
};

/** The last one asked about: nearly always the next one, too. */
const known = { host: '', isAuthority: false };

const collect = (incoming: IncomingMessage, limit: number): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const settle = (outcome: () => void) => {
      clearTimeout(late);
      incoming.off('data', onData).off('end', onEnd).off('close', onClose);
      outcome();
    };
    const fail = (failure: Failure) =>
      settle(() => {
        incoming.pause();
        reject(failure);
      });
    const onData = (part: Buffer) => {
      size += part.length;
      if (size > limit) fail(tooLarge(limit));
      else parts.push(part);
    };
    const onEnd = () =>
      settle(() => resolve(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, size)));
    const onClose = () => fail(new Failure('aborted'));
    const late = setTimeout(() => fail(new Failure('request_timeout')), BODY_TIMEOUT);
    incoming.on('data', onData).on('end', onEnd).on('close', onClose);
    if (incoming.destroyed && !incoming.readableEnded) onClose();
  });
