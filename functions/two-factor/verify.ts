/**
 * Verifies a code: the attempt is counted before the code is compared, and a right code is consumed before anyone
 * hears of it. Both by compare-and-swap, so at most five are ever compared and one ever verified, whoever races.
 * Wrong guesses of others cannot make a right code fail that is among the five.
 *
 * Fails closed: without the store nothing is verified.
 */
import { Failure } from '../../shared/failure';
import { equalSecrets } from '../../shared/keys';
import type { Platform } from '../../shared/platform';
import type { Entry } from '../../shared/store/store';
import { beginAttempt, type Challenge, challengeKey, MAX_ATTEMPTS } from './challenge';
import { isRight } from './code';
import { userDigest } from './dispatch';
import type { VerifyInput } from './input';

/** `closed`: unknown, expired, used, or no attempt left. The caller is told `verified` or not, no more. */
export type Verdict = 'verified' | 'wrong' | 'closed';

/** Every lost swap is an attempt, a consumption or a fresh code of somebody else, and of these there are only so many. */
const MAX_TRIES = MAX_ATTEMPTS + 3;

export const createVerify = (platform: Platform) => {
  const { store, clock } = platform;
  const codeKeys = platform.keys('two-factor code');
  const digestKeys = platform.keys('two-factor digest');

  /** The challenge with this attempt counted in it. */
  const count = async (challenge: string): Promise<Entry<Challenge> | undefined> => {
    const key = challengeKey(challenge);
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const entry = await store.get<Challenge>(key);
      const now = clock.now();
      const begun = entry && beginAttempt(entry.value, now);
      if (!begun) return undefined;
      const ttl = Math.max(begun.expiresAt - now, store.capabilities.minTtl);
      const counted = await store.compareAndSwap(key, entry.version, begun, { ttl });
      if (counted) return counted;
    }
    throw new Failure('store_unavailable');
  };

  /** Whether it was ours to use. */
  const consume = async ({ key, value, version }: Entry<Challenge>): Promise<boolean> => {
    let latest = version;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if (await store.delete(key, latest)) return true;
      const entry = await store.get<Challenge>(key);
      // Gone: somebody used it. Another MAC: a fresh code took its place.
      if (entry?.value.mac !== value.mac) return false;
      latest = entry.version;
    }
    throw new Failure('store_unavailable');
  };

  const isFor = ({ keyId, ...issued }: Challenge, { user, purpose }: VerifyInput): boolean => {
    const key = digestKeys.all.find(({ id }) => id === keyId);
    if (user !== undefined && !(key && equalSecrets(userDigest(key, user), issued.user)))
      return false;
    return purpose === undefined || purpose === issued.purpose;
  };

  return async (input: VerifyInput): Promise<Verdict> => {
    const counted = await count(input.challenge);
    if (!counted) return 'closed';
    const { value } = counted;
    const key = codeKeys.all.find(({ id }) => id === value.keyId);
    const right =
      key !== undefined &&
      isRight(key, { ...value, challenge: input.challenge }, value.mac, input.code);
    if (!right || !isFor(value, input)) return 'wrong';
    return (await consume(counted)) ? 'verified' : 'closed';
  };
};
