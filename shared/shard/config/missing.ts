/** What becomes of a request that has no shard key: said in the settings, never left to chance. */
import type { InputError } from '../../failure';
import type { PlainSchema } from '../validate';
import { validate } from '../validate';

export type MissingPolicy =
  /** 400. */
  | 'reject'
  /** To any shard: such a request is nobody's. */
  | 'spread'
  /** To the shard of this name. */
  | { readonly fixed: string }
  /** As if this were its key. */
  | { readonly fallback: string };

const TEXT = { type: 'string', minLength: 1, maxLength: 1024 } as const;

const OBJECT = {
  type: 'object',
  additionalProperties: false,
  properties: { fixed: TEXT, fallback: TEXT },
} as const satisfies PlainSchema;

/** For editors. */
export const MISSING_SCHEMA = {
  description:
    'What becomes of a request without a key: reject (400), spread over all shards, to one fixed shard, or placed by a fallback key. Default: reject.',
  anyOf: [
    { type: 'string', enum: ['reject', 'spread'] },
    { ...OBJECT, minProperties: 1, maxProperties: 1 },
  ],
} as const;

export const checkMissing = (value: unknown, pointer: string): readonly InputError[] => {
  if (value === 'reject' || value === 'spread') return [];
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject) return [{ pointer, message: 'must be reject, spread, fixed or fallback' }];
  const wrong = validate(OBJECT, value).map((one) => ({
    pointer: pointer + one.pointer,
    message: one.message,
  }));
  if (wrong.length > 0) return wrong;
  return Object.keys(value).length === 1
    ? []
    : [{ pointer, message: 'must have either fixed or fallback' }];
};
