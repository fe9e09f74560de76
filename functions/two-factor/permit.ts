/**
 * Whether a challenge may be issued, and where its message goes. Who gets none is told so only where that says nothing
 * of the user; all others get a decoy. Fails closed, as the budgets do.
 */
import type { Context } from '../../shared/handler';
import type { Behind } from './behind';
import { placeOf } from './budget/place';
import type { Challenge } from './challenge';
import type { Wish } from './input';
import type { Parts } from './parts';
import { rateLimited } from './refusals';

/** Where codes of a wish go; a decoy's place is that of nobody. */
export interface Destination {
  readonly channel: Challenge['channel'];
  /** Empty for nobody, and for channels without messages. */
  readonly to: string;
  readonly known: boolean;
}

export interface Permit {
  readonly decoy: boolean;
  /** When the budgets granted it, ms since the epoch. */
  readonly at: number;
}

const OF_THE_NUMBER: ReadonlySet<string> = new Set(['prefix', 'country', 'spend']);

export const createPermit = ({
  records,
  budgets,
  factors,
  audit,
  platform: { clock },
}: Pick<Parts, 'platform' | 'records' | 'budgets' | 'factors' | 'audit'>) => {
  const destinationOf = async (wish: Wish): Promise<Destination> => {
    const { user, channel, to } = wish;
    if (channel === 'totp' || channel === 'recovery') return { channel, to: '', known: true };
    if (to !== undefined && channel !== 'auto') return { channel, to, known: true };
    const enrolled = await factors.destination(user, channel);
    return enrolled
      ? { ...enrolled, known: true }
      : { channel: channel === 'auto' ? 'sms' : channel, to: '', known: false };
  };

  const ask = async (
    challenge: string,
    wish: Wish,
    { channel, to, known }: Destination,
    context: Context,
    later: Behind['later'],
  ): Promise<Permit> => {
    const messages = channel === 'sms' || channel === 'mail';
    const phone = known && channel === 'sms' ? placeOf(to) : undefined;
    const grant = await budgets.issue(
      {
        challenge,
        userDigests: records.userDigests(wish.user),
        destinationDigests: messages
          ? records.destinationDigests(channel, known ? to : `nobody ${wish.user}`)
          : records.destinationDigests(channel, wish.user),
        decoy: !known,
        phone,
        clientAddress: context.clientAddress,
        messages,
      },
      later,
    );
    const suppressed = (reason: 'unknown' | Exclude<typeof grant, { granted: true }>['reason']) =>
      audit(context, {
        type: 'challenge_suppressed',
        challenge,
        user: wish.user,
        purpose: wish.purpose,
        channel,
        reason,
      });
    if (grant.granted) {
      if (!known) suppressed('unknown');
      return { decoy: !known, at: grant.at };
    }
    const { reason, retryAfter } = grant;
    suppressed(reason);
    // What says nothing of the user may be said; of an enrolled number not even its country may be.
    if (reason === 'address' || (wish.to !== undefined && OF_THE_NUMBER.has(reason)))
      throw rateLimited(retryAfter);
    return { decoy: true, at: clock.now() };
  };

  return { destinationOf, ask };
};
