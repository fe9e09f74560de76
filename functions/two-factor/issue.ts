/**
 * Issues a challenge. With an idempotency key there is one challenge and one message for it, however often the request
 * comes; what a crash or a failed send left half done is done again with a fresh code, and the old one is void.
 *
 * Fails closed: without the store nothing is sent.
 */
import { Failure } from '../../shared/failure';
import type { Context } from '../../shared/handler';
import { fingerprint, hasFingerprint } from '../../shared/idempotency/fingerprint';
import { type Key, mac } from '../../shared/keys';
import type { Platform } from '../../shared/platform';
import { randomId } from '../../shared/random';
import { ABSENT, type Entry } from '../../shared/store/store';
import { type Delivery, decideDelivery, deliveryKey, REMEMBER } from './delivery';
import { createDispatch } from './dispatch';
import type { Wish } from './input';

export interface Issued {
  readonly challenge: string;
  /** ms since the epoch */
  readonly expiresAt: number;
}

export interface IssueOptions {
  readonly wish: Wish;
  /** Names the effect; `undefined` when the caller has no way to repeat itself. */
  readonly key: string | undefined;
  readonly log: Context['log'];
}

/**
 * Rejects with `in_progress` while the message is being sent, `idempotency_mismatch` for the same key with another
 * wish, and with what sending and storing reject with.
 */
export const createIssue = (platform: Platform) => {
  const { store, clock, random } = platform;
  const dispatch = createDispatch(platform);
  const idKeys = platform.keys('two-factor challenge');
  const digestKeys = platform.keys('two-factor digest');

  /** The id is a capability, so it cannot be the key itself; a key version of before may have made it. */
  const find = async (key: string) => {
    const ids = idKeys.all.map((version) => challengeId(version, key));
    for (const challenge of ids) {
      const entry = await store.get<Delivery>(deliveryKey(challenge));
      if (entry) return { challenge, entry };
    }
    return { challenge: ids[0] as string, entry: undefined };
  };

  const write = (challenge: string, version: number, delivery: Delivery) =>
    store.compareAndSwap<Delivery>(deliveryKey(challenge), version, delivery, { ttl: REMEMBER });

  const reserve = async (
    key: string,
    wish: Wish,
  ): Promise<Issued | { challenge: string; mine: Entry<Delivery>; leaseUntil: number }> => {
    const asked = [wish.user, wish.purpose, wish.channel, wish.to, wish.locale ?? ''];
    for (let tries = 0; tries < 3; tries++) {
      const { challenge, entry } = await find(key);
      const decision = decideDelivery({
        existing: entry?.value,
        isSame: entry ? hasFingerprint(entry.value.fingerprint, digestKeys, ...asked) : false,
        fingerprint: fingerprint(digestKeys, ...asked),
        now: clock.now(),
      });
      if (decision.action === 'refuse') throw new Failure('idempotency_mismatch');
      if (decision.action === 'answer') return { challenge, expiresAt: decision.expiresAt };
      if (decision.action === 'wait') throw inProgress(decision.ms);
      const { delivery, leaseUntil } = decision;
      const mine = await write(challenge, entry?.version ?? ABSENT, delivery);
      if (mine) return { challenge, mine, leaseUntil };
    }
    throw inProgress(1);
  };

  return async ({ wish, key, log }: IssueOptions): Promise<Issued> => {
    if (key === undefined) {
      const challenge = randomId(random);
      return { challenge, expiresAt: await dispatch({ challenge, wish, delivery: 0 }) };
    }
    const reserved = await reserve(key, wish);
    if ('expiresAt' in reserved) return reserved;
    const { challenge, mine, leaseUntil } = reserved;
    const { fingerprint } = mine.value;
    /** The message is out or is known not to be: what the record says of it comes second, so it only warns. */
    const note = (delivery: Delivery) =>
      write(challenge, mine.version, delivery).then(
        (written) => written ?? log.warn('delivery_overtaken'),
        (cause: unknown) => log.warn('delivery_not_noted', { cause }),
      );
    try {
      const expiresAt = await dispatch({ challenge, wish, delivery: mine.version, leaseUntil });
      await note({ fingerprint, state: 'sent', expiresAt });
      return { challenge, expiresAt };
    } catch (thrown) {
      // Free at once: the next try need not wait for the lease to end.
      await note({ fingerprint, state: 'reserved', leaseUntil: 0 });
      throw thrown;
    }
  };
};

/** 128 bits, of the same shape as a random one. */
const challengeId = (key: Key, idempotencyKey: string): string =>
  mac(key, idempotencyKey).subarray(0, 16).toString('base64url');

const inProgress = (ms: number): Failure =>
  new Failure('in_progress', { headers: { 'retry-after': String(Math.ceil(ms / 1_000)) } });
