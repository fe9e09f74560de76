/**
 * A fresh code: drawn, its MAC stored for ten minutes, its message sealed and in the queue. All of it is harmless until
 * the challenge names it, which is the one write that counts.
 */
import { randomId } from '../../shared/random';
import { seal } from '../../shared/seal';
import { ABSENT } from '../../shared/store/store';
import { type Challenge, LIFETIME } from './challenge';
import { drawCode, macOf } from './code';
import { type Queued, queueKey, type Send } from './delivery';
import type { Parts } from './parts';

export interface Composition {
  readonly challenge: string;
  /** Its place among the messages of the challenge, from 0. */
  readonly n: number;
  readonly user: string;
  readonly purpose: string;
  readonly channel: Challenge['channel'];
  /** Empty for a decoy without a destination. */
  readonly to: string;
  readonly locale: string | undefined;
  /** Whether there is nobody to send it to. */
  readonly silent: boolean;
  /** Digest of the idempotency key of a resend. @default none */
  readonly key?: string | undefined;
  /** When the budgets granted it, ms since the epoch. */
  readonly at: number;
}

export interface Composed {
  readonly codeId: string;
  readonly keyId: string;
  /** Digests. */
  readonly user: string;
  readonly destination: string;
  /** @default there is none for channels without messages */
  readonly send?: Send;
}

/** What is sealed of a message until it is out. */
export interface SealedMessage {
  readonly user: string;
  readonly to: string;
  readonly code: string;
  readonly locale?: string;
}

/** ms */
const GRACE = 60_000;

export const createCompose = ({ platform, records }: Pick<Parts, 'platform' | 'records'>) => {
  const { store, random, keys } = platform;
  const { current: codeKey } = keys('two-factor code');
  const { current: digestKey } = keys('two-factor digest');
  const sealKeys = keys('two-factor seal');

  return async (composition: Composition): Promise<Composed> => {
    const { challenge, n, purpose, channel, to, locale, key, at } = composition;
    const code = drawCode(random);
    const codeId = randomId(random);
    const user = records.userDigest(digestKey, composition.user);
    const destination = records.destinationDigest(digestKey, channel, to);
    const made = macOf(codeKey, { challenge, user, purpose, destination }, code);
    const named = { codeId, keyId: codeKey.id, user, destination };
    if (channel === 'totp' || channel === 'recovery') {
      await records.putCode(challenge, codeId, { mac: made });
      return named;
    }
    const message: SealedMessage = {
      user: composition.user,
      to,
      code,
      ...(locale !== undefined && { locale }),
    };
    const queued: Queued = { challenge, n, at };
    // A little longer than its code, so that what was not sent in time is told so.
    const ttl = Math.max(LIFETIME + GRACE, store.capabilities.minTtl);
    await Promise.all([
      records.putCode(challenge, codeId, { mac: made }),
      // A repeat of a request that crashed finds its place in the queue taken, which is as good.
      store.compareAndSwap(queueKey(queued), ABSENT, queued, { ttl }),
    ]);
    return {
      ...named,
      send: {
        state: 'reserved',
        channel,
        at,
        tries: 0,
        ...(composition.silent && { silent: true }),
        ...(key !== undefined && { key }),
        message: seal(sealKeys, random, JSON.stringify(message), 'message', challenge, String(n)),
      },
    };
  };
};
