/**
 * Issues a challenge. What is durable comes first: budgets, the code's MAC and the message in the queue are stored before
 * the answer, and the message goes out after it. With an idempotency key there is one challenge and one message,
 * however often the request comes and wherever it crashed.
 *
 * Whoever cannot get a code, because nobody knows them, they are locked or have no phone, gets a decoy: the same reads,
 * writes and bytes, and no message. Fails closed: without the store nothing is sent.
 */
import { Failure } from '../../shared/failure';
import type { Context } from '../../shared/handler';
import { fingerprint, hasFingerprint } from '../../shared/idempotency/fingerprint';
import { type Key, mac } from '../../shared/keys';
import { randomId } from '../../shared/random';
import { ABSENT, type Entry } from '../../shared/store/store';
import { type Behind, behind } from './behind';
import { placeOf } from './budget/place';
import { type Challenge, type Claim, cooldown, LEASE, LIFETIME } from './challenge';
import { createCompose } from './compose';
import type { Wish } from './input';
import type { PartsWithDelivery } from './parts';

export interface IssueOptions {
  readonly wish: Wish;
  /** Names the effect; `undefined` when the caller has no way to repeat itself. */
  readonly key: string | undefined;
}

export interface Issued {
  readonly challenge: string;
  readonly record: Challenge;
}

/** Where codes of this wish go; a decoy's place is that of nobody. */
interface Destination {
  readonly channel: Challenge['channel'];
  readonly to: string;
  readonly known: boolean;
}

/**
 * Rejects with `in_progress` while a request with the same key is at it, `idempotency_mismatch` for the same key with
 * another wish, `rate_limited` when the caller's address, the number's region or the purse has no more for now, and
 * `store_unavailable`.
 */
export const createIssue = (parts: PartsWithDelivery) => {
  const { platform, records, budgets, factors, audit } = parts;
  const { clock, random } = platform;
  const idKeys = platform.keys('two-factor challenge');
  const digestKeys = platform.keys('two-factor digest');
  const compose = createCompose(parts);

  /** The id is a capability, so it cannot be the key itself; a key version of before may have made it. */
  const find = async (key: string) => {
    const ids = idKeys.all.map((version) => challengeId(version, key));
    for (const challenge of ids) {
      const entry = await records.find(challenge);
      if (entry) return { challenge, entry };
    }
    return { challenge: ids[0] as string, entry: undefined };
  };

  const claim = async (
    key: string,
    asked: readonly string[],
  ): Promise<Issued | { challenge: string; mine: Entry<Claim> }> => {
    for (let tries = 0; tries < 3; tries++) {
      const { challenge, entry } = await find(key);
      if (entry && !hasFingerprint(entry.value.fingerprint, digestKeys, ...asked))
        throw new Failure('idempotency_mismatch');
      const existing = entry?.value;
      if (existing && existing.state !== 'issuing') return { challenge, record: existing };
      const now = clock.now();
      if (existing && now < existing.leaseUntil) throw inProgress(existing.leaseUntil - now);
      const mine = await records.put<Claim>(challenge, entry?.version ?? ABSENT, {
        state: 'issuing',
        fingerprint: fingerprint(digestKeys, ...asked),
        leaseUntil: now + LEASE,
      });
      if (mine) return { challenge, mine };
    }
    throw inProgress(1);
  };

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
  ): Promise<{ readonly decoy: boolean; readonly at: number }> => {
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

const OF_THE_NUMBER: ReadonlySet<string> = new Set(['prefix', 'country', 'spend']);

/** 128 bits, of the same shape as a random one. */
const challengeId = (key: Key, idempotencyKey: string): string =>
  mac(key, idempotencyKey).subarray(0, 16).toString('base64url');

export const inProgress = (ms: number): Failure =>
  new Failure('in_progress', { headers: { 'retry-after': String(Math.ceil(ms / 1_000)) } });

export const rateLimited = (ms: number): Failure =>
  new Failure('rate_limited', {
    headers: { 'retry-after': String(Math.max(1, Math.ceil(ms / 1_000))) },
  });
