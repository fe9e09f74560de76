/** Keys as they come: numbered, random, tagged, beyond ASCII, long, with marks of URLs. */
import { randomOf } from '../../support/random';

const COUNT = 1000;
const NAMES = ['žluťoučký', '数据库', 'émile', 'Ægir', 'ключ', '🐎🐎', 'ß', '\u00a0\u00ff'];

/** Fit for a header: no line ends, no commas, no space at an end. */
export const KEYS: readonly string[] = ((): string[] => {
  const random = randomOf(20);
  const number = (below: number) => Math.floor(random() * below);
  const hex = (length: number) => Array.from({ length }, () => number(16).toString(16)).join('');
  const kinds: readonly (() => string)[] = [
    () => `user:${number(1e6)}`,
    () => hex(32),
    () => `{order:${number(5000)}}:line:${number(50)}`,
    () => `a{}b{${hex(4)}}`,
    () => `/p/${hex(6)}?q=%2F&x=${number(9)};#{[(~`,
    () => `${NAMES[number(NAMES.length)]}-${number(1e5)}-${NAMES[number(NAMES.length)]}`,
    () => hex(1 + number(13)),
    () => `${number(1e9)}`,
    () => (random() < 0.5 ? hex(200 + number(400)) : `session ${hex(3)} with spaces`),
    () => `$${hex(5)}$${number(100)}`,
  ];
  const keys = new Set<string>();
  for (let at = 0; keys.size < COUNT; at++) keys.add((kinds[at % kinds.length] as () => string)());
  return [...keys];
})();

const encoder = new TextEncoder();

export const bytesOf = (key: string): Uint8Array => encoder.encode(key);
