/** The numbers of somebody who is paid for messages to them: ten thousand, in fifty countries. */
import {
  type CountryCode,
  getCountries,
  getCountryCallingCode,
  getExampleNumber,
} from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { canonicalPhone } from '../../../shared/phone';

/** Premium rate, shared cost, satellite. */
export const DEAR = [
  '+19005550100',
  '+449098790000',
  '+4990012345678',
  '+33899700000',
  '+881612345678',
];

/** Where honest people are. */
export const HOME: readonly CountryCode[] = ['US', 'DE'];

/** 200 of two adjacent ranges, with dear ones among them. */
const ranges = (number: string, shift: number): string[] =>
  Array.from({ length: 200 }, (_, n) => {
    if (n % 50 === 49) return DEAR[(shift + n) % DEAR.length] as string;
    const last = (Number(number.slice(-5)) + (n % 2) * 10_000 + n) % 100_000;
    return number.slice(0, -5) + String(last).padStart(5, '0');
  });

/** Country by country, each with a calling code of its own and none of them `HOME`. */
export const pumpingList = (): readonly (readonly string[])[] => {
  const taken = new Set<string>(HOME.map((country) => getCountryCallingCode(country)));
  const lists: string[][] = [];
  for (const country of getCountries()) {
    const code = getCountryCallingCode(country);
    if (taken.has(code) || lists.length === 50) continue;
    const list = ranges(getExampleNumber(country, examples)?.number ?? '', lists.length);
    if (list.filter((number) => canonicalPhone(number) !== undefined).length < 150) continue;
    taken.add(code);
    lists.push(list);
  }
  return lists;
};
