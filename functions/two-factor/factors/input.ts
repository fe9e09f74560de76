/** What callers may ask of the factors. */
import type { Settings } from '../../../shared/config';
import { compile } from '../../../shared/schema';

export interface EnrolInput {
  readonly user: string;
  /** How the authenticator names the person. @default the user */
  readonly account?: string;
  /** How it names us. @default TWO_FACTOR_ISSUER */
  readonly issuer?: string;
}

export interface ConfirmInput {
  readonly user: string;
  readonly code: string;
}

export interface RecoveryInput {
  readonly user: string;
}

/** A colon would end the name, and controls name nobody. */
const NAME = '^[^:\\p{Cc}]+$';

const user = { type: 'string', minLength: 1, maxLength: 200 };

const object = (required: readonly string[], properties: object) => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});

export const checkEnrol = compile(
  object(['user'], {
    user,
    account: { type: 'string', maxLength: 254, pattern: NAME },
    issuer: { type: 'string', maxLength: 64, pattern: NAME },
  }),
);

/** A malformed code is a mistake of the caller's, not a guess: it costs no try. */
export const checkConfirm = compile(
  object(['user', 'code'], { user, code: { type: 'string', pattern: '^[0-9]{6}$' } }),
);

export const checkRecovery = compile(object(['user'], { user }));

export const FACTOR_SETTINGS = {
  TWO_FACTOR_ISSUER: {
    type: 'string',
    pattern: '^[^:\\p{Cc}]{1,64}$',
    description: 'How authenticator apps name this service; unset: the host of PUBLIC_URL.',
    example: 'Example Bank',
  },
} as const satisfies Settings;
