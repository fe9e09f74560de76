/** Inflating a body within bounds, by Node's zlib. At the edge `inflate.edge.ts` stands in. */
import type { ZlibOptions } from 'node:zlib';

export interface InflateOptions {
  /** The most bytes that it may become. */
  readonly limit: number;
  /** What to reject with above it. */
  readonly tooLarge: () => Error;
  /** What to reject with when the bytes are not of this encoding, whole and nothing else. */
  readonly broken: () => Error;
}

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

/** Content codings (RFC 9110 section 8.4.1) that can be inflated here. */
export const ENCODINGS: ReadonlySet<string> = new Set(INFLATE.keys());

/** `encoding`: one of `ENCODINGS`. */
export const inflateUpTo = async (
  encoding: string,
  bytes: Uint8Array,
  { limit, tooLarge, broken }: InflateOptions,
): Promise<Uint8Array> => {
  const inflate = (await INFLATE.get(encoding)?.()) as Inflate;
  return new Promise((resolve, reject) => {
    inflate(bytes, { maxOutputLength: limit, info: true }, (error, inflated) => {
      if (error?.code === 'ERR_BUFFER_TOO_LARGE') reject(tooLarge());
      // Bytes left over behind the end are a second message that only some readers see.
      else if (error || inflated.engine.bytesWritten < bytes.length) reject(broken());
      else resolve(inflated.buffer);
    });
  });
};
