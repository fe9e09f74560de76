/**
 * Signed tokens for links: bound to a purpose by their keyring, to their claims by a MAC, and to a time.
 * They hide nothing, so a claim must be fit to be read, and they can be used until they expire: what may happen
 * only once must be guarded by a record. Fails closed: whatever is not exactly a token of ours is none.
 */
import { equalBytes, type Keyring, mac } from './keys';

export interface TokenOptions {
  readonly claims: readonly string[];
  /** ms since the epoch; the token is good before this instant. */
  readonly expiresAt: number;
}

/** URL-safe: `<key id>.<claims>.<mac>`. */
export const signToken = ({ current }: Keyring, { claims, expiresAt }: TokenOptions): string => {
  const payload = Buffer.from(JSON.stringify([expiresAt, ...claims])).toString('base64url');
  return `${current.id}.${payload}.${sign(current, payload)}`;
};

/** The claims, or `undefined` for a token that is forged, of another purpose, of a key that is gone, or expired. */
export const verifyToken = (
  { all }: Keyring,
  token: string,
  now: number,
): readonly string[] | undefined => {
  if (token.length > MAX_TOKEN) return undefined;
  const [id, payload, signature, ...rest] = token.split('.');
  if (!payload || !signature || rest.length > 0) return undefined;
  const key = all.find((version) => version.id === id);
  // As text: base64url has several spellings of the same bytes, and only ours is the token.
  if (!key || !equalBytes(Buffer.from(signature), Buffer.from(sign(key, payload))))
    return undefined;
  const [expiresAt, ...claims] = JSON.parse(Buffer.from(payload, 'base64url').toString()) as [
    number,
    ...string[],
  ];
  return now < expiresAt ? claims : undefined;
};

const MAX_TOKEN = 2048;

const sign = (key: Keyring['current'], payload: string): string =>
  mac(key, 'token', payload).toString('base64url');
