/**
 * Using a factor up: a time step, a recovery code. What is right is written off by compare-and-swap before anybody hears
 * that it was right, so of any number of tries at once one succeeds; what is wrong writes nothing, so guesses are in
 * nobody's way. Who calls counts them.
 *
 * Fails closed. For users who have nothing, or are nobody, the same is read, opened and computed, with stand-ins that
 * nothing is right for.
 */
import { Failure } from '../../../shared/failure';
import { mac } from '../../../shared/keys';
import type { Platform } from '../../../shared/platform';
import { decodeBase32, encodeBase32 } from './base32';
import type { Seals } from './factor-record';
import { type FactorRecords, MAX_TRIES } from './factor-records';
import type { Factors } from './factors';
import { CODES, type HashRecoveryCode, readRecoveryCode, SALT, withoutHash } from './recovery';
import { matchStep, SECRET_BYTES } from './totp';

export interface UseOptions {
  readonly platform: Platform;
  readonly records: FactorRecords;
  readonly seals: Seals;
  readonly hash: HashRecoveryCode;
}

export const createUse = ({
  platform: { clock, random, keys },
  records,
  seals,
  hash,
}: UseOptions): Pick<Factors, 'useTotp' | 'useRecoveryCode'> => {
  const { current } = keys('two-factor factor');
  const hidden = Array.from({ length: CODES }, () =>
    Buffer.from(random.bytes(32)).toString('base64url'),
  );
  const nobody = {
    secret: random.bytes(SECRET_BYTES),
    totp: {
      secret: seals.close(encodeBase32(random.bytes(SECRET_BYTES)), 'totp', 'nobody'),
      usedStep: -1,
    },
    hashes: seals.close(JSON.stringify(hidden), 'recovery', 'nobody'),
  };
  /** For each its own, as with real ones: two who try the same code share no work. */
  const nobodysSalt = (userDigest: string): string =>
    mac(current, 'decoy salt', userDigest).subarray(0, SALT).toString('base64url');

  /** What `attempt` says, once nobody else was first. */
  const settled = async (attempt: () => Promise<boolean | 'lost'>): Promise<boolean> => {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const outcome = await attempt();
      if (outcome !== 'lost') return outcome;
    }
    throw new Failure('store_unavailable');
  };

  return {
    useTotp: (userDigest, code) =>
      settled(async () => {
        const found = await records.byDigest(userDigest);
        const record = found.entry?.value;
        const { secret: sealed, usedStep } = record?.totp ?? nobody.totp;
        const text = seals.read(sealed, 'totp', record?.totp ? found.id : 'nobody');
        const secret = text === undefined ? undefined : decodeBase32(text);
        const now = clock.now();
        const step = matchStep({ secret: secret ?? nobody.secret, code, now, usedStep });
        if (!record?.totp || !secret || step === undefined) return false;
        const totp = { secret: sealed, usedStep: step };
        return (await records.swap(found, { ...record, totp })) || 'lost';
      }),

    useRecoveryCode: async (userDigest, typed) => {
      const code = readRecoveryCode(typed);
      // What cannot be a code is none for anybody.
      if (code === undefined) return false;
      return settled(async () => {
        const found = await records.byDigest(userDigest);
        const record = found.entry?.value;
        const set = record?.recovery;
        const made = await hash(code, set?.salt ?? nobodysSalt(userDigest));
        const text = seals.read(
          set?.hashes ?? nobody.hashes,
          'recovery',
          set ? found.id : 'nobody',
        );
        const left = withoutHash(text === undefined ? [] : JSON.parse(text), made);
        if (!set || !left) return false;
        const hashes = seals.close(JSON.stringify(left), 'recovery', found.id);
        return (await records.swap(found, { ...record, recovery: { ...set, hashes } })) || 'lost';
      });
    },
  };
};
