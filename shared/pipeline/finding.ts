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
export const quote = (name: string): string => JSON.stringify(name);

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
