/**
 * Issues a challenge. What is durable comes first: budgets, the code's MAC and the message in the queue are stored before
 * the answer, and the message goes out after it. With an idempotency key there is one challenge and one message,
 * however often the request comes and wherever it crashed.
 *
 * Whoever cannot get a code, because nobody knows them, they are locked or have no phone, gets a decoy: the same reads,
 * writes and bytes, and no message. Fails closed: without the store nothing is sent.
 */
import type { Context } from '../../shared/handler';
import { fingerprint } from '../../shared/idempotency/fingerprint';
import { randomId } from '../../shared/random';
import { ABSENT } from '../../shared/store/store';
import { type Behind, behind } from './behind';
import { type Challenge, cooldown, LIFETIME } from './challenge';
import { createClaim, type Issued } from './claim';
import { createCompose } from './compose';
import type { Wish } from './input';
import type { PartsWithDelivery } from './parts';
import { createPermit } from './permit';
import { inProgress } from './refusals';

export interface IssueOptions {
  readonly wish: Wish;
  /** Names the effect; `undefined` when the caller has no way to repeat itself. */
  readonly key: string | undefined;
}

/**
 * Rejects with `in_progress` while a request with the same key is at it, `idempotency_mismatch` for the same key with
 * another wish, `rate_limited` when the caller's address, the number's region or the purse has no more for now, and
 * `store_unavailable`.
 */
export const createIssue = (parts: PartsWithDelivery) => {
  const { platform, records, factors, audit } = parts;
  const { clock, random } = platform;
  const digestKeys = platform.keys('two-factor digest');
  const claim = createClaim(parts);
  const { destinationOf, ask } = createPermit(parts);
  const compose = createCompose(parts);

  const issue = async (
    { wish, key }: IssueOptions,
    context: Context,
    later: Behind['later'],
  ): Promise<Issued> => {
    const asked = [wish.user, wish.purpose, wish.channel, wish.to ?? '', wish.locale ?? ''];
    const claimed =
      key === undefined
        ? { challenge: randomId(random), mine: undefined }
        : await claim(key, asked);
    if ('record' in claimed) return claimed;
    const { challenge, mine } = claimed;
    const [destination, has] = await Promise.all([destinationOf(wish), factors.has(wish.user)]);
    if (has.totp && wish.channel !== 'totp' && wish.channel !== 'recovery')
      audit(context, {
        type: 'downgrade',
        challenge,
        user: wish.user,
        channel: destination.channel,
      });
    const { decoy, at } = await ask(challenge, wish, destination, context, later);
    const { channel, to } = destination;
    const now = clock.now();
    const { keyId, user, ...code } = await compose({
      challenge,
      n: 0,
      user: wish.user,
      purpose: wish.purpose,
      channel,
      to,
      locale: wish.locale,
      silent: decoy,
      at,
    });
    const record: Challenge = {
      state: 'open',
      fingerprint: fingerprint(digestKeys, ...asked),
      keyId,
      user,
      purpose: wish.purpose,
      asked: wish.channel,
      channel,
      destination: code.destination,
      sealed: records.sealPerson(challenge, {
        user: wish.user,
        ...(to !== '' && { to }),
        ...(wish.locale !== undefined && { locale: wish.locale }),
      }),
      decoy,
      codeId: code.codeId,
      attempts: 0,
      sends: code.send ? [code.send] : [],
      expiresAt: now + LIFETIME,
      resendAt: now + cooldown(1),
    };
    // Another has taken over after the lease: theirs counts, and the code of this one is in no challenge.
    if (!(await records.put(challenge, mine?.version ?? ABSENT, record))) throw inProgress(1);
    // One line for each: a decoy has had its own.
    if (!decoy)
      audit(context, {
        type: 'challenge_issued',
        challenge,
        user: wish.user,
        purpose: wish.purpose,
        channel,
      });
    return { challenge, record };
  };

  return async (options: IssueOptions, context: Context): Promise<Issued> => {
    const { later, begin } = behind(context);
    return issue(options, context, later).finally(begin);
  };
};
