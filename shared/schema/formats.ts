/** The formats that a schema may name. Those of our own: they are strict, and no package is needed for them. */
import { parseDuration } from '../duration';
import { MAIL_ADDRESS } from '../mail-address';

export type Format =
  | RegExp
  | true
  | { readonly type: 'string'; readonly validate: (text: string) => boolean };

/** RFC 3339 section 5.6, calendar included. */
export const isDateTime = (text: string): boolean => {
  const [, year, month, day] =
    /^(\d{4})-(\d\d)-(\d\d)[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/.exec(
      text,
    ) ?? [];
  if (!year) return false;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
};

const isWebUrl = (text: string): boolean =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

export const formats: Readonly<Record<string, Format>> = {
  email: MAIL_ADDRESS,
  uri: { type: 'string', validate: isWebUrl },
  date: { type: 'string', validate: (text) => isDateTime(`${text}T00:00:00Z`) },
  'date-time': { type: 'string', validate: isDateTime },
  uuid: /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i,
  duration: { type: 'string', validate: (text) => parseDuration(text) !== undefined },
  list: true,
};
