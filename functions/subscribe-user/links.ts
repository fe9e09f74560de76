/**
 * The two links of a mail: one confirms, the other unsubscribes. Each is signed with a key of its own, so that none
 * does the other's work, and carries the hash of the address instead of the address.
 *
 * Fails closed: what is not exactly a link of ours is none.
 */
import type { Platform } from '../../shared/platform';
import { chooseLocale } from '../../shared/templates/locale';
import { signToken, verifyToken } from '../../shared/token';
import { LOCALES, type Locale } from './letters';

export type LinkKind = 'confirm' | 'unsubscribe';

export interface LinkClaims {
  readonly list: string;
  readonly addressHash: string;
  readonly locale: Locale;
  /** The pending period that it confirms; empty for unsubscribing, which ends any. */
  readonly generation: string;
}

export interface LinkOptions extends LinkClaims {
  /** ms since the epoch */
  readonly expiresAt: number;
}

export const linkTo = (
  { keys, publicUrl }: Pick<Platform, 'keys' | 'publicUrl'>,
  kind: LinkKind,
  { list, addressHash, locale, generation, expiresAt }: LinkOptions,
): string => {
  const claims = [list, addressHash, locale, generation];
  const token = signToken(keys(purpose(kind)), { claims, expiresAt });
  // In the form of the network: a header of a mail takes no host but in ASCII.
  return new URL(`${publicUrl()}/subscribe-user/${kind}?token=${token}`).href;
};

/** What a link says; `undefined` for none of ours, of the other kind, or too old. */
export const readLink = (
  { keys, clock }: Pick<Platform, 'keys' | 'clock'>,
  kind: LinkKind,
  token: string | null,
): LinkClaims | undefined => {
  const claims = token === null ? undefined : verifyToken(keys(purpose(kind)), token, clock.now());
  if (!claims) return undefined;
  const [list = '', addressHash = '', locale, generation = ''] = claims;
  return { list, addressHash, locale: chooseLocale(locale, LOCALES), generation };
};

const purpose = (kind: LinkKind): string => `subscribe-user ${kind}`;
