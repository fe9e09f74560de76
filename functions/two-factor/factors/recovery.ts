/**
 * Recovery codes: ten, each good once, for who has lost the rest (look-up secrets, NIST SP 800-63B).
 *
 * Fifty random bits are fewer than the 112 from which a plain hash would do (OWASP ASVS 6.5.2), so they are salted and
 * hashed slowly; the hashes are sealed besides, so a copy of the store alone is nothing to try guesses on.
 */
import { scrypt } from 'node:crypto';
import { equalBytes } from '../../../shared/keys';
import type { Random } from '../../../shared/random';
import type { Lanes } from './lanes';

export const CODES = 10;

const GROUP = 5;
const LENGTH = 2 * GROUP;

/** Crockford's: no I, L, O, which look like others, and no U. Five bits each. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Longer than any way to type one. */
const MAX_TYPED = 64;

/** All different, as they are written down: `7K3QM-X0V9T`. */
export const drawRecoveryCodes = (random: Random): readonly string[] => {
  const codes = new Set<string>();
  while (codes.size < CODES) {
    const letters = Array.from(random.bytes(LENGTH), (byte) => ALPHABET[byte & 31]);
    codes.add(`${letters.slice(0, GROUP).join('')}-${letters.slice(GROUP).join('')}`);
  }
  return [...codes];
};

/**
 * The one spelling of what was typed: either case, blanks and dashes anywhere, o for 0, i and l for 1.
 * `undefined` for what cannot be one, whoever it is for.
 */
export const readRecoveryCode = (typed: string): string | undefined => {
  if (typed.length > MAX_TYPED) return undefined;
  const letters = typed.replace(/[\s\p{Pd}]/gu, '');
  // Before the case is changed: outside ASCII there are letters that become ours by it.
  if (!/^[0-9A-Za-z]{10}$/.test(letters)) return undefined;
  const code = letters.toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1');
  return code.includes('U') ? undefined : code;
};

/** 16 MiB and some 40 ms for each: with 50 bits and ten codes, thousands of years of a core for one. */
const COST = { N: 2 ** 14, r: 8, p: 1 };
const HASH = 32;
export const SALT = 16;

/** Of a code in its one spelling; base64url. */
export type HashRecoveryCode = (code: string, salt: string) => Promise<string>;

/** Off the event loop, by `lanes`; who asks for the same at the same moment shares the work. */
export const createHash = (lanes: Lanes): HashRecoveryCode => {
  const underWay = new Map<string, Promise<string>>();
  return (code, salt) => {
    const name = `${salt} ${code}`;
    const shared = underWay.get(name);
    if (shared) return shared;
    const hashing = lanes(() => derive(code, salt)).finally(() => underWay.delete(name));
    underWay.set(name, hashing);
    return hashing;
  };
};

const derive = (code: string, salt: string): Promise<string> =>
  new Promise((resolve, reject) => {
    scrypt(code, Buffer.from(salt, 'base64url'), HASH, COST, (error, hash) =>
      error ? reject(error) : resolve(hash.toString('base64url')),
    );
  });

/** The hashes without the given one; `undefined` when it is not among them. All are compared, in constant time. */
export const withoutHash = (
  hashes: readonly string[],
  hash: string,
): readonly string[] | undefined => {
  const given = Buffer.from(hash);
  const left = hashes.filter((known) => !equalBytes(Buffer.from(known), given));
  return left.length < hashes.length ? left : undefined;
};
