/** Text for people: what comes from a file or a server never gets hold of their terminal. */
import type { FullIo, Terminal } from './io';

/** One line, whatever it held: control characters and line breaks become spaces. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');

/** JSON with nothing in it that a terminal would act on; it stays the same JSON. */
export const showJson = (value: unknown, indent = 0): string =>
  typeof value === 'string' && PLAIN.test(value) ? `"${value}"` : escaped(value, indent);

/** Is its own JSON, between quotes. */
const PLAIN = /^[ !#-[\]-~]*$/;

const escaped = (value: unknown, indent: number): string =>
  JSON.stringify(value, null, indent).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** Columns as wide as their widest cell, two spaces between; a line each, with its line break. */
export const table = (rows: readonly (readonly string[])[]): string => {
  const clean = rows.map((row) => row.map(oneLine));
  const widths = clean.reduce<number[]>(
    (found, row) => row.map((cell, i) => Math.max(cell.length, found[i] ?? 0)),
    [],
  );
  return clean
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
};

export type Colour = 'red' | 'green' | 'yellow' | 'dim';
export type Paint = (colour: Colour | undefined, text: string) => string;

const CODES: Readonly<Record<Colour, string>> = { red: '31', green: '32', yellow: '33', dim: '2' };

/** Colours on a terminal that can, unless NO_COLOR is set to anything (no-color.org). */
export const painter = (
  terminal: Terminal | undefined,
  { environment }: Pick<FullIo, 'environment'>,
): Paint =>
  terminal && !environment.NO_COLOR && environment.TERM !== 'dumb'
    ? (colour, text) => (colour ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text)
    : (_, text) => text;

/** `1 run`, `2 runs`. */
export const count = (many: number, what: string): string =>
  `${many} ${what}${many === 1 ? '' : 's'}`;
