/** HTTP-date (RFC 9110 section 5.6.7). */

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const TIME = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)';
const MONTH = `(?<month>${MONTHS.join('|')})`;
/** IMF-fixdate, and the two obsolete forms that a recipient must accept: RFC 850 and asctime. */
const FORMS = [
  `(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT`,
  `(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\\d\\d)-${MONTH}-(?<short>\\d\\d) ${TIME} GMT`,
  `(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})`,
].map((form) => new RegExp(`^${form}$`));

/** ms since the epoch; `undefined` when it is not a date. A year of two digits is the nearest, up to 50 ahead of `now`. */
export const parseHttpDate = (text: string, now: number): number | undefined => {
  const form = FORMS.find((pattern) => pattern.test(text));
  const parts = form?.exec(text)?.groups;
  if (!parts) return undefined;
  const month = MONTHS.indexOf(parts.month as string);
  const day = Number(parts.day);
  const [hour, minute, second] = [parts.hour, parts.minute, parts.second].map(Number);
  if ((hour as number) > 23 || (minute as number) > 59 || (second as number) > 60) return undefined;
  const at = Date.UTC(yearOf(parts, now), month, day, hour, minute, second);
  const isInCalendar = new Date(Date.UTC(yearOf(parts, now), month, day)).getUTCMonth() === month;
  return isInCalendar && day > 0 ? at : undefined;
};

const yearOf = ({ year, short }: Partial<Record<string, string>>, now: number): number => {
  if (year !== undefined) return Number(year);
  const current = new Date(now).getUTCFullYear();
  const guess = current - (current % 100) + Number(short);
  if (guess > current + 50) return guess - 100;
  return guess <= current - 50 ? guess + 100 : guess;
};
