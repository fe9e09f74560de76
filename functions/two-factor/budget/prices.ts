/**
 * Money and tables of it, read exactly: a price is a whole number of millionths of the currency unit, so that sums are
 * right to the cent and to the tenth of it. Which currency is for the operator to know. Pure.
 */

/** Of the currency unit. */
export const MILLIONTHS = 1_000_000;

/** By country (ISO 3166-1 alpha-2), with `*` for all others. */
export type Table = ReadonlyMap<string, number>;

/** What one message costs, in millionths. */
export type Prices = Table;

export const EVERY_OTHER = '*';

/** What the table says of a country. It has a line for all others, or is not read. */
export const lookUp = (table: Table, country: string): number =>
  table.get(country) ?? (table.get(EVERY_OTHER) as number);

/** `0.0079` is 7900; `undefined` when it is no amount: digits, at most nine before the point and six behind it. */
export const parseMoney = (text: string): number | undefined => {
  const [, units, parts = ''] = /^(\d{1,9})(?:\.(\d{1,6}))?$/.exec(text) ?? [];
  return units === undefined
    ? undefined
    : Number(units) * MILLIONTHS + Number(parts.padEnd(6, '0'));
};

/** `500` is 500. */
export const parseCount = (text: string): number | undefined =>
  /^\d{1,9}$/.test(text) ? Number(text) : undefined;

export interface TableOptions {
  readonly parse: (text: string) => number | undefined;
  readonly isCountry: (code: string) => boolean;
  /** What a value looks like, for whoever reads a mistake. */
  readonly example: string;
}

export interface TableReading {
  readonly table: Table;
  readonly mistakes: readonly string[];
}

/** Of `US=0.0079`, `*=0.20` and the like: every mistake is told. */
export const readTable = (
  lines: readonly string[],
  { parse, isCountry, example }: TableOptions,
): TableReading => {
  const table = new Map<string, number>();
  const mistakes: string[] = [];
  for (const line of lines) {
    const [, country = '', text = ''] = /^([^=\s]*)\s*=\s*(.*)$/.exec(line) ?? [];
    const value = parse(text);
    if (country !== EVERY_OTHER && !isCountry(country))
      mistakes.push(
        `${JSON.stringify(line)} does not begin with a country such as US, or *, and =`,
      );
    else if (value === undefined) mistakes.push(`${JSON.stringify(line)} must end like ${example}`);
    else if (table.has(country)) mistakes.push(`${JSON.stringify(country)} stands there twice`);
    else table.set(country, value);
  }
  if (!table.has(EVERY_OTHER))
    mistakes.push('must have a line for all other countries, such as *=…');
  return { table, mistakes };
};
