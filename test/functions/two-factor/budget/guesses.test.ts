import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Settled, Wish } from '../../../../functions/two-factor/budget/budgets';
import { type Ledger, MAX_GUESSES } from '../../../../functions/two-factor/budget/guesses';
import { systemClock } from '../../../../shared/clock';
import { memoryStore } from '../../../../shared/store/memory';
import {
  counting,
  DAY,
  HOUR,
  handClock,
  sharedStores,
  start,
  storeNames,
  verdictOf,
  wishOf,
} from './harness';

const LIFETIME = 600_000;
/** Guesses only: no cap on messages is in the way. */
const guessing = (wish: Partial<Wish> = {}): Wish => wishOf({ messages: false, ...wish });

/** Challenges as the function keeps them: five guesses, ten minutes a code, closed once they are settled. */
const challengesOf = (now: () => number) => {
  interface Challenge {
    state: 'open' | 'verified' | 'closed';
    attempts: number;
    sends: number;
    expiresAt: number;
  }
  const all = new Map<string, Challenge>();
  const isLive = ({ state, expiresAt }: Challenge): boolean =>
    state === 'open' && now() < expiresAt;
  return {
    all,
    open: (id: string): boolean => {
      if (all.has(id)) return false;
      all.set(id, { state: 'open', attempts: 0, sends: 1, expiresAt: now() + LIFETIME });
      return true;
    },
    /** Whether the guess was compared. */
    guess: (id: string, right: boolean): boolean => {
      const challenge = all.get(id);
      if (!challenge || !isLive(challenge) || challenge.attempts >= 5) return false;
      challenge.attempts += 1;
      if (right) challenge.state = 'verified';
      return true;
    },
    resend: (id: string): void => {
      const challenge = all.get(id);
      if (!challenge || !isLive(challenge) || challenge.sends >= 5) return;
      challenge.sends += 1;
      challenge.expiresAt = now() + LIFETIME;
    },
    settle: async (id: string): Promise<Settled> => {
      const challenge = all.get(id);
      if (!challenge) {
        all.set(id, { state: 'closed', attempts: 0, sends: 0, expiresAt: 0 });
        return { state: 'ended', wrongGuesses: 0 };
      }
      if (isLive(challenge)) return { state: 'live' };
      if (challenge.state === 'open') challenge.state = 'closed';
      const right = challenge.state === 'verified' ? 1 : 0;
      return { state: 'ended', wrongGuesses: challenge.attempts - right };
    },
  };
};

const world = () => {
  const clock = handClock();
  const challenges = challengesOf(clock.now);
  return { ...start({ clock, settle: challenges.settle }), challenges, clock };
};

describe('the guesses of a day', () => {
  test('four live challenges hold all of them; the fifth is refused, for the user and for the destination', async () => {
    for (const same of [{ userDigests: ['u'] }, { destinationDigests: ['d'] }]) {
      const { budgets, challenges } = world();
      const verdicts: string[] = [];
      for (let i = 0; i < 5; i++) {
        const wish = guessing(same);
        verdicts.push(verdictOf(await budgets.issue(wish)));
        challenges.open(wish.challenge);
      }
      const [reason] = Object.keys(same).map((key) => key.replace('Digests', ''));
      expect(verdicts).toEqual(['granted', 'granted', 'granted', 'granted', reason]);
    }
  });

  test('a challenge has all of its guesses or is refused', async () => {
    const { budgets, challenges, clock } = world();
    for (const wrong of [5, 5, 5, 1]) {
      const wish = guessing({ userDigests: ['u'] });
      await budgets.issue(wish);
      challenges.open(wish.challenge);
      for (let guess = 0; guess < wrong; guess++) challenges.guess(wish.challenge, false);
      clock.time += LIFETIME;
    }
    expect(await budgets.issue(guessing({ userDigests: ['u'] }))).toMatchObject({ granted: false });
  });

  test('what a right code did not use comes back at once', async () => {
    const { budgets, challenges } = world();
    for (let i = 0; i < 50; i++) {
      const wish = guessing({ userDigests: ['u'], destinationDigests: ['d'] });
      expect(await budgets.issue(wish)).toMatchObject({ granted: true });
      challenges.open(wish.challenge);
      challenges.guess(wish.challenge, true);
    }
  });

  test('what was guessed wrong counts until a day after its challenge has ended, and is told so', async () => {
    const { budgets, challenges, clock } = world();
    for (let i = 0; i < 4; i++) {
      const wish = guessing({ userDigests: ['u'] });
      expect(await budgets.issue(wish)).toMatchObject({ granted: true });
      challenges.open(wish.challenge);
      for (let guess = 0; guess < 5; guess++) challenges.guess(wish.challenge, false);
    }
    clock.time += LIFETIME;
    const refused = await budgets.issue(guessing({ userDigests: ['u'] }));
    expect(refused).toMatchObject({ granted: false, reason: 'user' });
    const { retryAfter } = refused as { retryAfter: number };
    expect(retryAfter).toBeGreaterThanOrEqual(DAY);
    clock.time += retryAfter - 1;
    expect(await budgets.issue(guessing({ userDigests: ['u'] }))).toMatchObject({ granted: false });
    clock.time += 1;
    expect(await budgets.issue(guessing({ userDigests: ['u'] }))).toMatchObject({ granted: true });
  });

  test('a challenge reserves once, however often it is asked for', async () => {
    const { budgets } = world();
    const wish = guessing({ userDigests: ['u'], destinationDigests: ['d'] });
    for (let i = 0; i < 10; i++) expect(await budgets.issue(wish)).toMatchObject({ granted: true });
    await Promise.all(Array.from({ length: 10 }, () => budgets.issue(wish)));
    for (let i = 0; i < 3; i++)
      expect(
        await budgets.issue(guessing({ userDigests: ['u'], destinationDigests: ['d'] })),
      ).toMatchObject({ granted: true });
    expect(await budgets.issue(wish)).toMatchObject({ granted: true });
  });

  test('a live challenge that is full keeps its own reservation when others are refused', async () => {
    const { budgets, challenges } = world();
    const mine = guessing({ destinationDigests: ['d'] });
    await budgets.issue(mine);
    challenges.open(mine.challenge);
    for (let i = 0; i < 30; i++) {
      const other = guessing({ destinationDigests: ['d'] });
      if ((await budgets.issue(other)).granted) challenges.open(other.challenge);
    }
    expect(challenges.guess(mine.challenge, true)).toBe(true);
  });

  test('issues at once for one user and one destination do not take the room from each other', async () => {
    const { stores } = await sharedStores.memory(2);
    /** By which one of the two ledgers comes late. */
    const late = ['user', 'destination'];
    const parts = stores.map((store, i) =>
      start({
        store: {
          ...store,
          get: async (key) => {
            if (key.includes(`guesses/${late[i]}`)) await systemClock.sleep(20);
            return store.get(key);
          },
        },
      }),
    );
    const same = { userDigests: ['u'], destinationDigests: ['d'] };
    const grants = await Promise.all(
      Array.from({ length: 8 }, (_, i) => parts[i % 2]?.budgets.issue(guessing(same))),
    );
    expect(grants.filter((grant) => grant?.granted)).toHaveLength(4);
  });

  test('a reservation whose challenge was never made is settled, which closes it', async () => {
    const { budgets, challenges } = world();
    const lost = Array.from({ length: 4 }, () => guessing({ userDigests: ['u'] }));
    for (const wish of lost) await budgets.issue(wish);
    expect(await budgets.issue(guessing({ userDigests: ['u'] }))).toMatchObject({ granted: true });
    for (const { challenge } of lost) expect(challenges.open(challenge)).toBe(false);
  });

  test('a decoy counts for its user, and not for the destination', async () => {
    const { budgets } = start();
    const verdicts: string[] = [];
    for (let i = 0; i < 5; i++)
      verdicts.push(
        verdictOf(
          await budgets.issue(
            guessing({ userDigests: ['u'], destinationDigests: ['d'], decoy: true }),
          ),
        ),
      );
    expect(verdicts).toEqual(['granted', 'granted', 'granted', 'granted', 'user']);
    expect(await budgets.issue(guessing({ destinationDigests: ['d'] }))).toMatchObject({
      granted: true,
    });
  });

  test('after a change of keys, what was reserved under the former one still counts', async () => {
    const { budgets, store } = start();
    for (let i = 0; i < 3; i++) await budgets.issue(guessing({ userDigests: ['old'] }));
    expect(await budgets.issue(guessing({ userDigests: ['new', 'old'] }))).toMatchObject({
      granted: true,
    });
    const refused = guessing({ userDigests: ['new', 'old'] });
    expect(await budgets.issue(refused)).toMatchObject({ granted: false });
    const ledger = await store.get<Ledger>('two-factor/guesses/user/new');
    expect(ledger?.value).toMatchObject({ reservations: [{ state: 'reserved' }], refused: 1 });
  });

  test('a challenge that was issued under the former key is no other under the new one', async () => {
    const { budgets } = start();
    const wishes = Array.from({ length: 4 }, () => guessing({ userDigests: ['old'] }));
    for (const wish of wishes) await budgets.issue(wish);
    for (const wish of wishes)
      expect(await budgets.issue({ ...wish, userDigests: ['new', 'old'] })).toMatchObject({
        granted: true,
      });
  });

  test('for a decoy nothing is settled on behalf of a destination', async () => {
    const asked: string[] = [];
    const { budgets } = start({
      settle: async (challenge) => {
        asked.push(challenge);
        return { state: 'live' };
      },
    });
    for (let i = 0; i < 5; i++) await budgets.issue(guessing({ userDigests: ['u'], decoy: true }));
    expect(asked).toHaveLength(4);
  });

  test('instances of before and after a change of keys never grant more than the day has', async () => {
    for (let round = 0; round < 20; round++) {
      const { stores } = await sharedStores.memory(2);
      const grants = await Promise.all(
        Array.from({ length: 12 }, (_, i) => {
          const userDigests = i % 2 === 0 ? ['old', 'new'] : ['new', 'old'];
          const { budgets } = start({ store: stores[i % 2] as (typeof stores)[number] });
          return budgets.issue(guessing({ userDigests }));
        }),
      );
      expect(grants.filter(({ granted }) => granted).length).toBeLessThanOrEqual(4);
    }
  });

  test('a refusal reads and writes as often as a grant', async () => {
    const clock = handClock();
    const { store, counts } = counting(memoryStore({ clock }));
    const { budgets } = start({ clock, store });
    const operations: string[] = [];
    for (let i = 0; i < 6; i++) {
      counts.reads = 0;
      counts.writes = 0;
      const { granted } = await budgets.issue(guessing({ userDigests: ['u'] }));
      operations.push(`${granted} ${counts.reads} ${counts.writes}`);
    }
    expect(operations).toEqual([
      'true 2 2',
      'true 2 2',
      'true 2 2',
      'true 2 2',
      'false 2 2',
      'false 2 2',
    ]);
  });
});

type Command =
  | {
      readonly kind: 'issue';
      readonly user: number;
      readonly destination: number;
      readonly made: boolean;
    }
  | { readonly kind: 'repeat' | 'resend'; readonly pick: number }
  | {
      readonly kind: 'guess';
      readonly pick: number;
      readonly times: number;
      readonly right: boolean;
    }
  | { readonly kind: 'wait'; readonly ms: number };

const pick = fc.nat({ max: 7 });
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('issue' as const),
      user: fc.nat({ max: 1 }),
      destination: fc.nat({ max: 1 }),
      made: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('guess' as const),
      pick,
      times: fc.integer({ min: 1, max: 6 }),
      right: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('repeat' as const, 'resend' as const), pick }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.oneof(
        fc.integer({ min: 1, max: 700_000 }),
        fc.integer({ min: 1, max: 26 }).map((hours) => hours * HOUR),
        fc.constantFrom(DAY - LIFETIME, DAY - 1, DAY, LIFETIME - 1),
      ),
    }),
  },
);

test('in no 24 hours are more than 20 wrong guesses compared, for a user or a destination, whatever is done', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 20, maxLength: 120 }), async (commands) => {
      const { budgets, challenges, clock } = world();
      const issued: Wish[] = [];
      const issuedAt = new Map<Wish, number>();
      const wrong: { at: number; user: string; destination: string }[] = [];
      const within = (ms: number, of: (guess: (typeof wrong)[number]) => boolean) =>
        wrong.filter((guess) => guess.at > clock.now() - ms && of(guess)).length;
      const recent = (i: number) => issued[issued.length - 1 - i];
      for (const next of commands) {
        if (next.kind === 'wait') clock.time += next.ms;
        if (next.kind === 'resend') challenges.resend(recent(next.pick)?.challenge ?? '');
        if (next.kind === 'repeat') {
          const wish = recent(next.pick);
          // Delivered again after a crash: made now if it was not before. Its key is remembered for a day.
          const isRemembered = wish && clock.now() < (issuedAt.get(wish) ?? 0) + DAY;
          if (isRemembered && (await budgets.issue(wish)).granted) challenges.open(wish.challenge);
        }
        if (next.kind === 'issue') {
          const user = `user ${next.user}`;
          const destination = `destination ${next.destination}`;
          const wish = guessing({ userDigests: [user], destinationDigests: [destination] });
          // Room for whoever has it: what was guessed, and what live ones may still guess.
          const live = (of: (wish: Wish) => boolean) =>
            issued.filter(
              (other) => of(other) && isOpen(challenges.all.get(other.challenge), clock.now()),
            ).length * 5;
          const isFree = [
            within(DAY + 2 * HOUR, (guess) => guess.user === user) +
              live((other) => other.userDigests[0] === user),
            within(DAY + 2 * HOUR, (guess) => guess.destination === destination) +
              live((other) => other.destinationDigests[0] === destination),
          ].every((held) => held + 5 <= MAX_GUESSES);
          const { granted } = await budgets.issue(wish);
          if (isFree) expect(granted).toBe(true);
          if (granted && next.made) challenges.open(wish.challenge);
          if (granted) {
            issued.push(wish);
            issuedAt.set(wish, clock.now());
          }
        }
        if (next.kind === 'guess')
          for (let time = 0; time < next.times; time++) {
            const wish = recent(next.pick);
            const right = next.right && time === 0;
            if (!wish || !challenges.guess(wish.challenge, right) || right) continue;
            const [user = '', destination = ''] = [wish.userDigests[0], wish.destinationDigests[0]];
            wrong.push({ at: clock.now(), user, destination });
            expect(within(DAY, (guess) => guess.user === user)).toBeLessThanOrEqual(MAX_GUESSES);
            expect(within(DAY, (guess) => guess.destination === destination)).toBeLessThanOrEqual(
              MAX_GUESSES,
            );
          }
      }
    }),
    { numRuns: 300 },
  );
});

const isOpen = (
  challenge: { state: string; expiresAt: number } | undefined,
  now: number,
): boolean => challenge?.state === 'open' && now < challenge.expiresAt;

describe.each(storeNames)('over %s, by four processes at once', (name) => {
  test('200 issues for one user and one destination: exactly four are granted', async () => {
    const shared = await sharedStores[name](4);
    try {
      const parts = shared.stores.map((store) => start({ store, clock: systemClock }));
      const grants = await Promise.all(
        Array.from({ length: 200 }, (_, i) =>
          (parts[i % 4] as (typeof parts)[number]).budgets.issue(
            guessing({ userDigests: ['u'], destinationDigests: ['d'] }),
          ),
        ),
      );
      expect(grants.filter(({ granted }) => granted)).toHaveLength(4);
    } finally {
      await shared.close();
    }
  });
});
