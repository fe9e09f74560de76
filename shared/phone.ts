/**
 * Phone numbers as one spelling each: E.164. The only file that knows libphonenumber-js.
 *
 * Uses the full metadata (`/max`): the small one takes numbers for valid that are given to nobody. Fails closed: what
 * is not plainly a mobile number that can take an SMS is no number here.
 */
import {
  isSupportedCountry,
  type NumberType,
  type PhoneNumber,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max';

export interface PhoneOptions {
  /**
   * ISO 3166-1 alpha-2 codes in upper case; numbers of other countries are refused. Countries that share a calling code
   * are countries each: `US` holds neither Jamaica nor the Dominican Republic. @default every country
   */
  readonly allowedCountries?: readonly string[] | undefined;
}

/** The longest spelling that is looked at, in characters: parsers are slow on long nonsense. */
const MAX_LENGTH = 32;

/**
 * Digits and the punctuation people put between them. No `tel:`, `;ext=` or `;phone-context=`, no letters, no
 * invisible characters, no digits or plus signs of other scripts: strangers use them to give one number two spellings.
 */
const SPELLING = /^\+[\d\-(). ]+$/;

/**
 * What takes an SMS. In North America the number does not tell mobile from fixed. A landline cannot read, a pager or
 * voicemail is nobody's second factor, and premium, shared-cost, toll-free and personal numbers are how fraud is paid.
 */
const TEXTABLE: ReadonlySet<NumberType> = new Set<NumberType>(['MOBILE', 'FIXED_LINE_OR_MOBILE']);

/** Satellite networks with ranges in a country's plan, where the library takes them for mobile ones: costly to text. */
const SATELLITES: readonly string[] = ['+62868', '+7954', '+861349', '+861740'];

/** Tristan da Cunha has landlines only, which the library takes for what may be either. */
const LANDLINES_ONLY = 'TA';

/**
 * The number in E.164, such as `+12025550123`; `undefined` when it is not a mobile number in international form or
 * belongs to no allowed country. Numbers of no country (satellites, international networks) are always refused.
 * Limits may count by it: all spellings of a number that are taken give the same, and that one gives itself.
 */
export const canonicalPhone = (
  text: unknown,
  { allowedCountries }: PhoneOptions = {},
): string | undefined => {
  const phone = parse(text);
  if (!phone) return undefined;
  return !allowedCountries || allowedCountries.includes(phone.country) ? phone.number : undefined;
};

/**
 * The country (ISO 3166-1 alpha-2, upper case) of a number as `canonicalPhone` gives it; `undefined` for everything
 * else, other spellings included.
 */
export const phoneCountry = (number: string): string | undefined => {
  const phone = parse(number);
  return phone?.number === number ? phone.country : undefined;
};

/** Whether numbers of this country (ISO 3166-1 alpha-2, upper case) are known. */
export const isPhoneCountry = (code: string): boolean => isSupportedCountry(code);

const parse = (text: unknown): (PhoneNumber & { country: string }) | undefined => {
  if (typeof text !== 'string' || text.length > MAX_LENGTH || !SPELLING.test(text))
    return undefined;
  const phone = parsePhoneNumberFromString(text, { extract: false });
  // A number that is not valid has no type.
  if (!phone || !TEXTABLE.has(phone.getType())) return undefined;
  if (!hasCountry(phone) || phone.country === LANDLINES_ONLY) return undefined;
  return SATELLITES.some((prefix) => phone.number.startsWith(prefix)) ? undefined : phone;
};

const hasCountry = (phone: PhoneNumber): phone is PhoneNumber & { country: string } =>
  phone.country !== undefined;
