/**
 * Plain data as YAML 1.2, written so that YAML 1.1 reads it as the same: what is not surely a text is quoted.
 * Reading YAML is another file's; this writes the few forms that an export needs.
 */

export type Plain =
  | string
  | number
  | boolean
  | null
  | readonly Plain[]
  | { readonly [name: string]: Plain };

/** Ends with a line break. Members that are `undefined` must not be there. */
export const toYaml = (value: Plain): string => `${block(value, '').trimStart()}\n`;

const block = (value: Plain, indent: string): string => {
  if (typeof value !== 'object' || value === null) return ` ${scalar(value)}`;
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []';
    return (value as readonly Plain[])
      .map((item) => `\n${indent}-${inItem(item, `${indent}  `)}`)
      .join('');
  }
  const members = Object.entries(value);
  if (members.length === 0) return ' {}';
  return members
    .map(
      ([name, inner]) =>
        `\n${indent}${scalar(name)}:${block(inner, isList(inner) ? indent : `${indent}  `)}`,
    )
    .join('');
};

/** A list stands below its name, not further in. */
const isList = (value: Plain): boolean => Array.isArray(value);

/** The first member stands beside the dash. */
const inItem = (value: Plain, indent: string): string => block(value, indent).replace(/^\n */, ' ');

const scalar = (value: string | number | boolean | null): string =>
  typeof value === 'string' ? quoteText(value) : JSON.stringify(value);

/** Nothing that begins so is a number, a date, a mark of YAML, or ends in a colon or comment. */
const SURE = /^[A-Za-z][\w./-]*(?: [\w./(),-]+)*$/;
/** In the older reading an exponent alone is a number. */
const WORDS = /^(?:true|false|yes|no|on|off|y|n|null|e-?\d+)$/i;
// Beside controls: what YAML takes for a line break, a byte order mark, and halves of pairs.
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\ufeff\ufffe\uffff]/u;

const quoteText = (text: string): string => {
  if (SURE.test(text) && !WORDS.test(text)) return text;
  if (!UNPRINTABLE.test(text)) return `'${text.replaceAll("'", "''")}'`;
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
};
