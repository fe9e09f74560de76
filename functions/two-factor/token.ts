/**
 * The result of a verification: a signed token for two minutes that is good once, bound to challenge, user and purpose
 * (ASVS 6.6.2). Whoever changes an answer on its way has no token, and a token that was seen was used.
 *
 * Fails closed: without the store no token is redeemed.
 */
import type { Platform } from '../../shared/platform';
import { signToken, verifyToken } from '../../shared/token';
import type { Challenge, Channel } from './challenge';
import type { TokenInput } from './input';
import type { Parts } from './parts';

/** ms */
export const TOKEN_LIFETIME = 120_000;

/** What a redeemed token stands for. */
export interface Result {
  readonly challenge: string;
  readonly user: string;
  readonly purpose: string;
  readonly channel: Channel;
  /** ISO 8601, UTC. */
  readonly verifiedAt: string;
}

export const resultToken = (
  { keys, clock }: Pick<Platform, 'keys' | 'clock'>,
  challenge: string,
  { user, purpose, token = '' }: Challenge,
): string =>
  signToken(keys('two-factor token'), {
    claims: [challenge, user, purpose, token],
    expiresAt: clock.now() + TOKEN_LIFETIME,
  });

/** The result, once; `undefined` for a token that is none of ours, too old, used, or for somebody or something else. */
export const createRedeem = ({ platform, records }: Pick<Parts, 'platform' | 'records'>) => {
  const { keys, clock } = platform;
  return async ({ token, user, purpose }: TokenInput): Promise<Result | undefined> => {
    const claims = verifyToken(keys('two-factor token'), token, clock.now());
    const [challenge = '', ...bound] = claims ?? [];
    if (!claims) return undefined;
    const redeemed = await records.change(challenge, (latest) => {
      const isBound = [latest.user, latest.purpose, latest.token].every(
        (part, at) => part === bound[at],
      );
      const isWanted =
        (user === undefined || records.isUser(latest, user)) &&
        (purpose === undefined || purpose === latest.purpose);
      return latest.state === 'verified' && isBound && isWanted
        ? { ...latest, state: 'redeemed' }
        : undefined;
    });
    const person = redeemed && records.person(challenge, redeemed.value);
    if (!redeemed || !person) return undefined;
    const { value } = redeemed;
    return {
      challenge,
      user: person.user,
      purpose: value.purpose,
      channel: value.channel,
      verifiedAt: new Date(value.verifiedAt ?? 0).toISOString(),
    };
  };
};
