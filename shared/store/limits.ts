/** What every store takes and refuses, so that all refuse the same. Fails closed, with a TypeError that names the part. */
import type { Capabilities, ListOptions, Version, WriteOptions } from './store';

/** Bytes of UTF-8. */
export const MAX_KEY = 1024;
/** Bytes of the value as JSON: a text of 1 MiB and what stands around it. */
export const MAX_VALUE = 1.25 * 1024 * 1024;
export const MAX_LIMIT = 1000;

/** What the adapters with a clock of whole milliseconds have in common. */
export const limits: Pick<Capabilities, 'minTtl' | 'ttlGranularity' | 'maxValue'> = {
  minTtl: 1,
  ttlGranularity: 1,
  maxValue: MAX_VALUE,
};

/** The bytes of a key: they are its order too. */
export const keyBytes = (key: string, name = 'key'): Buffer => {
  const bytes = textBytes(key, name);
  if (bytes.length === 0) throw new TypeError(`${name} must not be empty`);
  return bytes;
};

/** The bytes of a prefix, which may be empty. */
export const prefixBytes = (prefix: string): Buffer => textBytes(prefix, 'prefix');

const textBytes = (text: string, name: string): Buffer => {
  // A lone surrogate has no UTF-8: two different keys would become one.
  if (typeof text !== 'string' || /\p{Cs}/u.test(text))
    throw new TypeError(`${name} must be a well-formed string`);
  const bytes = Buffer.from(text);
  if (bytes.length > MAX_KEY) throw new TypeError(`${name} must have at most ${MAX_KEY} bytes`);
  return bytes;
};

/** The value as JSON. */
export const encodeValue = (value: unknown): string => {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw new TypeError('value must be something that JSON can hold', { cause });
  }
  if (json === undefined) throw new TypeError('value must be something that JSON can hold');
  if (Buffer.byteLength(json) > MAX_VALUE)
    throw new TypeError(`value must have at most ${MAX_VALUE} bytes as JSON`);
  return json;
};

export const checkVersion = (expected: Version): void => {
  if (!Number.isSafeInteger(expected) || expected < 0)
    throw new TypeError('expected must be a version, or ABSENT');
};

export const checkInterval = (ms: number, name: string): void => {
  if (!Number.isInteger(ms) || ms < 1)
    throw new TypeError(`${name} must be a whole number of milliseconds above 0`);
};

/** When an entry written now expires; `undefined`: never. Parts of a millisecond are rounded up. */
export const expiryOf = ({ ttl }: WriteOptions, now: number): number | undefined => {
  if (ttl === undefined) return undefined;
  const at = Math.ceil(now + ttl);
  if (typeof ttl !== 'number' || !(ttl > 0) || !Number.isSafeInteger(at))
    throw new TypeError('ttl must be a number of milliseconds above 0');
  return at;
};

/** An entry is gone at the very instant of its expiry. */
export const isExpired = (expiresAt: number | null | undefined, now: number): boolean =>
  typeof expiresAt === 'number' && expiresAt <= now;

export const checkList = ({
  after,
  limit = 100,
}: ListOptions): { after?: Buffer; limit: number } => {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    throw new TypeError(`limit must be an integer from 1 to ${MAX_LIMIT}`);
  return { limit, ...(after !== undefined && { after: keyBytes(after, 'after') }) };
};
