/** Tells whether two requests ask for the same, from digests that say nothing else of them. */
import { createHash } from 'node:crypto';
import { equalBytes, type Key, type Keyring, mac } from '../keys';

const PLAIN: Key = { id: '', bytes: new Uint8Array(32) };

/** For those who have no key: fingerprints that a holder of the store can try against guessed requests. */
export const UNKEYED: Keyring = { current: PLAIN, all: [PLAIN] };

/** `<key id>.<MAC>`, made with the current key. */
export const fingerprint = (keys: Keyring, ...parts: readonly string[]): string =>
  withKey(keys.current, parts);

/** Under any version of the key; a fingerprint whose key is gone matches nothing. */
export const hasFingerprint = (made: string, keys: Keyring, ...parts: readonly string[]): boolean =>
  keys.all.some((key) => equalBytes(Buffer.from(made), Buffer.from(withKey(key, parts))));

const withKey = (key: Key, parts: readonly string[]): string =>
  `${key.id}.${mac(key, ...parts).toString('base64url')}`;

export const sha256 = (data: string | Uint8Array): string =>
  createHash('sha256').update(data).digest('hex');
