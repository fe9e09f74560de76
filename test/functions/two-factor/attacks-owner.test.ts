/** A6, A29: strangers cannot take the owner's code away: not by guesses, not by asking for more codes. */
import { describe, expect, test } from '@jest/globals';
import { createFactors } from '../../../functions/two-factor/factors/factors';
import { createRecords } from '../../../functions/two-factor/records';
import { systemRandom } from '../../../shared/random';
import type { Store } from '../../../shared/store/store';
import { type TestPlatform, testPlatform } from '../../support/test-platform';
import { codeIn, lastCode, MAIL, PHONE, SMS, serve, withParts, wrongCodes } from './harness';

const HOUR = 3_600_000;

/** Every step takes a few turns of the event loop, more or less. */
const jittery = (store: Store): Store => {
  const pause = async () => {
    for (let turns = systemRandom.below(4); turns > 0; turns--)
      await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    ...store,
    get: async (key) => {
      await pause();
      return store.get(key);
    },
    compareAndSwap: async (...swap) => {
      await pause();
      return store.compareAndSwap(...swap);
    },
  };
};

test('A6: the right code amid four wrong ones wins, 1,000 times of 1,000', async () => {
  const platform = testPlatform();
  const { issue, context } = serve(platform);
  const { verify } = serve(withParts(platform, { store: jittery(platform.store) }));
  let won = 0;
  for (let round = 0; round < 1_000; round++) {
    const person = { user: `user-${round}`, email: `user-${round}@example.com` };
    Object.assign(context, { clientAddress: `198.51.100.${round >> 3}` });
    const { challenge } = (await issue(person)).body;
    const code = lastCode(platform);
    const codes = wrongCodes(code, 4);
    codes.splice(round % 5, 0, code);
    const answers = await Promise.all(codes.map((guess) => verify(challenge, guess)));
    const right = answers.flatMap(({ status }, i) => (status === 200 ? [codes[i]] : []));
    expect(right).toEqual([code]);
    won += right.length;
  }
  expect(won).toBe(1_000);
}, 120_000);

/** All that somebody who knows the owner's name and number can ask for, until nothing is sent any more. */
const flood = async (platform: TestPlatform) => {
  const { issue, context } = serve(platform);
  const from = (n: number) =>
    Object.assign(context, { clientAddress: `198.51.${n >> 7}.${n % 128}` });
  for (let n = 0; n < 300; n++) {
    from(n);
    const neighbour = `+1202555${String(2_000 + n).padStart(4, '0')}`;
    await issue({ user: 'user-1', phoneNumber: PHONE });
    await issue({ user: 'user-1', phoneNumber: neighbour });
    await issue({ user: 'user-1', email: MAIL });
    await issue({ user: `stranger-${n}`, phoneNumber: PHONE });
    await issue({ user: `stranger-${n}`, phoneNumber: neighbour });
  }
  const before = platform.messages.length + platform.mails.length;
  for (const wish of [SMS, { user: 'user-1', email: MAIL }, { user: 'new', phoneNumber: PHONE }])
    await issue(wish);
  expect(platform.messages.length + platform.mails.length).toBe(before);
};

describe('A29: a flood of codes asked for in the owner’s name', () => {
  test('A29: makes no code fail that the owner has', async () => {
    const platform = testPlatform();
    const { issue, resend, verify } = serve(platform);
    const { challenge } = (await issue()).body;
    const code = lastCode(platform);
    await flood(platform);
    // No other message, and so no fresh code in the place of this one.
    expect((await resend(challenge)).status).toBe(429);
    expect((await verify(challenge, code)).status).toBe(200);
  });

  test('A29: ends: what was not guessed comes back after ten minutes, messages after an hour', async () => {
    const platform = testPlatform();
    await flood(platform);
    await platform.clock.advance(HOUR + 60_000);
    const { issue, verify } = serve(platform);
    const before = platform.mails.length;
    const { challenge } = (await issue({ user: 'user-1', email: MAIL })).body;
    expect(platform.mails).toHaveLength(before + 1);
    expect((await verify(challenge, lastCodeOf(platform.mails))).status).toBe(200);
  });

  test('A29: leaves the other channel of a live challenge open, with what is left of its guesses', async () => {
    const platform = testPlatform();
    await createFactors(platform).enrolDestination('user-1', { channel: 'mail', to: MAIL });
    const { issue, resend, verify } = serve(platform);
    const { challenge } = (await issue()).body;
    for (const wrong of wrongCodes(lastCode(platform), 3)) await verify(challenge, wrong);
    await flood(platform);
    await platform.clock.advance(30_000);
    expect((await resend(challenge)).status).toBe(429);
    expect((await resend(challenge, { channel: 'mail' })).status).toBe(202);
    const code = lastCodeOf(platform.mails);
    await verify(challenge, wrongCodes(code, 1)[0] as string);
    expect((await createRecords(platform).get(challenge))?.value.attempts).toBe(4);
    expect((await verify(challenge, code)).status).toBe(200);
  });
});

const lastCodeOf = (messages: readonly { readonly text: string }[]) =>
  codeIn(messages.at(-1)?.text);

test('A29: guesses of who has no challenge cost the owner none', async () => {
  const platform = testPlatform();
  const { issue, verify } = serve(platform);
  const { challenge } = (await issue()).body;
  const code = lastCode(platform);
  for (let n = 0; n < 1_000; n++) {
    const made = Buffer.from(systemRandom.bytes(16)).toString('base64url');
    expect((await verify(made, code, { user: 'user-1' })).status).toBe(401);
  }
  expect((await createRecords(platform).get(challenge))?.value.attempts).toBe(0);
  expect((await verify(challenge, code)).status).toBe(200);
});
