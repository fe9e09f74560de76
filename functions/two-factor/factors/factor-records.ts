/**
 * Where the records of factors are. A slot for each version of the key, named by the user's digest under it, holds the
 * id of the one record; so a new SECRET_KEY adds a slot, and the record itself, in which codes and steps are used up,
 * never moves: there is no moment at which it exists twice.
 *
 * Fails closed: what cannot be read or written is `store_unavailable`. While two processes have the same keys in another
 * order, two first enrolments of one user at the same instant may become two records, of which one is not seen again;
 * nothing in either is good twice.
 */
import { Failure } from '../../../shared/failure';
import { mac } from '../../../shared/keys';
import type { Platform } from '../../../shared/platform';
import { randomId } from '../../../shared/random';
import { ABSENT, type Entry } from '../../../shared/store/store';
import { type FactorRecord, recordKey, type Seals, slotKey } from './factor-record';

export interface Found {
  /** A stand-in when there is no record: to do the same work with. */
  readonly id: string;
  readonly entry: Entry<FactorRecord> | undefined;
}

export interface FactorRecords {
  /** By the user's digest under any version of the key; writes nothing. */
  byDigest(userDigest: string): Promise<Found>;
  /** Brings what it finds under the current key. */
  byUser(user: string): Promise<Found>;
  /** The id of the user's record, which is there from now on. */
  claim(user: string): Promise<string>;
  /** Whether it was written: nobody else was first. */
  swap(found: Found, next: FactorRecord): Promise<boolean>;
  /** Writes what `decide` makes of the latest record; the record itself changes nothing. */
  change(id: string, decide: (record: FactorRecord) => FactorRecord): Promise<void>;
}

interface Slot {
  readonly id: string;
}

/** A lost swap is a code used or a factor enrolled in the same instant, and nobody does much of it with one record. */
export const MAX_TRIES = 20;

export const createFactorRecords = (
  { store, keys, random }: Platform,
  seals: Seals,
): FactorRecords => {
  const digestKeys = keys('two-factor digest');
  /** The current one first. */
  const digestsOf = (user: string): readonly string[] =>
    digestKeys.all.map((key) => mac(key, 'user', user).toString('base64url'));

  const idAt = async (digest: string): Promise<string | undefined> =>
    (await store.get<Slot>(slotKey(digest)))?.value.id;

  const find = async (id: string): Promise<Found> => ({
    id,
    entry: await store.get<FactorRecord>(recordKey(id)),
  });

  const swap: FactorRecords['swap'] = async ({ id, entry }, next) => {
    const version = entry?.version ?? ABSENT;
    const written = await store.compareAndSwap(recordKey(id), version, seals.renew(next, id));
    return written !== undefined;
  };

  /**
   * Fills the empty slots, the oldest first: whoever has fewer versions has that one too, and the two agree on it.
   */
  const fill = async (digests: readonly string[], ids: readonly (string | undefined)[]) => {
    let id = ids.find((known) => known !== undefined);
    for (let i = digests.length - 1; i >= 0; i--) {
      if (ids[i] !== undefined) continue;
      const digest = digests[i] as string;
      const wanted = id ?? randomId(random);
      const mine = await store.compareAndSwap<Slot>(slotKey(digest), ABSENT, { id: wanted });
      id ??= mine ? wanted : await idAt(digest);
    }
    if (id === undefined) throw new Failure('store_unavailable');
    return id;
  };

  return {
    byDigest: async (userDigest) => find((await idAt(userDigest)) ?? userDigest),
    byUser: async (user) => {
      const digests = digestsOf(user);
      const ids = await Promise.all(digests.map(idAt));
      const known = ids.find((id) => id !== undefined);
      if (known === undefined) return find(digests[0] as string);
      if (ids[0] === undefined) await fill(digests, ids);
      const found = await find(known);
      // A lost swap is as good: whoever was first has brought it under the current key.
      if (found.entry && seals.renew(found.entry.value, known) !== found.entry.value)
        await swap(found, found.entry.value);
      return found;
    },
    claim: async (user) => {
      const digests = digestsOf(user);
      return fill(digests, await Promise.all(digests.map(idAt)));
    },
    swap,
    change: async (id, decide) => {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const found = await find(id);
        const latest = found.entry?.value ?? {};
        const next = decide(latest);
        if (next === latest || (await swap(found, next))) return;
      }
      throw new Failure('store_unavailable');
    },
  };
};
