/** Draws a code, stores its MAC, then sends it: a code that is out is always one that is known. */
import { Failure } from '../../shared/failure';
import { type Key, mac } from '../../shared/keys';
import { addressKey } from '../../shared/mail-address';
import type { Platform } from '../../shared/platform';
import { ABSENT } from '../../shared/store/store';
import { type Challenge, challengeKey, LIFETIME, MAX_ATTEMPTS, replaceCode } from './challenge';
import { drawCode, macOf } from './code';
import { SEND_TIMEOUT } from './delivery';
import type { Wish } from './input';
import { mailOf, smsOf } from './message';
import { sendWithin } from './send';

export interface Dispatch {
  readonly challenge: string;
  readonly wish: Wish;
  /** Fencing token of the delivery; 0 when no other can come for this challenge. */
  readonly delivery: number;
  /** When another may take the delivery over, ms since the epoch. @default never */
  readonly leaseUntil?: number;
}

/** Of a user: the same for all their challenges, and nothing to those without the key. */
export const userDigest = (key: Key, user: string): string =>
  mac(key, 'user', user).toString('base64url');

const destinationDigest = (key: Key, { channel, to }: Wish): string =>
  mac(key, 'destination', channel, channel === 'mail' ? (addressKey(to) as string) : to).toString(
    'base64url',
  );

/**
 * Resolves with the instant at which the code expires. Rejects with `send_failed`, `send_refused`, with
 * `in_progress` when another delivery has overtaken this one, and with `store_unavailable`.
 */
export const createDispatch = (platform: Platform) => {
  const { store, clock, random } = platform;
  const { current: codeKey } = platform.keys('two-factor code');
  const { current: digestKey } = platform.keys('two-factor digest');

  const put = async (challenge: string, fresh: Challenge): Promise<void> => {
    const key = challengeKey(challenge);
    // A lost swap is an attempt on the code before, of which there are only so many, or another delivery.
    for (let tries = 0; tries < MAX_ATTEMPTS + 3; tries++) {
      const existing = await store.get<Challenge>(key);
      const next = replaceCode(existing?.value, fresh);
      if (!next) throw new Failure('in_progress', { headers: { 'retry-after': '1' } });
      const ttl = Math.max(LIFETIME, store.capabilities.minTtl);
      if (await store.compareAndSwap(key, existing?.version ?? ABSENT, next, { ttl })) return;
    }
    throw new Failure('store_unavailable');
  };

  return async ({ challenge, wish, delivery, leaseUntil = Infinity }: Dispatch) => {
    const { user, purpose, channel, to, locale } = wish;
    const code = drawCode(random);
    const binding = {
      challenge,
      user: userDigest(digestKey, user),
      purpose,
      destination: destinationDigest(digestKey, wish),
    };
    const made = macOf(codeKey, binding, code);
    const expiresAt = clock.now() + LIFETIME;
    await put(challenge, {
      keyId: codeKey.id,
      user: binding.user,
      purpose,
      destination: binding.destination,
      mac: made,
      attempts: 0,
      expiresAt,
      delivery,
    });
    // Whoever takes over sends a code of their own, and this one would arrive dead.
    if (clock.now() + SEND_TIMEOUT > leaseUntil)
      throw new Failure('in_progress', { headers: { 'retry-after': '1' } });
    const message = { to, code, locale, publicUrl: platform.publicUrl() };
    // The same code is the same message, a fresh code another: receivers that drop repeats must not drop that.
    const idempotencyKey = mac(digestKey, 'message', challenge, made).toString('base64url');
    await sendWithin({ clock, timeout: SEND_TIMEOUT }, (signal) =>
      channel === 'sms'
        ? platform.sms(smsOf(message), { idempotencyKey, signal })
        : platform.mail(mailOf(message), { idempotencyKey, signal }),
    );
    return expiresAt;
  };
};
