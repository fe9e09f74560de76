/**
 * The decorator pattern: a function in front of an API that fills in what a request leaves out.
 *
 * Fails closed: what is not valid JSON, does not match the schema, or cannot be checked never reaches the API.
 *
 * Generated values differ from try to try: where a client repeats a request under an Idempotency-Key, stack
 * `idempotent` outside of this decorator.
 */
import { inSetting } from '../../shared/config/in-setting';
import { defineFunction } from '../../shared/define';
import { echo } from '../../shared/echo';
import { proxyTo } from '../../shared/http/proxy';
import type { Schema } from '../../shared/schema';
import { addDefaults } from './add-defaults';
import { withSchema } from './load-schema';

export { type AddDefaultsOptions, addDefaults } from './add-defaults';

/** Stands in where no other is set, in development. */
const BUILT_IN: Schema = {
  type: 'object',
  properties: {
    name: { type: 'string', 'x-generate': 'name' },
    color: { type: 'string', default: 'blue' },
  },
};

export default defineFunction({
  name: 'add-defaults',
  kind: 'decorator',
  summary: 'Fills in what a JSON request leaves out, checks it, and passes it on to an API.',
  runsAt: ['node', 'edge'],
  callers: 'public',
  body: { mode: 'stream' },
  config: {
    ADD_DEFAULTS_TARGET: {
      type: 'string',
      format: 'uri',
      description: 'URL of the API behind; may have a path. In development an echo by default.',
      required: 'production',
      example: 'https://api.example.com/v1',
    },
    ADD_DEFAULTS_SCHEMA: {
      type: 'string',
      description:
        'JSON Schema (draft 7) of the bodies: a file, a URL, or the JSON itself; at the edge only the latter. Defaults come from `default` and `x-generate` (name, uuid, now). In development a small one by default.',
      required: 'production',
      example: './order.schema.json',
    },
    ADD_DEFAULTS_TIMEOUT: {
      type: 'string',
      format: 'duration',
      description: 'How long the API may take to begin its answer, and between two parts of it.',
      default: '10s',
    },
  },
  routes: {
    '* /*': {
      summary: 'Any request: JSON by POST or PUT is completed, all else passes untouched.',
      example: { body: { name: 'ada' } },
    },
  },
  calls: ({ ADD_DEFAULTS_TARGET }) => (ADD_DEFAULTS_TARGET ? [ADD_DEFAULTS_TARGET] : []),
  create: (
    { ADD_DEFAULTS_TARGET: target, ADD_DEFAULTS_SCHEMA: source, ADD_DEFAULTS_TIMEOUT: timeout },
    { clock, random, files },
  ) => {
    const decorator = (schema: Schema) => addDefaults({ schema, clock, random });
    const api = target
      ? inSetting('ADD_DEFAULTS_TARGET', () => proxyTo(target, { timeout }))
      : echo;
    const decorated = source
      ? inSetting('ADD_DEFAULTS_SCHEMA', () => withSchema(source, decorator, { files }))
      : decorator(BUILT_IN);
    return { '* /*': decorated(api) };
  },
});
