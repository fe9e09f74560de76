/** Looks for secrets in what somebody could get to see: as they are, and as programs like to write them. */
import { createHash } from 'node:crypto';

export interface Canary {
  /** What it is, such as `code`. */
  readonly kind: string;
  readonly value: string;
}

/** Where something was said. */
export interface Place {
  readonly name: string;
  readonly bytes: Buffer;
  /** Kinds that belong there. @default none */
  readonly may?: readonly string[];
}

/** One line for each secret in each place where it must not be; without the secret. */
export const scan = (canaries: readonly Canary[], places: readonly Place[]): readonly string[] => {
  // A byte is a character, so that binary files can be searched.
  const texts = places.map(({ bytes }) => bytes.toString('latin1'));
  return canaries.flatMap(({ kind, value }) =>
    formsOf(value).flatMap(({ form, isIn }) =>
      places.flatMap(({ name, may = [] }, at) => {
        const where = may.includes(kind) ? -1 : isIn(texts[at] as string);
        if (where < 0) return [];
        const before = (texts[at] as string).slice(Math.max(0, where - 60), where);
        return [`${kind} (${form}) in ${name} behind ${JSON.stringify(before)}`];
      }),
    ),
  );
};

interface Form {
  readonly form: string;
  /** Where it is; -1: it is not. */
  isIn(text: string): number;
}

/** As many characters or fewer come together by chance, in hashes and sealed texts. */
const SHORT = 8;

/** A short one begins where no word goes on; an escape, as in URLs and in JSON, is no word. */
const BEFORE = String.raw`(?:(?<![A-Za-z0-9])|(?<=%[\dA-Fa-f]{2})|(?<=\\[bfnrt])|(?<=\\u[\dA-Fa-f]{4}))`;

const formsOf = (value: string): readonly Form[] => {
  const bytes = Buffer.from(value);
  const forms = new Map<string, string>();
  const add = (form: string, text: string): void => {
    if (text.length > SHORT && ![...forms.values()].includes(text)) forms.set(form, text);
  };
  // Without its plus a number is the same number.
  const plain = value.replace(/^\+/, '');
  add('as it is', Buffer.from(plain).toString('latin1'));
  add('in lower case', plain.toLowerCase());
  add('in upper case', plain.toUpperCase());
  add('percent-encoded', encodeURIComponent(plain));
  add('in JSON', JSON.stringify(plain).slice(1, -1));
  add('hex', bytes.toString('hex'));
  for (const shift of [0, 1, 2])
    for (const encoding of ['base64', 'base64url'] as const)
      add(`${encoding}, ${shift}`, inside(bytes, shift, encoding));
  for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512'])
    for (const encoding of ['hex', 'base64', 'base64url'] as const)
      add(`${algorithm}, ${encoding}`, createHash(algorithm).update(value).digest(encoding));
  const long = [...forms].map(([form, text]): Form => ({ form, isIn: (all) => all.indexOf(text) }));
  if (plain.length > SHORT) return long;
  const word = new RegExp(`${BEFORE}${plain}(?![A-Za-z0-9])`);
  return [{ form: 'as it is', isIn: (all) => all.search(word) }, ...long];
};

/** The characters that stand for these bytes wherever they begin, such as behind `user:`. */
const inside = (bytes: Buffer, shift: number, encoding: 'base64' | 'base64url'): string => {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString(encoding)
    .replace(/=+$/, '');
  const from = Math.ceil((shift * 8) / 6);
  const to = Math.floor(((shift + bytes.length) * 8) / 6);
  return text.slice(from, to);
};
