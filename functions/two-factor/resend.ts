/**
 * Another message for a live challenge, on the same or another channel: always with a fresh code, which voids the one
 * before; guesses go on being counted. Fails closed: without the store nothing is sent, and the old code stays.
 */
import { Failure } from '../../shared/failure';
import type { Context } from '../../shared/handler';
import { equalSecrets, mac } from '../../shared/keys';
import type { Entry } from '../../shared/store/store';
import { type Behind, behind } from './behind';
import { placeOf } from './budget/place';
import {
  type Challenge,
  cooldown,
  isLive,
  judgeResend,
  LEASE,
  LIFETIME,
  type ResendVerdict,
} from './challenge';
import type { Issued } from './claim';
import { createCompose } from './compose';
import type { Send } from './delivery';
import type { ResendInput } from './input';
import type { PartsWithDelivery } from './parts';
import type { Person } from './records';
import { inProgress, rateLimited } from './refusals';

export interface ResendOptions {
  readonly input: ResendInput;
  /** Names the effect; `undefined` when the caller has no way to repeat itself. */
  readonly key: string | undefined;
}

/**
 * Rejects with `not_found` for a challenge that is none or is over, `in_progress` while another is asked for, `rate_limited` before the cooldown has passed and by
 * the budgets, `sends_exhausted` when all its messages or guesses are used, and `store_unavailable`.
 */
export const createResend = (parts: PartsWithDelivery) => {
  const { platform, records, budgets, factors, audit } = parts;
  const { clock } = platform;
  const digestKeys = platform.keys('two-factor digest');
  const compose = createCompose(parts);

  const isRepeat = (challenge: string, { sends }: Challenge, key: string | undefined): boolean =>
    key !== undefined &&
    digestKeys.all.some((version) =>
      sends.some((send) => equalSecrets(send.key ?? '', keyDigest(version, challenge, key))),
    );
  const keyDigest = (version: (typeof digestKeys)['current'], challenge: string, key: string) =>
    mac(version, 'resend', challenge, key).toString('base64url');

  /** `undefined`: the person has nothing on this channel. */
  const destinationOf = async (
    record: Challenge,
    { user, to }: Person,
    channel: 'sms' | 'mail',
  ): Promise<string | undefined> => {
    // Looked up in any case: whether there was need must not show.
    const enrolled = await factors.destination(user, channel);
    return channel === record.channel ? to : enrolled?.to;
  };

  /** One at a time: what budgets grant to a flood of repeats, they would refuse to others meanwhile. */
  const claim = async (challenge: string): Promise<Entry<Challenge>> => {
    let refusal: Failure | undefined;
    const mine = await records.change(challenge, (latest) => {
      const now = clock.now();
      refusal = refusalOf(judgeResend(latest, now));
      return refusal ? undefined : { ...latest, resendingUntil: now + LEASE };
    });
    if (!mine) throw refusal ?? new Failure('not_found');
    return mine;
  };

  const resend = async (
    { input, key }: ResendOptions,
    context: Context,
    later: Behind['later'],
  ): Promise<Issued> => {
    const { challenge } = input;
    const found = await records.get(challenge);
    if (!found) throw new Failure('not_found');
    if (isRepeat(challenge, found.value, key)) return { challenge, record: found.value };
    const mine = await claim(challenge);
    const record = mine.value;
    const person = records.person(challenge, record);
    if (!person) throw new Failure('not_found');
    const { user, locale } = person;
    const channel = input.channel ?? (record.channel as 'sms' | 'mail');
    const to = await destinationOf(record, person, channel);
    const { purpose } = record;
    const said = { challenge, user, purpose, channel };
    const nobody = record.decoy || to === undefined;
    const wish = {
      challenge,
      userDigests: records.userDigests(user),
      destinationDigests: records.destinationDigests(channel, to ?? `nobody ${user}`),
      decoy: nobody,
      phone: !nobody && channel === 'sms' ? placeOf(to) : undefined,
      clientAddress: context.clientAddress,
      messages: true,
    };
    const grant = await budgets.send(wish, later);
    if (!grant.granted) {
      audit(context, { type: 'challenge_suppressed', ...said, reason: grant.reason });
      await records.change(challenge, (latest) => withoutClaim(latest));
      throw rateLimited(grant.retryAfter);
    }
    const n = record.sends.length;
    const { keyId, destination, codeId, send, ...composed } = await compose({
      ...{ challenge, n, user, purpose, channel, locale },
      to: to ?? '',
      silent: nobody,
      at: grant.at,
      key: key === undefined ? undefined : keyDigest(digestKeys.current, challenge, key),
    });
    const now = clock.now();
    const next = await records.change(challenge, (latest) =>
      // The claim may be another's by now, and a code may have been right meanwhile.
      latest.resendingUntil === record.resendingUntil && isLive(latest, now)
        ? {
            ...withoutClaim(latest),
            ...{ keyId, user: composed.user, destination, codeId },
            asked: input.channel ?? latest.asked,
            // Where there is nobody, the next may go where the last went.
            ...(to !== undefined && {
              channel,
              sealed: records.sealPerson(challenge, {
                ...{ user, to },
                ...(locale !== undefined && { locale }),
              }),
            }),
            sends: [...latest.sends, send as Send],
            expiresAt: now + LIFETIME,
            resendAt: now + cooldown(n + 1),
          }
        : undefined,
    );
    if (!next) {
      await budgets.giveBack(wish, grant.at);
      throw new Failure('not_found');
    }
    audit(context, { type: 'code_resent', ...said });
    return { challenge, record: next.value };
  };

  return async (options: ResendOptions, context: Context): Promise<Issued> => {
    const { later, begin } = behind(context);
    return resend(options, context, later).finally(begin);
  };
};

const withoutClaim = ({ resendingUntil, ...challenge }: Challenge): Challenge => challenge;

const refusalOf = (judged: ResendVerdict): Failure | undefined => {
  if (judged.verdict === 'send') return undefined;
  if (judged.verdict === 'ended') return new Failure('not_found');
  if (judged.verdict === 'exhausted') return new Failure('sends_exhausted');
  return judged.verdict === 'too_soon' ? rateLimited(judged.wait) : inProgress(judged.wait);
};
