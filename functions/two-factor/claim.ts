/**
 * One challenge for an idempotency key: whoever comes first claims it for a while, who comes later gets the challenge or
 * is told to wait. A claim whose process died is taken over. Fails closed: without the store nothing is claimed.
 */
import { Failure } from '../../shared/failure';
import { fingerprint, hasFingerprint } from '../../shared/idempotency/fingerprint';
import { type Key, mac } from '../../shared/keys';
import { ABSENT, type Entry } from '../../shared/store/store';
import { type Challenge, type Claim, LEASE } from './challenge';
import type { Parts } from './parts';
import { inProgress } from './refusals';

export interface Issued {
  readonly challenge: string;
  readonly record: Challenge;
}

/**
 * The challenge that the key has already, or a claim on the one that it will have. Rejects with `in_progress`, and with
 * `idempotency_mismatch` when the key was used for something else.
 */
export const createClaim = ({ platform, records }: Pick<Parts, 'platform' | 'records'>) => {
  const { clock, keys } = platform;
  const idKeys = keys('two-factor challenge');
  const digestKeys = keys('two-factor digest');

  /** The id is a capability, so it cannot be the key itself; a key version of before may have made it. */
  const find = async (key: string) => {
    const ids = idKeys.all.map((version) => challengeId(version, key));
    for (const challenge of ids) {
      const entry = await records.find(challenge);
      if (entry) return { challenge, entry };
    }
    return { challenge: ids[0] as string, entry: undefined };
  };

  return async (
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
};

/** 128 bits, of the same shape as a random one. */
const challengeId = (key: Key, idempotencyKey: string): string =>
  mac(key, idempotencyKey).subarray(0, 16).toString('base64url');
