/**
 * Phone numbers as one spelling each: E.164. The only file that knows libphonenumber-js.
 *
 * Uses the full metadata (`/max`): the small one takes numbers for valid that are given to nobody. Fails closed: what
 * is not plainly a mobile number that can take an SMS is no number here.
 */
import {
  isSupportedCountry,
  type NumberType,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max';

export interface PhoneOptions {
  /** ISO 3166-1 alpha-2 codes in upper case; numbers of other countries are refused. @default every country */
  readonly allowedCountries?: readonly string[] | undefined;
}

/** The longest spelling that is looked at, in characters: parsers are slow on long nonsense. */
const MAX_LENGTH = 32;

/** Digits and the punctuation people put between them. No `;ext=`, no letters, no digits of other scripts. */
const SPELLING = /^\+[\d\-(). ]+$/;

/**
 * What takes an SMS. In North America the number does not tell mobile from fixed. A landline cannot read, a pager or
 * voicemail is nobody's second factor, and premium, shared-cost, toll-free and personal numbers are how fraud is paid.
 */
const TEXTABLE: ReadonlySet<NumberType> = new Set<NumberType>(['MOBILE', 'FIXED_LINE_OR_MOBILE']);

/**
 * The number in E.164, such as `+12025550123`; `undefined` when it is not a mobile number in international form or
 * belongs to no allowed country. Numbers of no country (satellites, international networks) are always refused.
 */
export const canonicalPhone = (
  text: string,
  { allowedCountries }: PhoneOptions = {},
): string | undefined => {
  if (text.length > MAX_LENGTH || !SPELLING.test(text)) return undefined;
  const phone = parsePhoneNumberFromString(text, { extract: false });
  // A number that is not valid has no type.
  if (!phone?.country || !TEXTABLE.has(phone.getType())) return undefined;
  return !allowedCountries || allowedCountries.includes(phone.country) ? phone.number : undefined;
};

/** Whether numbers of this country (ISO 3166-1 alpha-2, upper case) are known. */
export const isPhoneCountry = (code: string): boolean => isSupportedCountry(code);
