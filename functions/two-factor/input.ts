/** What callers may ask, checked and brought to one spelling. */
import { Failure } from '../../shared/failure';
import { canonicalAddress } from '../../shared/mail-address';
import { canonicalPhone } from '../../shared/phone';
import { type Check, compile } from '../../shared/schema';
import type { Channel } from './challenge';
import { readCode } from './code';

export interface IssueInput {
  readonly user: string;
  /** Neither this nor `email`: to what the user has enrolled. */
  readonly phoneNumber?: string;
  readonly email?: string;
  /** @default 'login' */
  readonly purpose?: string;
  /** Language tag. @default English */
  readonly locale?: string;
  /** @default by the destination; `auto` without one */
  readonly channel?: Channel | 'auto';
}

export interface VerifyInput {
  readonly challenge: string;
  readonly code: string;
  /** For whom it was issued; another user fails. @default not compared */
  readonly user?: string;
  /** For what it was issued; another purpose fails. @default not compared */
  readonly purpose?: string;
}

export interface ResendInput {
  readonly challenge: string;
  /** Another channel, to what the user has enrolled there. @default the same destination again */
  readonly channel?: 'sms' | 'mail';
}

export interface TokenInput {
  readonly token: string;
  /** For whom it must be. @default not compared */
  readonly user?: string;
  /** For what it must be. @default not compared */
  readonly purpose?: string;
}

/** What is asked for, in the one spelling that limits and digests go by. */
export interface Wish {
  readonly user: string;
  readonly purpose: string;
  readonly channel: Channel | 'auto';
  /** E.164 or the canonical mail address; `undefined`: what is enrolled. */
  readonly to: string | undefined;
  readonly locale: string | undefined;
}

const user = { type: 'string', minLength: 1, maxLength: 200 };
/** A name that is stored as it is, so never as many digits in a row as a code or a number has. */
const purpose = { type: 'string', pattern: '^(?!.*\\d{6})[a-z0-9][a-z0-9_.-]{0,63}$' };
const challenge = { type: 'string', pattern: '^[A-Za-z0-9_-]{22}$' };

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
    channel: { type: 'string', enum: ['auto', 'sms', 'mail', 'totp', 'recovery'] },
  },
});

export const checkIssue: Check = (value) => {
  const errors = checkFields(value);
  if (errors.length > 0) return errors;
  const { phoneNumber, email, channel } = value as IssueInput;
  if (phoneNumber !== undefined && email !== undefined)
    return [{ pointer: '', message: 'must not have both phoneNumber and email' }];
  const implied = phoneNumber !== undefined ? 'sms' : email !== undefined ? 'mail' : channel;
  return channel !== undefined && channel !== 'auto' && channel !== implied
    ? [{ pointer: '/channel', message: `must be ${implied} for this destination` }]
    : [];
};

/** A malformed code is a mistake of the caller's, not a guess: it costs no attempt. */
export const checkVerify: Check = (value) => {
  const errors = checkVerifyFields(value);
  return errors.length > 0 || isCode((value as VerifyInput).code)
    ? errors
    : [{ pointer: '/code', message: 'must be six digits, or ten letters and digits to recover' }];
};

const checkVerifyFields = compile({
  type: 'object',
  additionalProperties: false,
  required: ['challenge', 'code'],
  properties: { challenge, code: { type: 'string', maxLength: 32 }, user, purpose },
});

/** Letters that people take for digits are the recovery codes' own business. */
const RECOVERY = /^\s*(?:[A-Za-z0-9][\s-]?){10}\s*$/;

const isCode = (code: string): boolean => readCode(code) !== undefined || RECOVERY.test(code);

export const checkResend: Check = compile({
  type: 'object',
  additionalProperties: false,
  required: ['challenge'],
  properties: { challenge, channel: { type: 'string', enum: ['sms', 'mail'] } },
});

export const checkToken: Check = compile({
  type: 'object',
  additionalProperties: false,
  required: ['token'],
  properties: { token: { type: 'string', minLength: 1, maxLength: 2048 }, user, purpose },
});

/** Throws `invalid_input` for what is not one mail address, cannot take an SMS, or is of no allowed country. */
export const wishOf = (
  { user, phoneNumber, email, purpose = 'login', locale, channel = 'auto' }: IssueInput,
  allowedCountries: readonly string[] | undefined,
): Wish => {
  const common = { user, purpose, locale };
  if (phoneNumber !== undefined) {
    const to =
      canonicalPhone(phoneNumber, { allowedCountries }) ??
      refuse('/phoneNumber', 'must be a mobile number such as +12025550123, of a country served');
    return { ...common, channel: 'sms', to };
  }
  if (email !== undefined) {
    const to = canonicalAddress(email) ?? refuse('/email', 'must be one mail address');
    return { ...common, channel: 'mail', to };
  }
  return { ...common, channel, to: undefined };
};

const refuse = (pointer: string, message: string): never => {
  throw new Failure('invalid_input', { errors: [{ pointer, message }] });
};
