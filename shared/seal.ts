/**
 * What must be read again and may lie in a store that others can read: AES-256-GCM under a key derived from SECRET_KEY
 * (NIST SP 800-38D). The bindings say what the text is and whose: moved to another record it does not open.
 *
 * Fails closed: what is not exactly ours, for exactly these bindings, opens to nothing, and nothing says why.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Keyring } from './keys';
import type { Random } from './random';

const CIPHER = 'aes-256-gcm';

/** Bytes. 96 bits is the length for which the mode was made (SP 800-38D section 8.2). */
const NONCE = 12;

/** Bytes. A shorter tag can be forged sooner, and node would take one of 4. */
const TAG = 16;

/**
 * `<key id>.<nonce, ciphertext and tag in base64url>`, under the current key. The same text sealed twice looks different;
 * its length shows. A nonce is drawn at random, so let one key seal less than 2^32 texts (SP 800-38D section 8.3).
 *
 * `bindings`: a label of what it is first, then what it belongs to; they are not part of the result.
 */
export const seal = (
  { current }: Keyring,
  random: Random,
  plain: string,
  ...bindings: readonly string[]
): string => {
  const nonce = random.bytes(NONCE);
  const cipher = createCipheriv(CIPHER, current.bytes, nonce, { authTagLength: TAG });
  cipher.setAAD(associated(bindings));
  const sealed = [nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()];
  return `${current.id}.${Buffer.concat(sealed).toString('base64url')}`;
};

/** The text, by whichever version of the key; `undefined` when it is forged, bound elsewise, or its key is gone. */
export const open = (
  { all }: Keyring,
  sealed: string,
  ...bindings: readonly string[]
): string | undefined => {
  const dot = sealed.indexOf('.');
  const key = all.find(({ id }) => id === sealed.slice(0, dot));
  const text = sealed.slice(dot + 1);
  const bytes = Buffer.from(text, 'base64url');
  // base64url has several spellings of the same bytes, and only ours is the seal.
  if (!key || bytes.length < NONCE + TAG || bytes.toString('base64url') !== text) return undefined;
  const nonce = bytes.subarray(0, NONCE);
  const decipher = createDecipheriv(CIPHER, key.bytes, nonce, { authTagLength: TAG });
  decipher.setAAD(associated(bindings));
  decipher.setAuthTag(bytes.subarray(-TAG));
  try {
    const plain = decipher.update(bytes.subarray(NONCE, -TAG));
    return Buffer.concat([plain, decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
};

/** Each part is preceded by its length, so that no two lists of bindings are the same bytes. */
const associated = (bindings: readonly string[]): Buffer =>
  Buffer.from(bindings.map((part) => `${Buffer.byteLength(part)}:${part},`).join(''));
