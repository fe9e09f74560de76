/**
 * What a person can prove themselves with, beside a message: an authenticator (TOTP) and recovery codes; and where
 * messages go that name no destination.
 *
 * Fails closed: without the store nothing is right, and what cannot be read for want of its key is there all the same,
 * but never right. For users who have nothing, or are nobody, as much is read and opened.
 */
import type { Handler } from '../../../shared/handler';
import type { Platform } from '../../../shared/platform';
import type { Audit } from '../audit';
import { createEnrolment } from './enrol';
import { createSeals } from './factor-record';
import { createFactorRecords } from './factor-records';
import { createLanes } from './lanes';
import { createHash } from './recovery';
import { createUse } from './use';

export { FACTOR_SETTINGS } from './input';

export interface Destination {
  readonly channel: 'sms' | 'mail';
  /** E.164 or the canonical mail address. */
  readonly to: string;
}

/** Each method rejects with `store_unavailable`. */
export interface Factors {
  /**
   * Where codes of this user go; `auto`: by SMS, else by mail. `undefined`: nowhere, or there is no such user, which
   * takes as long. Brings the user's record under the current key, as `has` does.
   */
  destination(user: string, channel: 'sms' | 'mail' | 'auto'): Promise<Destination | undefined>;
  enrolDestination(user: string, destination: Destination): Promise<void>;
  /**
   * What is enrolled, whether or not it can be read: who has it is not to be asked for less. Of recovery codes how many
   * are left; of those that cannot be read none.
   */
  has(user: string): Promise<{ totp: boolean; recoveryCodes: number; sms: boolean; mail: boolean }>;
  /**
   * Whether the code is right; then its time step is used up before anybody hears of it (RFC 6238 section 5.2), and all
   * steps before it. `userDigest`: under a version of the key that `destination` or `has` has seen this user with.
   */
  useTotp(userDigest: string, code: string): Promise<boolean>;
  /** Whether it is one of the codes left; then it is not any more. */
  useRecoveryCode(userDigest: string, code: string): Promise<boolean>;
  readonly routes: Readonly<
    Record<'POST /totp' | 'POST /totp/confirm' | 'POST /recovery-codes', Handler>
  >;
}

export interface FactorsOptions {
  /** How authenticators name this service. @default the host of PUBLIC_URL */
  readonly issuer?: string | undefined;
  /** @default nobody is told */
  readonly audit?: Audit;
}

export const createFactors = (
  platform: Platform,
  { issuer, audit = () => {} }: FactorsOptions = {},
): Factors => {
  const { random, log } = platform;
  const seals = createSeals(platform.keys('two-factor factor'), random);
  const records = createFactorRecords(platform, seals);
  const hash = createHash(createLanes());

  const nobody = {
    sms: seals.close('+10000000000', 'sms', 'nobody'),
    mail: seals.close('nobody@example.com', 'mail', 'nobody'),
    recovery: seals.close('[]', 'recovery', 'nobody'),
  };
  const read = (
    sealed: string | undefined,
    what: 'sms' | 'mail' | 'recovery',
    id: string,
  ): string | undefined => {
    const plain = seals.read(sealed ?? nobody[what], what, sealed === undefined ? 'nobody' : id);
    if (plain === undefined) log.warn('factor_not_readable', { factor: what });
    return sealed === undefined ? undefined : plain;
  };

  return {
    destination: async (user, channel) => {
      const { id, entry } = await records.byUser(user);
      const known = (['sms', 'mail'] as const).map((name) => ({
        channel: name,
        to: read(entry?.value[name], name, id),
      }));
      const found = known.find(
        ({ channel: name, to }) => to !== undefined && (channel === 'auto' || channel === name),
      );
      return found as Destination | undefined;
    },

    enrolDestination: async (user, { channel, to }) => {
      const id = await records.claim(user);
      await records.change(id, (record) => {
        const sealed = record[channel];
        const isKnown = sealed !== undefined && seals.read(sealed, channel, id) === to;
        return isKnown ? record : { ...record, [channel]: seals.close(to, channel, id) };
      });
    },

    has: async (user) => {
      const { id, entry } = await records.byUser(user);
      const { sms, mail, totp, recovery } = entry?.value ?? {};
      const hashes: unknown[] = JSON.parse(read(recovery?.hashes, 'recovery', id) ?? '[]');
      return {
        totp: totp !== undefined,
        recoveryCodes: hashes.length,
        sms: sms !== undefined,
        mail: mail !== undefined,
      };
    },

    ...createUse({ platform, records, seals, hash }),
    routes: createEnrolment({ platform, records, seals, hash, issuer, audit }),
  };
};
