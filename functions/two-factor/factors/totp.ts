/**
 * One-time passwords of an authenticator: by counter (HOTP, RFC 4226) and by time (TOTP, RFC 6238). Pure.
 *
 * Fails closed: only three steps are looked at, and of these only steps after the last one that was used.
 */
import { createHmac } from 'node:crypto';
import { equalBytes } from '../../../shared/keys';
import { encodeBase32 } from './base32';

export interface OtpOptions {
  /** SHA-1 is what every authenticator knows, and HMAC does not need it to be free of collisions. @default 'sha1' */
  readonly algorithm?: 'sha1' | 'sha256' | 'sha512';
  /** From 6 to 8. @default 6 */
  readonly digits?: number;
}

/** How long a step is, in ms (RFC 6238 section 5.2). */
export const STEP = 30_000;

/** Steps before and after the present one that are taken too, for clocks that differ and people who type. */
export const WINDOW = 1;

/** Bytes: as long as SHA-1's output (RFC 4226 section 4, R6). */
export const SECRET_BYTES = 20;

/** RFC 4226 section 5.3. `counter`: a safe integer from 0. */
export const hotp = (
  secret: Uint8Array,
  counter: number,
  { algorithm = 'sha1', digits = 6 }: OtpOptions = {},
): string => {
  const message = Buffer.alloc(8);
  message.writeBigUInt64BE(BigInt(counter));
  const digest = createHmac(algorithm, secret).update(message).digest();
  const offset = (digest.at(-1) as number) & 15;
  const number = digest.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 10 ** digits).padStart(digits, '0');
};

/** The step of an instant, in ms since the epoch. */
export const stepAt = (now: number): number => Math.floor(now / STEP);

export const totp = (secret: Uint8Array, now: number, options?: OtpOptions): string =>
  hotp(secret, stepAt(now), options);

export interface MatchOptions {
  readonly secret: Uint8Array;
  readonly code: string;
  /** ms since the epoch */
  readonly now: number;
  /** The last step that was used: it and those before it are over, whatever a clock says. -1: none was. */
  readonly usedStep: number;
}

/**
 * The step whose code this is, from one before the present to one after it; `undefined` when there is none. All three
 * are computed and compared in constant time, so that the time taken does not tell which one it was.
 */
export const matchStep = ({ secret, code, now, usedStep }: MatchOptions): number | undefined => {
  const present = stepAt(now);
  const given = Buffer.from(code);
  let match: number | undefined;
  for (let step = Math.max(0, present - WINDOW); step <= present + WINDOW; step++) {
    const isEqual = equalBytes(Buffer.from(hotp(secret, step)), given);
    if (isEqual && step > usedStep) match ??= step;
  }
  return match;
};

export interface OtpauthOptions {
  /** Whose codes these are: shown first. Holds no colon. */
  readonly issuer: string;
  /** Of the person. Holds no colon. */
  readonly account: string;
  readonly secret: Uint8Array;
}

/**
 * What an authenticator reads, in the form of the Key URI Format. The issuer stands in it twice, as that asks; defaults
 * are named, because some programs have others.
 */
export const otpauthUrl = ({ issuer, account, secret }: OtpauthOptions): string => {
  const [name, person] = [encodeURIComponent(issuer), encodeURIComponent(account)];
  // Not URLSearchParams: it writes a blank as +, which authenticators show as it is.
  return `otpauth://totp/${name}:${person}?secret=${encodeBase32(secret)}&issuer=${name}&algorithm=SHA1&digits=6&period=${STEP / 1_000}`;
};
