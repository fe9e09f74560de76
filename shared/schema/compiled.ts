/**
 * Schemas that were compiled before the start, by kind and text. The build fills this with all that it can know:
 * inputs of functions, the pipelines at hand. Nothing depends on it but the time of a start: what is not
 * here is compiled by Ajv when it is first used.
 */
import type { Kind, Validate } from './kind';

export const compiled = new Map<string, () => Validate>();

/** The same schema, to the letter, read the same way: the same function. */
export const keyOf = (kind: Kind, schema: Readonly<Record<string, unknown>>): string =>
  `${kind} ${JSON.stringify(schema)}`;
