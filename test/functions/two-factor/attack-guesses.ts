/** Somebody who guesses codes, and a count of the guesses that could have been right. */
import { createRecords } from '../../../functions/two-factor/records';
import { systemRandom } from '../../../shared/random';
import { testPlatform } from '../../support/test-platform';
import { countingKeys, serve } from './harness';

/** No code of ours here, so that each guess is wrong. */
export const WRONG = '000000';

export interface Compared {
  /** ms since the epoch */
  readonly at: number;
  /** Of one challenge; a resend makes another. */
  readonly code: string;
  readonly challenge: string;
  readonly user: string;
  readonly destination: string;
}

export const attacker = (settings: Readonly<Record<string, string>> = {}) => {
  const { keys, counter } = countingKeys();
  const random = {
    ...systemRandom,
    below: (limit: number) => 1 + systemRandom.below(limit - 1),
  };
  const platform = testPlatform({ keys, random });
  const suite = serve(platform, settings);
  const records = createRecords(platform);
  const compared: Compared[] = [];
  let guesses = 0;
  return {
    ...suite,
    platform,
    compared,
    guesses: () => guesses,
    /** From now on requests come from there. */
    from: (clientAddress: string) => void Object.assign(suite.context, { clientAddress }),
    /** One wrong guess. It counts when a code's MAC was computed for it, and the code was anybody's. */
    guess: async (challenge: string, user: string) => {
      guesses += 1;
      const before = counter.macs;
      const record = (await records.get(challenge))?.value;
      const { status } = await suite.verify(challenge, WRONG);
      if (counter.macs > before && record && !record.decoy)
        compared.push({
          at: platform.clock.now(),
          code: `${challenge} ${record.codeId}`,
          challenge,
          user,
          destination: record.destination,
        });
      return status;
    },
  };
};

/** The most that fell in any `span` of ms, of those alike by `by`. */
export const mostWithin = (
  compared: readonly Compared[],
  span: number,
  by: (one: Compared) => string,
): number => {
  const groups = new Map<string, number[]>();
  for (const one of compared) groups.set(by(one), [...(groups.get(by(one)) ?? []), one.at]);
  let most = 0;
  for (const times of groups.values())
    for (const [i, from] of times.entries())
      most = Math.max(most, times.slice(i).filter((at) => at < from + span).length);
  return most;
};
