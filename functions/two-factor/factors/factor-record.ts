/** What is enrolled for one person, as it is stored: nothing that can be read without the server's keys. */
import type { Keyring } from '../../../shared/keys';
import type { Random } from '../../../shared/random';
import { open, seal } from '../../../shared/seal';

export interface FactorRecord {
  /** Sealed: E.164. @default none */
  readonly sms?: string;
  /** Sealed: a canonical mail address. @default none */
  readonly mail?: string;
  readonly totp?: TotpRecord;
  readonly recovery?: RecoveryRecord;
}

export interface TotpRecord {
  /** Sealed: base32. */
  readonly secret: string;
  /** The last step whose code was used; it only grows. */
  readonly usedStep: number;
}

export interface RecoveryRecord {
  /** Of this set, base64url. */
  readonly salt: string;
  /** Sealed: a JSON list of the hashes of codes that were not used yet. */
  readonly hashes: string;
}

/** An authenticator that has not shown a code yet. The store drops it when it expires. */
export interface PendingTotp {
  /** Sealed: base32. */
  readonly secret: string;
  /** Confirmations begun, right or wrong. */
  readonly tries: number;
  /** ms since the epoch */
  readonly expiresAt: number;
}

/** What a seal holds; it opens as nothing else, and for nobody else. */
export type Sealed = 'sms' | 'mail' | 'totp' | 'totp pending' | 'recovery';

/** `two-factor/user/<digest>`: the id of the person's record, the same under every version of the key. */
export const slotKey = (userDigest: string): string => `two-factor/user/${userDigest}`;
export const recordKey = (id: string): string => `two-factor/factors/${id}`;
export const pendingKey = (id: string): string => `two-factor/pending-totp/${id}`;

export interface Seals {
  close(plain: string, what: Sealed, id: string): string;
  /** `undefined` when it was tampered with, or its key is gone. */
  read(sealed: string, what: Sealed, id: string): string | undefined;
  /** The record with every seal under the current key; itself when all are. */
  renew(record: FactorRecord, id: string): FactorRecord;
}

export const createSeals = (keys: Keyring, random: Random): Seals => {
  const close: Seals['close'] = (plain, what, id) => seal(keys, random, plain, what, id);
  const read: Seals['read'] = (sealed, what, id) => open(keys, sealed, what, id);

  /** The same where nothing is to be done; one whose key is gone stays as it is: the key may come back. */
  const again = (sealed: string, what: Sealed, id: string): string => {
    if (sealed.startsWith(`${keys.current.id}.`)) return sealed;
    const plain = read(sealed, what, id);
    return plain === undefined ? sealed : close(plain, what, id);
  };

  return {
    close,
    read,
    renew: (record, id) => {
      const { sms, mail, totp, recovery } = record;
      const renewed: FactorRecord = {
        ...(sms !== undefined && { sms: again(sms, 'sms', id) }),
        ...(mail !== undefined && { mail: again(mail, 'mail', id) }),
        ...(totp && { totp: { ...totp, secret: again(totp.secret, 'totp', id) } }),
        ...(recovery && {
          recovery: { ...recovery, hashes: again(recovery.hashes, 'recovery', id) },
        }),
      };
      const isSame =
        renewed.sms === sms &&
        renewed.mail === mail &&
        renewed.totp?.secret === totp?.secret &&
        renewed.recovery?.hashes === recovery?.hashes;
      return isSame ? record : renewed;
    },
  };
};
