/** Texts as the peers compare them: by their bytes in UTF-8, which is not how JavaScript compares beyond U+FFFF. */

const encoder = new TextEncoder();

export const bytesOf = (text: string): Uint8Array => encoder.encode(text);

/** Below 0: `a` comes first. What the other begins with comes before it. */
export const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at < 0 ? a.length - b.length : (a[at] as number) - (b[at] ?? -1);
};

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
  buffer.set(bytesOf(separator), name.length);
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
