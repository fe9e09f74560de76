/** Bytes and texts by what the web has. */

const encoder = new TextEncoder();

export const byteLength = (whole: string | Uint8Array): number =>
  typeof whole === 'string' ? encoder.encode(whole).length : whole.length;

export const concat = (
  parts: readonly Uint8Array[],
  size = parts.reduce((sum, { length }) => sum + length, 0),
): Uint8Array => {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

export const toBase64 = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));

export const toBase64url = (bytes: Uint8Array): string =>
  toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');

export const fromBase64 = (text: string): Uint8Array => {
  const digits = text
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .replace(/=.*|[^A-Za-z\d+/]/gs, '');
  // One digit alone is no byte.
  const whole = digits.length % 4 === 1 ? digits.slice(0, -1) : digits;
  return Uint8Array.from(atob(whole), (one) => one.charCodeAt(0));
};
