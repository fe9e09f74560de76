/**
 * Reading a request body within bounds: the limit holds for the raw bytes and again for the inflated ones,
 * and each is enforced while the bytes arrive, before anything is parsed. Fails closed: over a limit, nothing is read on.
 */
import { concat } from '../bytes';
import { Failure } from '../failure';
import { ENCODINGS, inflateUpTo } from './inflate';

/** Bytes of a JSON body, raw and inflated. */
export const MAX_BODY = 1_048_576;

/** A request whose host can collect the body without a web stream. */
export interface BoundedReader {
  /** Rejects with `body_too_large` as soon as more than `limit` bytes have come. */
  readUpTo(limit: number): Promise<Uint8Array>;
}

/** The body, inflated when it came as gzip or (not at the edge) br. Rejects with 413, 415 or 400 failures. */
export const readBytes = (request: Request, limit = MAX_BODY): Promise<Uint8Array> => {
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase() || 'identity';
  const isPlain = encoding === 'identity';
  if (!isPlain && !ENCODINGS.has(encoding)) return Promise.reject(unsupported());
  const declared = Number(request.headers.get('content-length') ?? 0);
  if (declared > limit) return Promise.reject(tooLarge(limit));
  const raw = readRaw(request, limit);
  return isPlain
    ? raw
    : raw.then((bytes) =>
        inflateUpTo(encoding, bytes, { limit, tooLarge: () => tooLarge(limit), broken }),
      );
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
  return concat(parts, size);
};

export const tooLarge = (limit: number): Failure =>
  new Failure('body_too_large', { detail: `The body may hold at most ${limit} bytes.` });

const unsupported = (): Failure => {
  const known = [...ENCODINGS].filter((name) => !name.startsWith('x-'));
  return new Failure('unsupported_encoding', {
    detail: `The content encoding must be ${known.join(', ')} or identity.`,
    headers: { 'accept-encoding': known.join(', ') },
  });
};

const broken = (): Failure =>
  new Failure('invalid_request', { detail: 'The body is not what its content-encoding says.' });
