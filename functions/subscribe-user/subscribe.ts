/** Acts on the decision: the record is written before the mail goes out, and again when it is out. */
import { createHash } from 'node:crypto';
import { Failure } from '../../shared/failure';
import type { Context } from '../../shared/handler';
import type { Platform } from '../../shared/platform';
import { ABSENT } from '../../shared/store/store';
import { renderLetter } from '../../shared/templates/letter';
import { signToken } from '../../shared/token';
import { confirmation, type Locale } from './letters';
import {
  ATTEMPT_TIMEOUT,
  decideRequest,
  hashAddress,
  MAX_ROUNDS,
  type Subscription,
  subscriptionKey,
} from './subscription';

/** Purpose of the keys that sign confirmation links. */
export const CONFIRM_KEYS = 'subscribe-user confirm';

export interface SubscribeOptions {
  readonly address: string;
  /** The address in lower case: names its mailbox. */
  readonly addressKey: string;
  readonly list: string;
  readonly locale: Locale;
  /** Names the wish: the same one may be delivered again. */
  readonly key: string | undefined;
  /** How long the link is good, in ms. */
  readonly ttl: number;
}

/** Resolves when nothing is left to do. Rejects with `in_progress`, or as the store and the mail sender do. */
export const subscribe = async (
  platform: Platform,
  context: Context,
  { address, addressKey, list, locale, key, ttl }: SubscribeOptions,
): Promise<void> => {
  const { store, clock } = platform;
  const addressHash = hashAddress(addressKey);
  const record = subscriptionKey(list, addressHash);
  const requestedBy =
    key === undefined ? undefined : createHash('sha256').update(key).digest('hex');
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const now = clock.now();
    const known = await store.get<Subscription>(record);
    const decision = decideRequest(known?.value, { requestedBy, now });
    if (decision === 'nothing') return;
    if (decision === 'wait') break;
    const requestedAt = known?.value.requestedAt ?? now;
    const expiresAt = requestedAt + ttl;
    // The record goes with the link: after that the address is forgotten, and may be entered anew.
    const life = { ttl: Math.max(expiresAt - now, 1_000) };
    const pending: Subscription = {
      address,
      list,
      state: 'pending',
      requestedAt,
      ...(requestedBy !== undefined && { requestedBy }),
      attemptUntil: now + ATTEMPT_TIMEOUT,
    };
    const claim = await store.compareAndSwap(record, known?.version ?? ABSENT, pending, life);
    if (!claim) continue;
    const token = signToken(platform.keys(CONFIRM_KEYS), {
      claims: [list, addressHash, locale],
      expiresAt,
    });
    const letter = confirmation(locale, {
      list,
      url: `${platform.publicUrl()}/subscribe-user/confirm?token=${token}`,
      expiresAt,
    });
    // Lost when the link was followed meanwhile: then the record is past all this.
    const settle = (change: Partial<Subscription>) =>
      store.compareAndSwap(record, claim.version, { ...pending, ...change }, life);
    try {
      await platform.mail(
        { to: address, ...renderLetter(letter) },
        { idempotencyKey: `${record} ${requestedAt}`, signal: context.signal },
      );
    } catch (error) {
      // Not deleted: after a timeout the mail may be there, and its link must work.
      await settle({ attemptUntil: 0 }).catch(() => undefined);
      throw error;
    }
    await settle({ mailedAt: clock.now() });
    return;
  }
  throw new Failure('in_progress');
};
