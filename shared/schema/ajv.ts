/** How Ajv is set up; the only file that knows it. Loaded when a schema must be compiled that the build has not seen. */
import Ajv, { type Options } from 'ajv';
import { formats } from './formats';
import type { Kind } from './kind';

const OPTIONS: Readonly<Record<Kind, Options>> = {
  own: {},
  foreign: { strictTypes: false, strictRequired: false, strictTuples: false },
};

/** `code` is for the build, which turns schemas into source text. */
export const createAjv = (kind: Kind, code: Options['code'] = {}): Ajv => {
  // ownProperties: `required: ['toString']` must not be satisfied by what every object inherits.
  const ajv = new Ajv({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    ownProperties: true,
    code,
    ...OPTIONS[kind],
  });
  for (const keyword of ['example', 'secret', 'requiredIn', 'x-generate']) ajv.addKeyword(keyword);
  for (const [name, format] of Object.entries(formats)) ajv.addFormat(name, format);
  return ajv;
};
