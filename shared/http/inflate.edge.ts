/** Inflating a body within bounds, by what the web has: it knows no br. */
import { concat } from '../bytes';
import type { InflateOptions } from './inflate';

export const ENCODINGS: ReadonlySet<string> = new Set(['gzip', 'x-gzip']);

/** Bytes that are inflated at once. The stream holds all that comes of them, which is a thousand times as much at most. */
const SLICE = 4_096;

/** Stops soon after the limit. */
export const inflateUpTo = async (
  _encoding: string,
  bytes: Uint8Array,
  { limit, tooLarge, broken }: InflateOptions,
): Promise<Uint8Array> => {
  const stream = new DecompressionStream('gzip');
  const writer = stream.writable.getWriter();
  // What is wrong with the bytes shows where they are read; bytes behind the end are refused by the stream itself.
  const writing = (async () => {
    for (let at = 0; at < bytes.length; at += SLICE)
      await writer.write(bytes.subarray(at, at + SLICE));
    await writer.close();
  })();
  writing.catch(() => {});
  // All that is there in one go: part by part the stream would fill sooner than it is emptied.
  const reader = stream.readable.getReader({ mode: 'byob' });
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(limit + 1 - size)).catch(() => {
      throw broken();
    });
    if (done || !value) break;
    size += value.byteLength;
    if (size > limit) {
      // Ends the writing, too. Not waited for: who cancels would wait for the writer.
      reader.cancel().catch(() => {});
      throw tooLarge();
    }
    parts.push(value as Uint8Array);
  }
  await writing.catch(() => {
    throw broken();
  });
  return concat(parts, size);
};
