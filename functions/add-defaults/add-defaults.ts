/** The decorator: reads a JSON body, puts in what is missing, checks the whole, and hands it on. */
import type { Decorator } from '../../shared/handler';
import { readJsonText } from '../../shared/http/json';
import { withBody } from '../../shared/http/with-body';
import { parseChecked } from '../../shared/json';
import { assertValid, compileForeign, type Schema } from '../../shared/schema';
import { findMissing, insertInto } from './complete';
import { type GenerateOptions, generatorsFor } from './generate';
import { readShape } from './shape';

export interface AddDefaultsOptions extends GenerateOptions {
  /** JSON Schema (draft 7) of the body: gives the defaults, by `default` and `x-generate`, and checks the whole. */
  readonly schema: Schema;
}

/**
 * Completes JSON bodies of POST and PUT before the next handler sees them; every other request passes unread.
 *
 * What was sent stays to the letter; compressed bodies go on inflated. Rejects with `invalid_json`, `invalid_input`
 * (the whole does not match the schema), and what reading a body rejects with.
 * Throws a TypeError for a schema that cannot be used.
 */
export const addDefaults = ({ schema, ...made }: AddDefaultsOptions): Decorator => {
  const check = compileForeign(schema);
  const shape = readShape(schema);
  const complete = async (request: Request): Promise<Request> => {
    const text = await readJsonText(request);
    const missing = findMissing(text, shape, generatorsFor(made));
    const whole = insertInto(text, missing);
    assertValid(check, parseChecked(whole));
    return withBody(request, whole, { changed: missing.length > 0, json: true });
  };
  return (next) => (request, context) =>
    takesDefaults(request)
      ? complete(request).then((completed) => next(completed, context))
      : next(request, context);
};

/**
 * POST and PUT of anything that says it is JSON. A patch (PATCH, `merge-patch+json`, `json-patch+json`) tells what
 * to change: what it leaves out is not missing.
 *
 * A type that is JSON in one reading only, such as two types in one field, counts too, so that it is refused
 * when it is read instead of slipping by unchecked.
 */
export const takesDefaults = ({ method, headers }: Request): boolean => {
  if (method !== 'POST' && method !== 'PUT') return false;
  const type = headers.get('content-type') ?? '';
  if (type === 'application/json') return true;
  if (/^\s*application\/(?:merge-patch|json-patch)\+json\s*(?:;|$)/i.test(type)) return false;
  return /\bapplication\/(?:[\w.!#$&^-]+\+)?json(?![\w.!#$&^+-])/i.test(type);
};
