/** Where a number is, as far as budgets go by it. */
import { phoneCountry } from '../../../shared/phone';

export interface PhonePlace {
  /** ISO 3166-1 alpha-2, or `*` for a number of no country. */
  readonly country: string;
  /** The number without its last four digits: 10,000 neighbours share it, and it is nobody's number. */
  readonly prefix: string;
}

/** Digits that tell neighbours apart. */
const NEIGHBOURS = 4;

/** Of a number in E.164. */
export const placeOf = (to: string): PhonePlace => ({
  country: phoneCountry(to) ?? '*',
  prefix: to.slice(0, -NEIGHBOURS),
});
