/** How entries and ranges of keys look in the server. */
import type { Entry } from './store';

/** From the prefix on, or behind `after`; as ZRANGEBYLEX takes it. */
export const startOf = (prefix: Buffer, after: Buffer | undefined): Buffer =>
  after && Buffer.compare(after, prefix) >= 0
    ? Buffer.concat([Buffer.from('('), after])
    : Buffer.concat([Buffer.from('['), prefix]);

/** Before the first bytes behind all keys with this prefix; UTF-8 has no byte 0xff, so the last one can grow. */
export const endOf = (prefix: Buffer): Buffer => {
  const end = prefix.length === 0 ? Buffer.of(0xff) : Buffer.from(prefix);
  if (prefix.length > 0) end[end.length - 1] = (end.at(-1) as number) + 1;
  return Buffer.concat([Buffer.from('('), end]);
};

/** From `VERSION:EXPIRES:JSON`. */
export const toEntry = <T>(key: string, held: string): Entry<T> => {
  const version = held.indexOf(':');
  const expires = held.indexOf(':', version + 1);
  return {
    key,
    value: JSON.parse(held.slice(expires + 1)) as T,
    version: Number(held.slice(0, version)),
    ...(expires > version + 1 && { expiresAt: Number(held.slice(version + 1, expires)) }),
  };
};
