/**
 * A request with another body, for decorators that have read it or changed it. All else is the request's own.
 *
 * Made without the global `Request`, which costs tens of µs on Node 20 and would lose what the host knows.
 */
import { byteLength } from '../bytes';
import type { ForwardOptions } from '../handler';
import { type BoundedReader, tooLarge } from './body';
import { HeaderPairs } from './headers';
import { fieldsOf } from './with-fields';

export interface WithBodyOptions {
  /** Whether the body says something else than the one that came: digests of that one are dropped. @default false */
  readonly changed?: boolean;
  /** Whether these are the very bytes that came, still in the encoding that the request names. @default false */
  readonly verbatim?: boolean;
  /** Whether the body is a text that keeps the rules of `parseJson`: whoever reads it need not check again. @default false */
  readonly json?: boolean;
}

/** Checksums over the bytes that came: RFC 9530, and its ancestors RFC 3230 and RFC 1864. */
const DIGESTS = ['content-digest', 'repr-digest', 'digest', 'content-md5'];

/** The same request with the body given; content-length and, unless it is `verbatim`, content-encoding (none) say so. */
export const withBody = (
  request: Request,
  body: string | Uint8Array,
  { changed = false, verbatim = false, json = false }: WithBodyOptions = {},
): Request => {
  const { headers } = request;
  const encoded = !verbatim && headers.has('content-encoding');
  const dropped = [
    ...droppedFrom(request),
    ...(encoded ? ['content-encoding'] : []),
    ...(changed || encoded ? DIGESTS.filter((name) => headers.has(name)) : []),
  ];
  return new RequestWithBody(request, body, dropped, json) as unknown as Request;
};

/** The body of a request that `withBody` has marked as JSON; it counts as read then. */
export const takeCheckedJson = (request: Request): string | undefined =>
  isDerived(request) && request.isJson ? request.takeText() : undefined;

/** What `context.forward` must be told of a request that has a body or fields of its own; of any other, nothing. */
export const forwardOptionsOf = (
  request: Request,
): Pick<ForwardOptions, 'body' | 'headers'> | undefined => {
  const derived = fieldsOf(request);
  if (derived) {
    const inner = forwardOptionsOf(derived.request);
    return { ...inner, headers: { ...inner?.headers, ...derived.headers } };
  }
  if (!isDerived(request)) return undefined;
  const headers = Object.fromEntries(request.dropped.map((name) => [name, undefined]));
  return {
    body: request.whole,
    headers: { ...forwardOptionsOf(request.original)?.headers, ...headers },
  };
};

const isDerived = (request: unknown): request is RequestWithBody =>
  request instanceof RequestWithBody;

const droppedFrom = (request: unknown): readonly string[] =>
  isDerived(request) ? request.dropped : [];

class RequestWithBody implements BoundedReader {
  readonly duplex = 'half';
  bodyUsed = false;
  #headers: HeaderPairs | undefined;
  #stream: ReadableStream<Uint8Array> | undefined;

  constructor(
    readonly original: Request,
    readonly whole: string | Uint8Array,
    /** Fields of the request from the network that no longer hold. */
    readonly dropped: readonly string[],
    readonly isJson: boolean,
  ) {}

  get method(): string {
    return this.original.method;
  }

  get url(): string {
    return this.original.url;
  }

  get signal(): AbortSignal {
    return this.original.signal;
  }

  get headers(): HeaderPairs {
    if (!this.#headers) {
      this.#headers = HeaderPairs.from(this.original.headers);
      for (const name of [...this.dropped, 'transfer-encoding']) this.#headers.delete(name);
      this.#headers.set('content-length', String(byteLength(this.whole)));
    }
    return this.#headers;
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this.whole.length === 0) return null;
    if (!this.#stream) {
      const bytes = this.#take();
      this.#stream = new ReadableStream({
        start(controller) {
          controller.enqueue(bytes);
          controller.close();
        },
      });
    }
    return this.#stream;
  }

  async readUpTo(limit: number): Promise<Uint8Array> {
    const bytes = this.#take();
    if (bytes.length > limit) throw tooLarge(limit);
    return bytes;
  }

  async bytes(): Promise<Uint8Array> {
    return this.#take();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return new Uint8Array(this.#take()).buffer;
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(this.#take());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  /** These are rare; a real `Request` does them. */
  async formData(): Promise<FormData> {
    return this.#real().formData();
  }

  async blob(): Promise<Blob> {
    return this.#real().blob();
  }

  clone(): Request {
    if (this.bodyUsed) throw new TypeError('the body was read already');
    return new RequestWithBody(
      this.original,
      this.whole,
      this.dropped,
      this.isJson,
    ) as unknown as Request;
  }

  takeText(): string {
    this.#use();
    return this.whole as string;
  }

  #use(): void {
    if (this.bodyUsed) throw new TypeError('the body was read already');
    this.bodyUsed = true;
  }

  #take(): Uint8Array {
    this.#use();
    return typeof this.whole === 'string' ? new TextEncoder().encode(this.whole) : this.whole;
  }

  #real(): Request {
    const { method, url } = this;
    const headers = [...this.headers.entries()] as [string, string][];
    return new Request(url, { method, headers, body: this.#take() as Uint8Array<ArrayBuffer> });
  }
}
