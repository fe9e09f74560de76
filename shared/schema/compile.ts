/** Compiles what the build has not seen, by Ajv. At the edge, where no text may become code, `compile.edge.ts` stands in. */
import type { Kind, Validate } from './kind';

type Ajv = ReturnType<typeof import('./ajv').createAjv>;
const instances = new Map<Kind, Ajv>();

/** Throws a TypeError for a bad schema. */
export const compileNow = (kind: Kind, schema: Readonly<Record<string, unknown>>): Validate => {
  let validate: ReturnType<Ajv['compile']>;
  try {
    validate = ajvFor(kind).compile(schema);
  } catch (thrown) {
    throw new TypeError(`not a schema: ${(thrown as Error).message}`, { cause: thrown });
  }
  // Such a schema answers with a promise, which would pass for a yes.
  if ('$async' in validate) throw new TypeError('not a schema: $async is not taken');
  return validate;
};

const ajvFor = (kind: Kind): Ajv => {
  // Ajv takes a third of a start to load, and a check cannot wait for an import().
  const { createAjv } = require('./ajv') as typeof import('./ajv');
  // Foreign schemas share no instance: two of them may have the same $id.
  if (kind === 'foreign') return createAjv(kind);
  const ajv = instances.get(kind) ?? createAjv(kind);
  instances.set(kind, ajv);
  return ajv;
};
