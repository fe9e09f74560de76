/** Keys as bytes. */
import { compareBytes } from './modes/bytes';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const toBytes = (key: string | Uint8Array): Uint8Array =>
  typeof key === 'string' ? encoder.encode(key) : key;

/** `undefined`: they are not UTF-8. */
export const toText = (bytes: Uint8Array): string | undefined => {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
};

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Less than 0: `a` comes first, by its UTF-8 bytes. (UTF-16 units put U+FFFF behind U+10000.) */
export const compareKeys = (a: string, b: string): number => compareBytes(toBytes(a), toBytes(b));
