/** How a schema is read, and what it becomes. */

/** `own`: strictly; `foreign`: written by others, with more leave. */
export type Kind = 'own' | 'foreign';

/** A mistake as Ajv tells it. */
export interface RawError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string | undefined;
}

/** The function that a schema becomes; after a `false`, `errors` says why. */
export interface Validate {
  (value: unknown): unknown;
  errors?: readonly RawError[] | null;
}
