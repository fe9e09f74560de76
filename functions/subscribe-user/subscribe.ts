/** Acts on the decision: the record is written before the mail goes out, and again when it is out. */
import { createHash } from 'node:crypto';
import { Failure } from '../../shared/failure';
import type { Context } from '../../shared/handler';
import type { Platform } from '../../shared/platform';
import { randomId } from '../../shared/random';
import { ABSENT } from '../../shared/store/store';
import { renderLetter } from '../../shared/templates/letter';
import { confirmation, type Locale } from './letters';
import { linkTo } from './links';
import {
  ATTEMPT_TIMEOUT,
  decideRequest,
  hashAddress,
  MAX_ROUNDS,
  type Subscription,
  subscriptionKey,
} from './subscription';

export interface SubscribeOptions {
  readonly address: string;
  /** The address in lower case: names its mailbox. */
  readonly addressKey: string;
  readonly list: string;
  readonly locale: Locale;
  /** Names the wish: the same one may be delivered again. */
  readonly key: string | undefined;
  /** How long the link that confirms is good, in ms. */
  readonly confirmTtl: number;
  /** How long the one that unsubscribes is, in ms. */
  readonly unsubscribeTtl: number;
}

/** Resolves when nothing is left to do. Rejects with `in_progress`, or as the store and the mail sender do. */
export const subscribe = async (
  platform: Platform,
  context: Context,
  { address, addressKey, list, locale, key, confirmTtl, unsubscribeTtl }: SubscribeOptions,
): Promise<void> => {
  const { store, clock, random } = platform;
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
    const { requestedAt, generation } =
      known?.value.state === 'pending'
        ? known.value
        : { requestedAt: now, generation: randomId(random) };
    const expiresAt = requestedAt + confirmTtl;
    // The record goes with the link: after that the address is forgotten, and may be entered anew.
    const life = { ttl: Math.max(expiresAt - now, 1_000) };
    const pending: Subscription = {
      address,
      list,
      state: 'pending',
      generation,
      requestedAt,
      ...(requestedBy !== undefined && { requestedBy }),
      attemptUntil: now + ATTEMPT_TIMEOUT,
    };
    const claim = await store.compareAndSwap(record, known?.version ?? ABSENT, pending, life);
    if (!claim) continue;
    const link = { list, addressHash, locale };
    const letter = confirmation(locale, {
      list,
      url: linkTo(platform, 'confirm', { ...link, generation, expiresAt }),
      expiresAt,
    });
    // To the letter the same at every attempt, as the mail has one Message-ID.
    const listUnsubscribe = linkTo(platform, 'unsubscribe', {
      ...link,
      generation: '',
      expiresAt: requestedAt + unsubscribeTtl,
    });
    // Lost when a link was followed meanwhile: then the record is past all this.
    const settle = (change: Partial<Subscription>) =>
      store.compareAndSwap(record, claim.version, { ...pending, ...change }, life);
    try {
      await platform.mail(
        { to: address, ...renderLetter(letter), listUnsubscribe },
        { idempotencyKey: `${record} ${generation}`, signal: context.signal },
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
