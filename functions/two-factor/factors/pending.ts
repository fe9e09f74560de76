/**
 * An authenticator from its secret to its first code. A try is counted before the code is compared, and what is right is
 * taken away before it counts, both by compare-and-swap: at most five codes are compared, and one confirms.
 *
 * Fails closed: a crash between the two leaves an authenticator that must be enrolled again, never one that is
 * confirmed twice, whose used step would go back.
 */
import { Failure } from '../../../shared/failure';
import { ABSENT, type Entry } from '../../../shared/store/store';
import { decodeBase32, encodeBase32 } from './base32';
import type { EnrolmentOptions } from './enrol';
import { type PendingTotp, pendingKey } from './factor-record';
import { MAX_TRIES } from './factor-records';
import { matchStep, SECRET_BYTES } from './totp';

/** How long a secret waits for its first code, in ms. */
export const PENDING_LIFETIME = 900_000;

export const MAX_CONFIRMS = 5;

export interface Pending {
  /** Takes the place of whatever waited for this user before. */
  begin(id: string, secret: Uint8Array): Promise<void>;
  /** Whether the code was right; then the authenticator is enrolled, and the step of the code used up. */
  confirm(id: string, code: string): Promise<boolean>;
}

export const createPending = ({
  platform: { store, clock, random },
  records,
  seals,
}: Pick<EnrolmentOptions, 'platform' | 'records' | 'seals'>): Pending => {
  const nobody = random.bytes(SECRET_BYTES);
  const put = (id: string, version: number, value: PendingTotp, now: number) =>
    store.compareAndSwap(pendingKey(id), version, value, {
      ttl: Math.max(value.expiresAt - now, store.capabilities.minTtl),
    });

  /** The pending one with this try counted in it; `undefined` when there is none, or no try left. */
  const count = async (id: string): Promise<Entry<PendingTotp> | undefined> => {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const entry = await store.get<PendingTotp>(pendingKey(id));
      const now = clock.now();
      if (!entry || now >= entry.value.expiresAt || entry.value.tries >= MAX_CONFIRMS)
        return undefined;
      const begun = { ...entry.value, tries: entry.value.tries + 1 };
      const counted = await put(id, entry.version, begun, now);
      if (counted) return counted;
    }
    throw new Failure('store_unavailable');
  };

  /** Whether it was ours to take. */
  const take = async ({ key, value, version }: Entry<PendingTotp>): Promise<boolean> => {
    let latest = version;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if (await store.delete(key, latest)) return true;
      const entry = await store.get<PendingTotp>(key);
      // Gone: confirmed already. Another secret: enrolled anew.
      if (entry?.value.secret !== value.secret) return false;
      latest = entry.version;
    }
    throw new Failure('store_unavailable');
  };

  return {
    begin: async (id, secret) => {
      const sealed = seals.close(encodeBase32(secret), 'totp pending', id);
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const before = await store.get(pendingKey(id));
        const now = clock.now();
        const value = { secret: sealed, tries: 0, expiresAt: now + PENDING_LIFETIME };
        if (await put(id, before?.version ?? ABSENT, value, now)) return;
      }
      throw new Failure('store_unavailable');
    },

    confirm: async (id, code) => {
      const counted = await count(id);
      const text = counted && seals.read(counted.value.secret, 'totp pending', id);
      const secret = text === undefined ? undefined : decodeBase32(text);
      const step = matchStep({
        secret: secret ?? nobody,
        code,
        now: clock.now(),
        usedStep: -1,
      });
      if (!counted || !secret || step === undefined || !(await take(counted))) return false;
      const sealed = seals.close(encodeBase32(secret), 'totp', id);
      await records.change(id, (record) => ({
        ...record,
        totp: { secret: sealed, usedStep: step },
      }));
      return true;
    },
  };
};
