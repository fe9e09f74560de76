/**
 * Keys derived from SECRET_KEY, one for each purpose, with versions for rotation:
 * of several secrets the first signs, all verify. RFC 5869 (HKDF-SHA256), the label is the info.
 */
import { byteLength, toBase64url } from './bytes';
import { equalBytes, hkdfSha256, hmacSha256 } from './hmac';

export { equalBytes } from './hmac';

export interface Key {
  /** Tells versions apart without saying anything of the key. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

export interface Keyring {
  /** The one that signs. */
  readonly current: Key;
  /** All that verify, the current one first. */
  readonly all: readonly Key[];
}

/** A purpose, such as `step` or `two-factor code`, gives its own keyring. */
export type Keys = (label: string) => Keyring;

/** The shortest secret that is taken, in characters. */
export const MIN_SECRET = 32;

/** From a comma-separated list of secrets. Throws a TypeError when one is too short. */
export const deriveKeys = (secrets: string): Keys => {
  const versions = secrets.split(',').map((secret) => secret.trim());
  if (versions.some((secret) => secret.length < MIN_SECRET))
    throw new TypeError(`each secret must have at least ${MIN_SECRET} characters`);
  const rings = new Map<string, Keyring>();
  return (label) => {
    const known = rings.get(label);
    if (known) return known;
    const all = versions.map((secret) => ({
      id: toBase64url(derive(secret, 'key id', 6)),
      bytes: derive(secret, label, 32),
    }));
    const ring: Keyring = { current: all[0] as Key, all };
    rings.set(label, ring);
    return ring;
  };
};

const derive = (secret: string, label: string, length: number): Uint8Array =>
  hkdfSha256(secret, 'faas-patterns', label, length);

/** HMAC-SHA256 over parts that cannot run into each other: each is preceded by its length. */
export const mac = (key: Key, ...parts: readonly string[]): Buffer =>
  Buffer.from(macOf(key, parts));

const macOf = ({ bytes }: Key, parts: readonly string[]): Uint8Array =>
  hmacSha256(bytes, ...parts.map((part) => `${byteLength(part)}:${part},`));

/** Whether two secrets are equal, in constant time whatever their lengths. */
export const equalSecrets = (a: string, b: string): boolean => {
  const key: Key = { id: '', bytes: COMPARE };
  return equalBytes(macOf(key, [a]), macOf(key, [b]));
};
const COMPARE = new Uint8Array(32);
