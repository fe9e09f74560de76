/**
 * SHA-256 with a key in plain code: the web's crypto answers with promises only, and nothing here is worth a turn.
 *
 * Time depends on the lengths alone.
 */
import { concat } from './bytes';
import { sha256 } from './sha256';

const encoder = new TextEncoder();
const BLOCK = 64;
const HASH = 32;

const bytesOf = (part: string | Uint8Array): Uint8Array =>
  typeof part === 'string' ? encoder.encode(part) : part;

export const hmacSha256 = (
  key: Uint8Array,
  ...parts: readonly (string | Uint8Array)[]
): Uint8Array => {
  const padded = new Uint8Array(BLOCK);
  padded.set(key.length > BLOCK ? sha256(key) : key);
  const inner = sha256(concat([padded.map((byte) => byte ^ 0x36), ...parts.map(bytesOf)]));
  return sha256(concat([padded.map((byte) => byte ^ 0x5c), inner]));
};

export const hkdfSha256 = (
  secret: string,
  salt: string,
  info: string,
  length: number,
): Uint8Array => {
  const pseudoRandom = hmacSha256(bytesOf(salt), secret);
  const blocks: Uint8Array[] = [];
  for (let n = 1; (n - 1) * HASH < length; n += 1)
    blocks.push(
      hmacSha256(pseudoRandom, blocks.at(-1) ?? new Uint8Array(), info, Uint8Array.of(n)),
    );
  return concat(blocks).slice(0, length);
};

export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i += 1) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
};
