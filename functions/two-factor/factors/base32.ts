/**
 * Base32 (RFC 4648 section 6), in which authenticators are told their secrets. Strict on its way in: one text for one
 * list of bytes, nothing skipped, nothing guessed.
 */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Without padding, as authenticators take it. */
export const encodeBase32 = (bytes: Uint8Array): string => {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(held >>> (bits - 5)) & 31];
    held &= 31;
  }
  return bits === 0 ? text : text + ALPHABET[(held << (5 - bits)) & 31];
};

/**
 * In upper case, padded to a multiple of eight or not at all; `undefined` for anything else, which bits left over that
 * are not zero belong to.
 */
export const decodeBase32 = (text: string): Uint8Array | undefined => {
  const [, digits = '', padding = ''] = /^([A-Z2-7]*)(=*)$/.exec(text) ?? [];
  if (text.length !== digits.length + padding.length) return undefined;
  if (padding !== '' && padding.length !== (8 - (digits.length % 8)) % 8) return undefined;
  const bytes = new Uint8Array(Math.floor((digits.length * 5) / 8));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const digit of digits) {
    held = (held << 5) | ALPHABET.indexOf(digit);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = held >>> bits;
    held &= (1 << bits) - 1;
  }
  // Five bits or more that make no byte: a digit too many, as no encoder writes it.
  return bits >= 5 || held !== 0 ? undefined : bytes;
};
