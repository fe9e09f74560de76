/** One-time codes: drawn, and known again by a MAC that is worth nothing without the server's key. */
import { equalBytes, type Key, mac } from '../../shared/keys';
import type { Random } from '../../shared/random';

/** Six ASCII digits: about 20 bits (NIST SP 800-63B, out-of-band), safe only because attempts are counted. */
export const drawCode = (random: Random): string =>
  String(random.below(1_000_000)).padStart(6, '0');

/** What a code is for. A code that is right for one binding is wrong for every other. */
export interface Binding {
  readonly challenge: string;
  /** Keyed digest. */
  readonly user: string;
  readonly purpose: string;
  /** Keyed digest of channel and address. */
  readonly destination: string;
}

/** All six-digit codes can be tried against a plain digest in a second, so the MAC has a key. */
export const macOf = (key: Key, binding: Binding, code: string): string =>
  mac(key, binding.challenge, binding.user, binding.purpose, binding.destination, code).toString(
    'base64url',
  );

/** In constant time. */
export const isRight = (key: Key, binding: Binding, made: string, code: string): boolean =>
  equalBytes(Buffer.from(made), Buffer.from(macOf(key, binding, code)));

/** The longest spelling that is looked at, in characters. */
const MAX_TYPED = 32;

/**
 * The six digits of a code as people type and paste it: white space around it, one space or hyphen in its middle.
 * `undefined` for everything else: other digits than ASCII's look alike and count differently from system to system.
 */
export const readCode = (typed: unknown): string | undefined => {
  if (typeof typed !== 'string' || typed.length > MAX_TYPED) return undefined;
  const [, first, last] = /^([0-9]{3})[ -]?([0-9]{3})$/.exec(typed.trim()) ?? [];
  return first === undefined || last === undefined ? undefined : first + last;
};
