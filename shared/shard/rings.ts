/** Two tables as two rings, one in the other: who has which part of the hashes, before and after. An SVG that stands alone. */
import { escapeHtml } from '../html';
import type { Diff } from './diff';
import type { ShardTable } from './table';

/** How finely it is drawn; more than the eye tells apart makes a file of megabytes. */
export const STEPS = 720;

const SIZE = 640;
const CENTRE = SIZE / 2;
const RINGS = {
  a: { inner: 150, outer: 200, label: 'before' },
  b: { inner: 230, outer: 280, label: 'after' },
} as const;
/** Between the rings: where a key changes hands. */
const BETWEEN = { inner: 206, outer: 224 } as const;
const ROW = 22;

/** `keys` stand for all keys: each takes an arc of one step, in the order of their hashes. */
export const drawRings = (
  a: ShardTable,
  b: ShardTable,
  { diff, keys }: { readonly diff: Diff; readonly keys: readonly string[] },
): string => {
  const steps = inHashOrder(a, keys.slice(0, STEPS));
  const sides = {
    a: steps.map((key) => a.place(key)?.name),
    b: steps.map((key) => b.place(key)?.name),
  };
  const names = [...new Set([...a.shards, ...b.shards].map(({ name }) => name))];
  const colour = colours(names);
  const moved = steps.map((_, i) => (sides.a[i] === sides.b[i] ? 'stays' : 'moved'));
  const height = Math.max(SIZE, 80 + names.length * ROW);
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${SIZE + 360}" height="${height}" viewBox="0 0 ${SIZE + 360} ${height}" font-family="system-ui, sans-serif" font-size="13">
<title>${escapeXml(`${diff.moved} of ${diff.keys} keys move`)}</title>
<desc>${escapeXml(`Inner ring: ${a.mode}, ${a.digest}. Outer ring: ${b.mode}, ${b.digest}. Between them, dark: keys that move. Each ring is ${steps.length} keys in the order of their hashes by ${a.mode}.`)}</desc>
<rect width="100%" height="100%" fill="#fff"/>
${(['a', 'b'] as const).map((side) => ring(sides[side], RINGS[side], colour)).join('')}${ring(
  moved.map((one) => (one === 'moved' ? one : undefined)),
  BETWEEN,
  () => '#222',
  'none',
)}${middle(diff)}${legend(names, diff, colour)}</svg>
`;
};

/** One of a member that is 64 bits is no number that a double holds. */
const inHashOrder = (table: ShardTable, keys: readonly string[]): readonly string[] =>
  keys
    .map((key) => ({ key, hash: numberOf(table.explain(key).hash) }))
    .sort((x, y) => (x.hash === y.hash ? (x.key < y.key ? -1 : 1) : x.hash < y.hash ? -1 : 1))
    .map(({ key }) => key);

/** A mode that hashes nothing leaves the order to the keys. */
const numberOf = (hash: string): bigint => (/^(?:0x[\da-f]+|\d+)$/i.test(hash) ? BigInt(hash) : 0n);

/** Neighbours of the same owner are one arc. */
const ring = (
  owners: readonly (string | undefined)[],
  band: { readonly inner: number; readonly outer: number; readonly label?: string },
  colour: (name: string) => string,
  nobody = '#e5e5e5',
): string => {
  const arcs: string[] = [];
  for (let start = 0; start < owners.length; ) {
    let end = start + 1;
    while (end < owners.length && owners[end] === owners[start]) end += 1;
    const name = owners[start];
    const fill = name === undefined ? nobody : colour(name);
    if (fill !== 'none')
      arcs.push(
        `<path d="${arc(start / owners.length, end / owners.length, band)}" fill="${fill}"><title>${escapeXml(name ?? 'no shard')}</title></path>`,
      );
    start = end;
  }
  return `<g${band.label ? ` data-ring="${band.label}"` : ' data-ring="moved"'}>${arcs.join('')}</g>\n`;
};

/** From and to as parts of the circle, from the top. A whole one is drawn as two halves: its ends would coincide. */
const arc = (
  from: number,
  to: number,
  band: { readonly inner: number; readonly outer: number },
): string => {
  if (to - from > 0.5) {
    const middle = (from + to) / 2;
    return `${arc(from, middle, band)}${arc(middle, to, band)}`;
  }
  const { inner, outer } = band;
  return `M${at(from, outer)}A${outer} ${outer} 0 0 1 ${at(to, outer)}L${at(to, inner)}A${inner} ${inner} 0 0 0 ${at(from, inner)}Z`;
};

const at = (part: number, radius: number): string => {
  const angle = (part - 0.25) * 2 * Math.PI;
  return `${(CENTRE + radius * Math.cos(angle)).toFixed(2)} ${(CENTRE + radius * Math.sin(angle)).toFixed(2)}`;
};

/** Golden angle: neighbours in the list are far apart in colour, however many there are. */
const colours = (names: readonly string[]): ((name: string) => string) => {
  const places = new Map(names.map((name, i) => [name, i]));
  return (name) => {
    const i = places.get(name) ?? 0;
    return `hsl(${((i * 137.508) % 360).toFixed(1)} 65% ${i % 2 ? 45 : 58}%)`;
  };
};

const middle = ({ keys, moved, collateral, a, b }: Diff): string =>
  [
    `${percent(moved, keys)} move`,
    `${percent(collateral, keys)} collateral`,
    `max/ideal ${a.imbalance ?? '–'} → ${b.imbalance ?? '–'}`,
  ]
    .map(
      (text, i) =>
        `<text x="${CENTRE}" y="${CENTRE - 16 + i * ROW}" text-anchor="middle">${escapeXml(text)}</text>\n`,
    )
    .join('');

export const percent = (part: number, whole: number): string =>
  `${whole === 0 ? '0.00' : ((100 * part) / whole).toFixed(2)} %`;

const legend = (
  names: readonly string[],
  { keys, a, b }: Diff,
  colour: (name: string) => string,
): string => {
  const part = (side: Diff['a'], name: string): string => {
    const found = side.shards.find(({ shard }) => shard === name);
    return found ? percent(found.keys, keys) : '–';
  };
  return names
    .map((name, i) => {
      const y = 40 + i * ROW;
      return `<rect x="${SIZE}" y="${y - 12}" width="14" height="14" fill="${colour(name)}"/><text x="${SIZE + 22}" y="${y}">${escapeXml(`${shorten(name)}: ${part(a, name)} → ${part(b, name)}`)}</text>\n`;
    })
    .join('');
};

const shorten = (name: string): string => (name.length > 32 ? `${name.slice(0, 31)}…` : name);

const escapeXml = (text: string): string =>
  escapeHtml(text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd'));
