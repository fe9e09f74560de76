/**
 * A request with other header fields, for decorators that tell the handler behind something: what the handler reads and
 * what `context.forward` sends. All else is the request's own; nothing is read and nothing copied before it is asked for.
 */
import type { ForwardOptions } from '../handler';
import { type BoundedReader, readRaw } from './body';
import { HeaderPairs } from './headers';

/** The same request with these fields in place of those of the same names. */
export const withFields = (request: Request, fields: Readonly<Record<string, string>>): Request =>
  new RequestWithFields(request, fields) as unknown as Request;

/** The request that was decorated, and the fields that `context.forward` must be told of; `undefined`: of none. */
export const fieldsOf = (
  request: unknown,
): { readonly request: Request; readonly headers: ForwardOptions['headers'] } | undefined =>
  request instanceof RequestWithFields
    ? { request: request.original, headers: request.fields }
    : undefined;

class RequestWithFields implements BoundedReader {
  readonly duplex = 'half';
  #headers: HeaderPairs | undefined;

  constructor(
    readonly original: Request,
    readonly fields: Readonly<Record<string, string>>,
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
      for (const [name, value] of Object.entries(this.fields)) this.#headers.set(name, value);
    }
    return this.#headers;
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.original.body;
  }

  get bodyUsed(): boolean {
    return this.original.bodyUsed;
  }

  readUpTo(limit: number): Promise<Uint8Array> {
    return readRaw(this.original, limit);
  }

  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(await this.arrayBuffer());
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.original.arrayBuffer();
  }

  text(): Promise<string> {
    return this.original.text();
  }

  json(): Promise<unknown> {
    return this.original.json();
  }

  formData(): Promise<FormData> {
    return this.original.formData();
  }

  blob(): Promise<Blob> {
    return this.original.blob();
  }

  clone(): Request {
    return withFields(this.original.clone(), this.fields);
  }
}
