/** What callers may ask, checked and brought to one spelling. */
import { Failure } from '../../shared/failure';
import { canonicalAddress } from '../../shared/mail-address';
import { canonicalPhone } from '../../shared/phone';
import { type Check, compile } from '../../shared/schema';
import { CODE_PATTERN } from './code';

export type Channel = 'sms' | 'mail';

export interface IssueInput {
  readonly user: string;
  readonly phoneNumber?: string;
  readonly email?: string;
  /** @default 'login' */
  readonly purpose?: string;
  /** @default English */
  readonly locale?: string;
}

export interface VerifyInput {
  readonly challenge: string;
  readonly code: string;
  /** For whom it was issued; another user fails. @default not compared */
  readonly user?: string;
  /** For what it was issued; another purpose fails. @default not compared */
  readonly purpose?: string;
}

/** To whom a code goes, in the one spelling that limits and digests go by. */
export interface Wish {
  readonly user: string;
  readonly purpose: string;
  readonly channel: Channel;
  /** E.164 or the canonical mail address. */
  readonly to: string;
  readonly locale: string | undefined;
}

const user = { type: 'string', minLength: 1, maxLength: 200 };
const purpose = { type: 'string', pattern: '^[a-z0-9][a-z0-9_.-]{0,63}$' };

const checkFields = compile({
  type: 'object',
  additionalProperties: false,
  required: ['user'],
  properties: {
    user,
    purpose,
    phoneNumber: { type: 'string', maxLength: 32 },
    email: { type: 'string', maxLength: 254 },
    locale: { type: 'string', maxLength: 35, pattern: '^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$' },
  },
});

export const checkIssue: Check = (value) => {
  const errors = checkFields(value);
  if (errors.length > 0) return errors;
  const { phoneNumber, email } = value as IssueInput;
  return (phoneNumber === undefined) === (email === undefined)
    ? [{ pointer: '', message: 'must have either phoneNumber or email' }]
    : [];
};

/** A malformed code is a mistake of the caller's, not a guess: it costs no attempt. */
export const checkVerify: Check = compile({
  type: 'object',
  additionalProperties: false,
  required: ['challenge', 'code'],
  properties: {
    challenge: { type: 'string', pattern: '^[A-Za-z0-9_-]{22}$' },
    code: { type: 'string', pattern: CODE_PATTERN },
    user,
    purpose,
  },
});

/** Throws `invalid_input` for what is not one mail address, cannot take an SMS, or is of no allowed country. */
export const wishOf = (
  { user, phoneNumber, email, purpose = 'login', locale }: IssueInput,
  allowedCountries: readonly string[] | undefined,
): Wish => {
  if (phoneNumber === undefined) {
    const to = canonicalAddress(email) ?? refuse('/email', 'must be one mail address');
    return { user, purpose, channel: 'mail', to, locale };
  }
  const to =
    canonicalPhone(phoneNumber, { allowedCountries }) ??
    refuse('/phoneNumber', 'must be a mobile number such as +12025550123, of a country served');
  return { user, purpose, channel: 'sms', to, locale };
};

const refuse = (pointer: string, message: string): never => {
  throw new Failure('invalid_input', { errors: [{ pointer, message }] });
};
