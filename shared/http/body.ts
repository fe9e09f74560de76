/**
 * Reading a request body within bounds: the limit holds for the raw bytes and again for the inflated ones,
 * and each is enforced while the bytes arrive, before anything is parsed. Fails closed: over a limit, nothing is read on.
 */
import type { ZlibOptions } from 'node:zlib';
import { Failure } from '../failure';

/** Bytes of a JSON body, raw and inflated. */
export const MAX_BODY = 1_048_576;

/** A request whose host can collect the body without a web stream. */
export interface BoundedReader {
  /** Rejects with `body_too_large` as soon as more than `limit` bytes have come. */
  readUpTo(limit: number): Promise<Uint8Array>;
}

/** The body, inflated when it came as gzip or br. Rejects with 413, 415 or 400 failures. */
export const readBytes = (request: Request, limit = MAX_BODY): Promise<Uint8Array> => {
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase() || 'identity';
  const load = INFLATE.get(encoding);
  if (encoding !== 'identity' && !load)
    return Promise.reject(
      new Failure('unsupported_encoding', { headers: { 'accept-encoding': 'gzip, br' } }),
    );
  const declared = Number(request.headers.get('content-length') ?? 0);
  if (declared > limit) return Promise.reject(tooLarge(limit));
  const raw = readRaw(request, limit);
  return load
    ? raw.then(async (bytes) => inflateUpTo((await load()) as Inflate, bytes, limit))
    : raw;
};

/** The body as it came, not inflated. Rejects with `body_too_large`, and as its source does. */
export const readRaw = (request: Request, limit: number): Promise<Uint8Array> =>
  'readUpTo' in request
    ? (request as unknown as BoundedReader).readUpTo(limit)
    : readStream(request.body, limit);

/** A stream to its end. Rejects with `body_too_large`, and cancels it, as soon as more than `limit` bytes have come. */
export const readStream = async (
  stream: ReadableStream<Uint8Array> | null,
  limit: number,
): Promise<Uint8Array> => {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (stream ?? []) as unknown as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > limit) throw tooLarge(limit);
    parts.push(part);
  }
  return Buffer.concat(parts, size);
};

interface Inflated {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

type Inflate = (
  bytes: Uint8Array,
  options: ZlibOptions & { readonly info: true },
  done: (error: (Error & { code?: string }) | null, inflated: Inflated) => void,
) => void;

/** Loaded when the first such body comes. A Map, so that no field value finds what every object inherits. */
const INFLATE: ReadonlyMap<string, () => Promise<unknown>> = new Map([
  ['gzip', async () => (await import('node:zlib')).gunzip],
  ['x-gzip', async () => (await import('node:zlib')).gunzip],
  ['br', async () => (await import('node:zlib')).brotliDecompress],
]);

const inflateUpTo = (inflate: Inflate, bytes: Uint8Array, limit: number): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    inflate(bytes, { maxOutputLength: limit, info: true }, (error, inflated) => {
      if (error?.code === 'ERR_BUFFER_TOO_LARGE') reject(tooLarge(limit));
      // Bytes left over behind the end are a second message that only some readers see.
      else if (error || inflated.engine.bytesWritten < bytes.length)
        reject(
          new Failure('invalid_request', {
            detail: 'The body is not what its content-encoding says.',
          }),
        );
      else resolve(inflated.buffer);
    });
  });

export const tooLarge = (limit: number): Failure =>
  new Failure('body_too_large', { detail: `The body may hold at most ${limit} bytes.` });
