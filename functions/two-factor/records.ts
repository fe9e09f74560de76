/**
 * The records of challenges, and what makes them unreadable: digests for what is only compared, seals for what must be
 * read again. Fails closed: what cannot be read or written is `store_unavailable`.
 */
import { Failure } from '../../shared/failure';
import { equalSecrets, type Key, mac } from '../../shared/keys';
import { addressKey } from '../../shared/mail-address';
import type { Platform } from '../../shared/platform';
import { open, seal } from '../../shared/seal';
import { ABSENT, type Entry, type Version } from '../../shared/store/store';
import type { Settled } from './budget/budgets';
import {
  type Challenge,
  type Claim,
  type CodeRecord,
  challengeKey,
  codeKey,
  isLive,
  LIFETIME,
  REMEMBER,
  wrongGuesses,
} from './challenge';

/** For whom a challenge is, and where its messages go. */
export interface Person {
  readonly user: string;
  /** E.164 or the canonical mail address. @default there is none */
  readonly to?: string;
  readonly locale?: string;
}

/** Lost swaps are attempts, messages and reports of others, of which a challenge has only so many. */
const MAX_TRIES = 40;

export type Change = (challenge: Challenge) => Challenge | undefined;

export interface Records {
  /** Of a user: the same for all their challenges, and nothing to those without the key. */
  userDigest(key: Key, user: string): string;
  destinationDigest(key: Key, channel: string, to: string): string;
  /** Under every version of the key, the current one first. */
  userDigests(user: string): readonly string[];
  destinationDigests(channel: string, to: string): readonly string[];
  isUser(challenge: Challenge, user: string): boolean;
  sealPerson(challenge: string, person: Person): string;
  /** `undefined` when its key is gone. */
  person(challenge: string, record: Challenge): Person | undefined;
  find(challenge: string): Promise<Entry<Challenge | Claim> | undefined>;
  get(challenge: string): Promise<Entry<Challenge> | undefined>;
  /** `undefined`: somebody else was first. */
  put<T extends Challenge | Claim>(
    challenge: string,
    version: Version,
    value: T,
  ): Promise<Entry<T> | undefined>;
  /** Writes what `change` gives for the latest state; `undefined` when there is none or it gives nothing. */
  change(challenge: string, change: Change): Promise<Entry<Challenge> | undefined>;
  /** Never the same id twice, so nothing is overwritten. */
  putCode(challenge: string, codeId: string, record: CodeRecord): Promise<void>;
  getCode(challenge: string, codeId: string): Promise<CodeRecord | undefined>;
  /** Ends a challenge that is over for good, for its guesses to be counted. */
  settle(challenge: string): Promise<Settled>;
}

export const createRecords = ({ store, keys, clock, random }: Platform): Records => {
  const digestKeys = keys('two-factor digest');
  const sealKeys = keys('two-factor seal');
  const { minTtl } = store.capabilities;

  const userDigest = (key: Key, user: string): string =>
    mac(key, 'user', user).toString('base64url');
  const destinationDigest = (key: Key, channel: string, to: string): string =>
    mac(key, 'destination', channel, channel === 'mail' ? (addressKey(to) ?? to) : to).toString(
      'base64url',
    );

  const find: Records['find'] = (challenge) => store.get(challengeKey(challenge));

  const get: Records['get'] = async (challenge) => {
    const entry = await find(challenge);
    return entry && entry.value.state !== 'issuing' ? (entry as Entry<Challenge>) : undefined;
  };

  const put: Records['put'] = (challenge, version, value) =>
    store.compareAndSwap(challengeKey(challenge), version, value, {
      // Each write begins the day anew, so the last of a challenge is counted from.
      ttl: Math.max(REMEMBER, minTtl),
    });

  const change: Records['change'] = async (challenge, decide) => {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const entry = await get(challenge);
      const next = entry && decide(entry.value);
      if (!next) return undefined;
      const written = await put(challenge, entry.version, next);
      if (written) return written;
    }
    throw new Failure('store_unavailable');
  };

  return {
    userDigest,
    destinationDigest,
    userDigests: (user) => digestKeys.all.map((key) => userDigest(key, user)),
    destinationDigests: (channel, to) =>
      digestKeys.all.map((key) => destinationDigest(key, channel, to)),
    isUser: (challenge, user) => {
      const key = digestKeys.all.find(({ id }) => id === challenge.keyId);
      return key !== undefined && equalSecrets(userDigest(key, user), challenge.user);
    },
    sealPerson: (challenge, person) =>
      seal(sealKeys, random, JSON.stringify(person), 'challenge', challenge),
    person: (challenge, record) => {
      const text = open(sealKeys, record.sealed, 'challenge', challenge);
      return text === undefined ? undefined : (JSON.parse(text) as Person);
    },
    find,
    get,
    put,
    change,
    putCode: async (challenge, codeId, record) => {
      const ttl = Math.max(LIFETIME, minTtl);
      const put = await store.compareAndSwap(codeKey(challenge, codeId), ABSENT, record, { ttl });
      if (!put) throw new Failure('store_unavailable');
    },
    getCode: async (challenge, codeId) =>
      (await store.get<CodeRecord>(codeKey(challenge, codeId)))?.value,
    settle: async (challenge) => {
      const existing = await find(challenge);
      const now = clock.now();
      if (!existing || existing.value.state === 'issuing') {
        const claim = existing?.value as Claim | undefined;
        if (claim && now < claim.leaseUntil) return { state: 'live' };
        // Whoever was about to store it has the version of before, and comes too late.
        const over: Claim = { state: 'issuing', fingerprint: '', ...claim, leaseUntil: 0 };
        const voided = await put(challenge, existing?.version ?? ABSENT, over);
        return voided ? { state: 'ended', wrongGuesses: 0 } : { state: 'live' };
      }
      if (isLive(existing.value, now)) return { state: 'live' };
      // Written before it is believed: a process whose clock is behind could still begin an attempt.
      const closed = await change(challenge, (latest) => {
        if (isLive(latest, clock.now())) return undefined;
        return latest.state === 'open' ? { ...latest, state: 'closed' } : latest;
      });
      return closed
        ? {
            state: 'ended',
            wrongGuesses: wrongGuesses(closed.value),
            endedAt: closed.value.expiresAt,
          }
        : { state: 'live' };
    },
  };
};
