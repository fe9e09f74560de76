/** Bytes and texts on Node, whose Buffer is the fastest way to each. At the edge `bytes.edge.ts` stands in. */

/** Of a text its UTF-8 bytes are counted. */
export const byteLength = (whole: string | Uint8Array): number => Buffer.byteLength(whole);

/** `size`: of all together. */
export const concat = (parts: readonly Uint8Array[], size?: number): Uint8Array =>
  Buffer.concat(parts, size);

export const toHex = (bytes: Uint8Array): string => viewOf(bytes).toString('hex');

export const toBase64 = (bytes: Uint8Array): string => viewOf(bytes).toString('base64');

/** Without padding (RFC 4648 section 5). */
export const toBase64url = (bytes: Uint8Array): string => viewOf(bytes).toString('base64url');

/** What is not base64 is skipped: whoever must know writes the bytes back and compares. */
export const fromBase64 = (text: string): Uint8Array => Buffer.from(text, 'base64');

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
