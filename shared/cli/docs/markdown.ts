/** The little Markdown that the generated pages are made of. */

/** A table; a cell may hold inline Markdown. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `|${cells.map(cell).join('|')}|`)
    .join('\n');

/** A pipe would end the cell, also inside of code. */
const cell = (text: string): string => (text === '' ? ' ' : ` ${text.replaceAll('|', '\\|')} `);

export const code = (text: string): string => `\`${text}\``;

/**
 * The text with something else between its two markers, `<!-- NAME: … -->` and `<!-- /NAME -->`. Throws when they are
 * not there: a page without them would go stale in silence.
 */
export const between = (text: string, name: string, content: string): string => {
  const parts = new RegExp(
    `^([\\s\\S]*<!-- ${name}: [^>]*-->\\n)[\\s\\S]*?(<!-- /${name} -->[\\s\\S]*)$`,
  );
  const [, before, after] = parts.exec(text) ?? [];
  if (before === undefined || after === undefined)
    throw new Error(`there are no markers <!-- ${name}: … --> and <!-- /${name} -->`);
  return `${before}\n${content}\n\n${after}`;
};
