/** A3, A4, A5: guesses are counted by whom they are for, whatever challenge, channel or address they come by. */
import { expect, test } from '@jest/globals';
import { MAX_SENDS } from '../../../functions/two-factor/challenge';
import { createFactors } from '../../../functions/two-factor/factors/factors';
import { attacker, mostWithin } from './attack-guesses';
import { MAIL, PHONE } from './harness';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

test('A3: a hundred resends buy no guess: five a challenge, twenty a day, five messages a challenge', async () => {
  const { issue, resend, guess, compared, platform } = attacker();
  let cycles = 0;
  while (cycles < 100) {
    const { challenge } = (await issue({ user: 'user-1', phoneNumber: PHONE })).body;
    const before = platform.messages.length;
    for (let sent = 1; sent <= 2 * MAX_SENDS; sent++) {
      // One guess a code leaves the most codes to guess at.
      await guess(challenge, 'user-1');
      await platform.clock.advance(30_000 * 2 ** Math.min(sent - 1, 3));
      await resend(challenge);
      cycles += 1;
    }
    for (let i = 0; i < 5; i++) await guess(challenge, 'user-1');
    expect(platform.messages.length - before).toBeLessThanOrEqual(MAX_SENDS);
  }
  expect(mostWithin(compared, DAY, ({ challenge }) => challenge)).toBe(5);
  expect(mostWithin(compared, DAY, ({ user }) => user)).toBe(20);
}, 60_000);

test('A4: a hundred challenges buy no guess, nor do two users who share a phone', async () => {
  const { issue, guess, compared } = attacker();
  for (let n = 0; n < 100; n++) {
    const user = `user-${n % 2}`;
    const { challenge } = (await issue({ user, phoneNumber: PHONE })).body;
    for (let i = 0; i < 6; i++) await guess(challenge, user);
  }
  expect(mostWithin(compared, DAY, ({ challenge }) => challenge)).toBe(5);
  expect(mostWithin(compared, DAY, ({ destination }) => destination)).toBe(20);
  expect(compared).toHaveLength(20);
});

test('A4: nor does the turn of a day: of any 24 hours in three days none has more', async () => {
  const { issue, guess, compared, platform } = attacker();
  for (let hour = 0; hour < 72; hour++) {
    for (const to of [{ phoneNumber: PHONE }, { email: MAIL }]) {
      const { challenge } = (await issue({ user: 'user-1', ...to })).body;
      for (let i = 0; i < 6; i++) await guess(challenge, 'user-1');
      await platform.clock.advance(HOUR / 2);
    }
  }
  expect(mostWithin(compared, DAY, ({ user }) => user)).toBe(20);
  // It is a day's budget and no lock for good.
  expect(compared.length).toBeGreaterThan(40);
}, 60_000);

test('A4: nor do ten users who share a mailbox, by text messages that are sent again as mails', async () => {
  const { issue, resend, guess, compared, platform } = attacker();
  const factors = createFactors(platform);
  const users = Array.from({ length: 10 }, (_, i) => `user-${i}`);
  for (const user of users) await factors.enrolDestination(user, { channel: 'mail', to: MAIL });
  for (const [i, user] of users.entries())
    for (let n = 0; n < 2; n++) {
      const phoneNumber = `+1202555${1_000 + 10 * i + n}`;
      const { challenge } = (await issue({ user, phoneNumber })).body;
      await platform.clock.advance(30_000);
      await resend(challenge, { channel: 'mail' });
      for (let i = 0; i < 5; i++) await guess(challenge, user);
    }
  expect(platform.mails.length).toBeGreaterThan(0);
  expect(mostWithin(compared, DAY, ({ destination }) => destination)).toBe(20);
});

test('A5: 10,000 guesses by resends, new challenges, two channels, strangers and 1,000 addresses: five a code, twenty a user and a destination', async () => {
  const { issue, resend, guess, guesses, compared, platform, from } = attacker();
  const begun = platform.clock.now();
  const answers = new Set<number>();
  for (let n = 0; guesses() < 10_000; n++) {
    from(`198.51.${100 + (n % 4)}.${n % 250}`);
    const user = n % 5 === 4 ? `accomplice-${n}` : 'victim';
    const to = n % 2 === 0 ? { phoneNumber: PHONE } : { email: MAIL };
    const { challenge } = (await issue({ user, ...to })).body;
    for (let i = 0; i < 4; i++) answers.add(await guess(challenge, user));
    await platform.clock.advance(30_000);
    await resend(challenge, n % 3 === 0 ? { channel: n % 2 === 0 ? 'mail' : 'sms' } : {});
    for (let i = 0; i < 4; i++) answers.add(await guess(challenge, user));
    await platform.clock.advance(35_000);
  }
  expect(platform.clock.now() - begun).toBeLessThan(DAY);
  expect(guesses()).toBe(10_000);
  expect([...answers]).toEqual([401]);
  expect(mostWithin(compared, DAY, ({ code }) => code)).toBeLessThanOrEqual(5);
  expect(mostWithin(compared, DAY, ({ challenge }) => challenge)).toBe(5);
  expect(mostWithin(compared, DAY, ({ user }) => user)).toBe(20);
  expect(mostWithin(compared, DAY, ({ destination }) => destination)).toBeLessThanOrEqual(20);
  for (const sent of [platform.messages, platform.mails])
    expect(sent.length).toBeLessThanOrEqual(30);
}, 180_000);
