/** SHA-256 with a key, on Node. At the edge, where crypto answers with promises only, `hmac.edge.ts` stands in. */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** HMAC-SHA256 (RFC 2104) over the parts, one after the other; a text is its UTF-8 bytes. */
export const hmacSha256 = (
  key: Uint8Array,
  ...parts: readonly (string | Uint8Array)[]
): Uint8Array => {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
};

/** HKDF-SHA256 (RFC 5869), `length` bytes. */
export const hkdfSha256 = (
  secret: string,
  salt: string,
  info: string,
  length: number,
): Uint8Array => new Uint8Array(hkdfSync('sha256', secret, salt, info, length));

/** Constant time for equal lengths; lengths are no secret. */
export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && timingSafeEqual(a, b);
