/** How wide a text will be, near enough to give it a box: fonts differ, so a little more than most of them take. */

/** Widths of a sans-serif letter in parts of its size. */
const NARROW = /[ijl.,:;'|!]/;
const SLIM = /[ftrI()[\]{}\-/ ·]/;
const WIDE = /[mwMW@%…—]/;
const CAPITAL = /[A-Z&]/;

const widthOf = (letter: string): number => {
  if (NARROW.test(letter)) return 0.3;
  if (SLIM.test(letter)) return 0.41;
  if (WIDE.test(letter)) return 0.95;
  if (CAPITAL.test(letter)) return 0.73;
  // East Asian letters and pictures fill a square.
  return (letter.codePointAt(0) as number) > 0x2000 ? 1.1 : 0.61;
};

export interface Font {
  /** px */
  readonly size: number;
  /** @default false */
  readonly bold?: boolean;
}

/** What bold letters are wider. */
const BOLD = 1.12;

/** px */
export const measure = (text: string, { size, bold = false }: Font): number =>
  [...text].reduce((sum, letter) => sum + widthOf(letter), 0) * size * (bold ? BOLD : 1);

/** As much of it as fits into the width, with an ellipsis where it was cut. */
export const cut = (text: string, width: number, font: Font): string => {
  if (measure(text, font) <= width) return text;
  const letters = [...text];
  while (letters.length > 0 && measure(`${letters.join('')}…`, font) > width) letters.pop();
  return `${letters.join('').trimEnd()}…`;
};

/** Parts side by side, parted by a dot, in as many rows as they need. */
export const flow = (parts: readonly string[], width: number, font: Font): readonly string[] => {
  const rows: string[] = [];
  for (const part of parts) {
    const longer = `${rows.at(-1)} · ${part}`;
    if (rows.length > 0 && measure(longer, font) <= width) rows[rows.length - 1] = longer;
    else rows.push(cut(part, width, font));
  }
  return rows;
};
