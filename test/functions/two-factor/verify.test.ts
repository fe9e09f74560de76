import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { LIFETIME, MAX_ATTEMPTS } from '../../../functions/two-factor/challenge';
import { Failure } from '../../../shared/failure';
import { deriveKeys } from '../../../shared/keys';
import { systemRandom } from '../../../shared/random';
import { memoryStore } from '../../../shared/store/memory';
import { sqliteStore } from '../../../shared/store/sqlite';
import type { Store } from '../../../shared/store/store';
import { manualClock } from '../../support/manual-clock';
import { testPlatform } from '../../support/test-platform';
import {
  codesFrom,
  countingKeys,
  lastCode,
  MAIL,
  PHONE,
  serve,
  start,
  withParts,
  wrongCodes,
} from './harness';

/** Somebody else each time: four wrong guesses each are more than one may make in a day. */
const person = (n: number) => ({ user: `user-${n}`, email: `user-${n}@example.com` });

const OLD = 'an old test secret of at least 32 chars';
const NEW = 'a new test secret of at least 32 characters';

describe('a code', () => {
  test('A9: verifies once, and never again', async () => {
    const { platform, issue, verify } = start();
    const { challenge } = (await issue()).body;
    const code = lastCode(platform);
    const first = await verify(challenge, code);
    expect([first.status, first.body]).toEqual([
      200,
      { status: 'verified', token: expect.any(String) },
    ]);
    const second = await verify(challenge, code);
    expect([second.status, second.body.code]).toEqual([401, 'verification_failed']);
  });

  test('A11: is good until the last millisecond of its ten minutes by our clock, whatever the store says', async () => {
    for (const [age, status] of [
      [LIFETIME - 1, 200],
      [LIFETIME, 401],
    ] as const) {
      const { platform, issue, verify } = start({ store: memoryStore({ clock: manualClock() }) });
      const { challenge, expiresAt } = (await issue()).body;
      expect(Date.parse(expiresAt) - platform.clock.now()).toBe(600_000);
      await platform.clock.advance(age);
      expect((await verify(challenge, lastCode(platform))).status).toBe(status);
    }
  });

  test.each([0, 1])(
    'is dropped by the store after ten minutes too, after %i attempts: a clock that goes back revives nothing',
    async (attempts) => {
      const clock = manualClock();
      const { platform, issue, verify } = start({ store: memoryStore({ clock }) });
      const { challenge } = (await issue()).body;
      for (const wrong of wrongCodes(lastCode(platform), attempts)) await verify(challenge, wrong);
      await clock.advance(600_000);
      expect((await verify(challenge, lastCode(platform))).status).toBe(401);
    },
  );

  test.each([
    ['another challenge', { user: 'user-1', phoneNumber: PHONE }, {}],
    ['another user', undefined, { user: 'user-2' }],
    ['another purpose', undefined, { purpose: 'payment' }],
  ])('A9: is wrong for %s', async (_, other, asked) => {
    const { platform, issue, verify } = start({ random: codesFrom(123_456) });
    const first = (await issue()).body;
    const code = lastCode(platform);
    const challenge = other ? (await issue(other)).body.challenge : first.challenge;
    const { status, body } = await verify(challenge, code, asked);
    expect([status, body.code]).toEqual([401, 'verification_failed']);
  });

  test('is right for the user and purpose it was issued for', async () => {
    const { platform, issue, verify } = start();
    const { challenge } = (await issue({ user: 'user-1', email: MAIL, purpose: 'payment' })).body;
    const asked = { user: 'user-1', purpose: 'payment' };
    expect((await verify(challenge, lastCode(platform), asked)).status).toBe(200);
  });

  test.each(['user', 'purpose', 'destination'])(
    'is worthless in a record whose %s was exchanged',
    async (part) => {
      const { platform, issue, verify } = start();
      const { challenge } = (await issue()).body;
      const code = lastCode(platform);
      await issue({ user: 'user-2', email: MAIL, purpose: 'payment' });
      const { entries } =
        await platform.store.list<Record<string, string>>('two-factor/challenge/');
      const own = entries.find(({ key }) => key.endsWith(challenge));
      const other = entries.find(({ key }) => !key.endsWith(challenge));
      if (!own || !other) throw new Error('both challenges must be stored');
      expect(own.value[part]).not.toBe(other.value[part]);
      const mixed = { ...own.value, [part]: other.value[part] };
      await platform.store.compareAndSwap(own.key, own.version, mixed);
      expect((await verify(challenge, code)).status).toBe(401);
    },
  );

  test('still verifies after SECRET_KEY got a new version, and not when the old one is gone', async () => {
    const before = start({ keys: deriveKeys(OLD) });
    const { challenge } = (await before.issue({ user: 'user-1', phoneNumber: PHONE })).body;
    const code = lastCode(before.platform);
    const gone = serve(withParts(before.platform, { keys: deriveKeys(NEW) }));
    expect((await gone.verify(challenge, code)).status).toBe(401);
    const rotated = serve(withParts(before.platform, { keys: deriveKeys(`${NEW},${OLD}`) }));
    expect((await rotated.verify(challenge, code, { user: 'user-1' })).status).toBe(200);
  });
});

/** Every step takes a few turns of the loop, more or less. */
const jittery = (store: Store): Store => {
  const after =
    <A extends unknown[], R>(method: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      for (let turns = systemRandom.below(4); turns > 0; turns--)
        await new Promise((resolve) => setImmediate(resolve));
      return method(...args);
    };
  return {
    ...store,
    get: after(store.get) as Store['get'],
    compareAndSwap: after(store.compareAndSwap) as Store['compareAndSwap'],
    delete: after(store.delete),
  };
};

/** Something happens once, at the worst moment: a code is known to be right and not yet used up. */
const beforeUse = (store: Store, happen: () => Promise<void>): Store => {
  let happened = false;
  return {
    ...store,
    compareAndSwap: async (key, expected, value, options) => {
      if (!happened && (value as { state?: string }).state === 'verified') {
        happened = true;
        await happen();
      }
      return store.compareAndSwap(key, expected, value, options);
    },
  };
};

test('a code that a fresh one replaced while it was compared is void, and the fresh one is not used up', async () => {
  const platform = testPlatform({ random: codesFrom(1_000) });
  const { issue, verify, resend } = serve(platform);
  const { challenge } = (await issue()).body;
  await platform.clock.advance(30_000);
  const store = beforeUse(platform.store, async () => void (await resend(challenge)));
  const late = serve(withParts(platform, { store }));
  expect((await late.verify(challenge, '001000')).status).toBe(401);
  expect(lastCode(platform)).toBe('001001');
  expect((await verify(challenge, '001001')).status).toBe(200);
});

describe('the five attempts', () => {
  test('of 1,000 wrong codes at once exactly five are compared, and then the right one comes too late', async () => {
    const { keys, counter } = countingKeys();
    const { platform, issue, verify } = start({ keys });
    const { challenge } = (await issue()).body;
    const code = lastCode(platform);
    counter.macs = 0;
    const answers = await Promise.all(
      wrongCodes(code, 1_000).map((wrong) => verify(challenge, wrong)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(counter.macs).toBe(5);
    expect((await verify(challenge, code)).status).toBe(401);
    expect(counter.macs).toBe(MAX_ATTEMPTS);
  });

  test('of 1,000 right codes at once exactly one is verified', async () => {
    const { platform, issue, verify } = start();
    const { challenge } = (await issue()).body;
    const code = lastCode(platform);
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => verify(challenge, code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(999);
  });

  test('the right code amid four wrong ones wins, 100 times of 100, however their steps mix', async () => {
    const platform = testPlatform();
    const { issue, verify } = serve(withParts(platform, { store: jittery(platform.store) }));
    for (let round = 0; round < 100; round++) {
      const { challenge } = (await issue(person(round))).body;
      const code = lastCode(platform);
      const codes = wrongCodes(code, 4);
      codes.splice(round % 5, 0, code);
      const answers = await Promise.all(codes.map((guess) => verify(challenge, guess)));
      expect(answers.map(({ status }) => status)).toEqual(
        codes.map((guess) => (guess === code ? 200 : 401)),
      );
    }
  });

  test('let the right code win when the four wrong ones come between its comparison and its use', async () => {
    const platform = testPlatform();
    const { issue, verify } = serve(platform);
    const { challenge } = (await issue()).body;
    const code = lastCode(platform);
    const between = async () => {
      for (const wrong of wrongCodes(code, 4))
        expect((await verify(challenge, wrong)).status).toBe(401);
    };
    const store = beforeUse(platform.store, between);
    expect((await serve(withParts(platform, { store })).verify(challenge, code)).status).toBe(200);
    expect((await verify(challenge, code)).status).toBe(401);
  });

  test('A7: are counted before the code is compared: a crash in between gives none back', async () => {
    const platform = testPlatform();
    const { issue, verify } = serve(platform);
    const { challenge } = (await issue()).body;
    const code = lastCode(platform);
    const dead = beforeUse(platform.store, async () => {
      throw new Failure('store_unavailable');
    });
    expect((await serve(withParts(platform, { store: dead })).verify(challenge, code)).status).toBe(
      503,
    );
    for (const wrong of wrongCodes(code, MAX_ATTEMPTS - 1)) await verify(challenge, wrong);
    expect((await verify(challenge, code)).status).toBe(401);
  });

  test.each([
    ['seven digits', '1234567'],
    ['a space where none is put', '1234 56'],
    ['full-width digits', '１２３４５６'],
    ['a line end within', '123\n456'],
    ['a number', 123456],
    ['a list', ['123456']],
    ['nothing', ''],
  ])('are not spent on %s: 400', async (_, malformed) => {
    const { platform, issue, call, verify } = start();
    const { challenge } = (await issue()).body;
    for (let i = 0; i < MAX_ATTEMPTS; i++) {
      const { status, body } = await call('/verify', { body: { challenge, code: malformed } });
      expect([status, body.code, body.errors[0].pointer]).toEqual([400, 'invalid_input', '/code']);
    }
    expect((await verify(challenge, lastCode(platform))).status).toBe(200);
  });

  test('of one challenge are not spent by guesses at another', async () => {
    const { platform, issue, verify } = start();
    const { challenge } = (await issue()).body;
    const code = lastCode(platform);
    const other = (await issue()).body.challenge;
    for (const wrong of wrongCodes(lastCode(platform), MAX_ATTEMPTS)) await verify(other, wrong);
    expect((await verify(challenge, code)).status).toBe(200);
  });
});

test('wrong, used, expired, exhausted and unknown look the same to the byte', async () => {
  const { platform, issue, verify } = start();
  const { challenge } = (await issue()).body;
  const code = lastCode(platform);
  const [wrong] = wrongCodes(code, 1) as [string];
  const seen = new Set<string>();
  const note = async (id: string, guess: string) => {
    const { status, text, headers } = await verify(id, guess);
    expect(status).toBe(401);
    seen.add(JSON.stringify([text, [...headers.entries()]]));
  };
  await note(challenge, wrong);
  await verify(challenge, code);
  await note(challenge, code);
  await note('A'.repeat(22), code);
  const exhausted = (await issue()).body.challenge;
  const [bad] = wrongCodes(lastCode(platform), 1) as [string];
  for (let i = 0; i <= MAX_ATTEMPTS; i++) await note(exhausted, bad);
  await note(exhausted, lastCode(platform));
  const expired = (await issue()).body.challenge;
  await platform.clock.advance(LIFETIME);
  await note(expired, lastCode(platform));
  expect(seen.size).toBe(1);
});

test('without the store nothing is verified', async () => {
  const { platform, issue, verify } = start();
  const { challenge } = (await issue()).body;
  await platform.store.close();
  const { status, body } = await verify(challenge, lastCode(platform));
  expect([status, body.code]).toEqual([503, 'store_unavailable']);
});

test('two processes on one SQLite file: five compared, one verified, the right code wins amid four wrong', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'two-factor-'));
  const stores: Store[] = [];
  try {
    const { keys, counter } = countingKeys();
    const platform = testPlatform({ keys });
    const open = () => {
      const store = sqliteStore({ path: join(folder, 'store.db'), clock: platform.clock });
      stores.push(store);
      return serve(withParts(platform, { store }));
    };
    const a = open();
    const b = open();
    const either = (i: number) => (i % 2 === 0 ? a : b);

    const guessed = (await a.issue(person(100))).body.challenge;
    counter.macs = 0;
    await Promise.all(
      wrongCodes(lastCode(platform), 200).map((wrong, i) => either(i).verify(guessed, wrong)),
    );
    expect(counter.macs).toBe(MAX_ATTEMPTS);

    const { challenge } = (await b.issue(person(101))).body;
    const code = lastCode(platform);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => either(i).verify(challenge, code)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);

    for (let round = 0; round < 10; round++) {
      const id = (await a.issue(person(round))).body.challenge;
      const right = lastCode(platform);
      const codes = [right, ...wrongCodes(right, 4)];
      const tried = await Promise.all(codes.map((guess, i) => either(i).verify(id, guess)));
      expect(tried.map(({ status }) => status)).toEqual([200, 401, 401, 401, 401]);
    }
  } finally {
    await Promise.all(stores.map((store) => store.close()));
    rmSync(folder, { recursive: true });
  }
});
