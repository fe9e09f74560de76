/** Keys and names as bytes: peers compare them so, which is not how JavaScript compares texts beyond U+FFFF. */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Of a text, its UTF-8. */
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

/** Below 0: `a` comes first. What the other begins with comes before it. */
export const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at < 0 ? a.length - b.length : (a[at] as number) - (b[at] ?? -1);
};

/** Less than 0: `a` comes first, by its UTF-8 bytes. (UTF-16 units put U+FFFF behind U+10000.) */
export const compareKeys = (a: string, b: string): number => compareBytes(toBytes(a), toBytes(b));

const ZERO = 48;

/**
 * Names with numbers behind them, in decimal digits. The same buffer each time, so that rings of many points do not
 * allocate for each: what is given holds until the next one is asked for.
 */
export const numberedBytes = (
  name: Uint8Array,
  separator: string,
): ((number: number) => Uint8Array) => {
  const head = name.length + separator.length;
  const buffer = new Uint8Array(head + 10);
  buffer.set(name);
  buffer.set(toBytes(separator), name.length);
  let view = buffer.subarray(0, head);
  return (number) => {
    let end = head + 1;
    for (let rest = number; rest > 9; rest = Math.floor(rest / 10)) end++;
    if (view.length !== end) view = buffer.subarray(0, end);
    for (let at = end - 1, rest = number; at >= head; at--, rest = Math.floor(rest / 10))
      buffer[at] = ZERO + (rest % 10);
    return view;
  };
};
