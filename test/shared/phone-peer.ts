/** What Google's library says of phone numbers: it has a parser, rules and data of its own. */
import { providePeers } from '../support/peers';
import { randomOf } from '../support/random';

interface Parsed {
  getCountryCode(): number;
}

interface Util {
  parse(text: string): Parsed;
  isValidNumber(number: Parsed): boolean;
  getNumberType(number: Parsed): number;
  getRegionCodeForNumber(number: Parsed): string | undefined;
  format(number: Parsed, format: number): string;
  getSupportedRegions(): string[];
  getExampleNumberForType(region: string, type: number): Parsed | null;
  getExampleNumberForNonGeoEntity(callingCode: number): Parsed | null;
}

interface Google {
  readonly PhoneNumberUtil: { getInstance(): Util };
  readonly PhoneNumberType: Readonly<Record<string, number>>;
  readonly PhoneNumberFormat: { readonly E164: number; readonly INTERNATIONAL: number };
}

export type Answer = readonly [number: string | undefined, country: string | undefined];
export const NONE: Answer = [undefined, undefined];

/** A number of some kind in some country, or in none (`001`). */
export interface Example {
  readonly region: string;
  /** As Google's library calls it; where mobile and fixed numbers are alike, one number is an example of several. */
  readonly type: string;
  /** With its plus. */
  readonly callingCode: string;
  readonly canonical: string;
  /** As people write it abroad. */
  readonly written: string;
}

export const provideGoogle = async () => {
  const google = (await providePeers('phone'))('google-libphonenumber') as Google;
  const util = google.PhoneNumberUtil.getInstance();

  const typeOf = (text: string): string | undefined => {
    const type = util.getNumberType(util.parse(text));
    return Object.entries(google.PhoneNumberType).find(([, value]) => value === type)?.[0];
  };

  /** The number and its country when an SMS can go there. */
  const answer = (text: string): Answer => {
    try {
      const number = util.parse(text);
      const region = util.getRegionCodeForNumber(number);
      return util.isValidNumber(number) &&
        /^(?:MOBILE|FIXED_LINE_OR_MOBILE)$/.test(typeOf(text) ?? '') &&
        region !== '001'
        ? [util.format(number, google.PhoneNumberFormat.E164), region]
        : NONE;
    } catch {
      return NONE;
    }
  };

  const exampleOf = (region: string, type: string, number: Parsed | null): Example[] =>
    number === null
      ? []
      : [
          {
            region,
            type,
            callingCode: `+${number.getCountryCode()}`,
            canonical: util.format(number, google.PhoneNumberFormat.E164),
            written: util.format(number, google.PhoneNumberFormat.INTERNATIONAL),
          },
        ];

  /** One of each kind in each country. */
  const examples = util.getSupportedRegions().flatMap((region) =>
    Object.entries(google.PhoneNumberType)
      .filter(([, value]) => value >= 0)
      .flatMap(([type, value]) =>
        exampleOf(region, type, util.getExampleNumberForType(region, value)),
      ),
  );

  /** One of each code that belongs to no country. */
  const international = [800, 808, 870, 878, 881, 882, 883, 888, 979].flatMap((code) =>
    exampleOf('001', 'INTERNATIONAL', util.getExampleNumberForNonGeoEntity(code)),
  );

  return { answer, typeOf, examples, international };
};

/** Thirty numbers that share the first digits with each mobile or fixed one, and may be anything. */
export const neighboursOf = (examples: readonly Example[]): string[] => {
  const random = randomOf(20);
  return examples
    .filter(({ type }) => /MOBILE|FIXED_LINE/.test(type))
    .flatMap(({ callingCode, canonical }) =>
      Array.from({ length: 30 }, () => {
        const kept = callingCode.length + Math.floor(random() * 5);
        const others = canonical
          .slice(kept)
          .replace(/\d/g, () => String(Math.floor(random() * 10)));
        return canonical.slice(0, kept) + others;
      }),
    );
};
