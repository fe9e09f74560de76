/**
 * Verifies a code: the attempt is counted before the code is compared, and a right code is consumed before anyone
 * hears of it. Both by compare-and-swap, so at most five are ever compared and one ever verified, whoever races.
 * Wrong guesses of others cannot make a right code fail that is among the five.
 *
 * Fails closed: without the store nothing is verified.
 */
import { randomId } from '../../shared/random';
import type { Entry } from '../../shared/store/store';
import { beginAttempt, type Challenge, consume } from './challenge';
import { isRight, readCode } from './code';
import type { VerifyInput } from './input';
import type { Parts } from './parts';

/** `closed`: unknown, expired, used, or no attempt left. The caller is told `verified` or not, no more. */
export type Verdict =
  | { readonly verdict: 'verified'; readonly record: Challenge }
  | { readonly verdict: 'wrong' | 'closed'; readonly record?: Challenge };

/** The digest of no user. */
const NOBODY = '-';

export const createVerify = ({
  platform,
  records,
  factors,
}: Pick<Parts, 'platform' | 'records' | 'factors'>) => {
  const { clock, random } = platform;
  const codeKeys = platform.keys('two-factor code');

  /** By a code that we sent. The MAC is computed for decoys too. */
  const isSentCode = (
    challenge: string,
    { value }: Entry<Challenge>,
    mac: string | undefined,
    given: string,
  ): boolean => {
    const key = codeKeys.all.find(({ id }) => id === value.keyId);
    const code = readCode(given);
    if (!key || mac === undefined || code === undefined) return false;
    return isRight(key, { ...value, challenge }, mac, code) && !value.decoy;
  };

  const isFor = (issued: Challenge, { user, purpose }: VerifyInput): boolean =>
    (user === undefined || records.isUser(issued, user)) &&
    (purpose === undefined || purpose === issued.purpose);

  return async (input: VerifyInput): Promise<Verdict> => {
    const { challenge, code } = input;
    const counted = await records.change(challenge, (latest) => beginAttempt(latest, clock.now()));
    if (!counted) return { verdict: 'closed' };
    const record = counted.value;
    const { channel, codeId, user, decoy } = record;
    const live = await records.getCode(challenge, codeId);
    // The store's clock has ended it, whatever ours says.
    if (!live) return { verdict: 'closed', record };
    const right = isFor(record, input) && (await isRightCode());
    if (!right) return { verdict: 'wrong', record };
    const token = randomId(random);
    const verified = await records.change(challenge, (latest) =>
      consume(latest, { codeId, token, now: clock.now() }),
    );
    return verified
      ? { verdict: 'verified', record: verified.value }
      : { verdict: 'closed', record };

    function isRightCode(): boolean | Promise<boolean> {
      // A decoy must not use up what the one whom it stands for has.
      const whose = decoy ? NOBODY : user;
      if (channel === 'totp') return factors.useTotp(whose, code);
      if (channel === 'recovery') return factors.useRecoveryCode(whose, code);
      return isSentCode(challenge, counted as Entry<Challenge>, live?.mac, code);
    }
  };
};
