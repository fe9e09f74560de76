/** A mistake in a document, before its place in the text is looked up. */

export interface Finding {
  /** JSON Pointer to what is wrong. */
  readonly pointer: string;
  /** Whether its name or its value is wrong. @default 'value' */
  readonly part?: 'name' | 'value';
  /** snake_case, stable */
  readonly code: string;
  readonly message: string;
  /** @default 'error' */
  readonly severity?: 'error' | 'warning';
}

/** A name from a file, for a message: quoted, so that nothing in it can pass for our words or break the line. */
export const quote = (name: string): string => harmless(JSON.stringify(name));

/** What JSON leaves as it is and a terminal acts on: controls, line separators, marks that turn the writing around. */
export const harmless = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
