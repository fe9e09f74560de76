/** A7, A15, A30: a count that nothing takes back; who changes an answer has no result, and who takes a weaker way is seen to. */
import { describe, expect, test } from '@jest/globals';
import { decodeBase32 } from '../../../functions/two-factor/factors/base32';
import { createFactors } from '../../../functions/two-factor/factors/factors';
import { STEP, totp } from '../../../functions/two-factor/factors/totp';
import { createRecords } from '../../../functions/two-factor/records';
import { codeIn, lastCode, MAIL, PHONE, SMS, start, wrongCodes } from './harness';

test.each([
  ['in the log', 'info'],
  ['where work goes on behind the answer', 'waitUntil'],
])('A7: a wrong guess is counted, whatever breaks after it %s', async (_, broken) => {
  const { platform, issue, call, context } = start();
  const { challenge } = (await issue()).body;
  const [wrong] = wrongCodes(lastCode(platform), 1);
  const breaks = () => {
    throw new Error('broken');
  };
  const { log, waitUntil } = context;
  if (broken === 'info') Object.assign(context, { log: { ...log, info: breaks } });
  else Object.assign(context, { waitUntil: breaks });
  const answers = new Set<number>();
  for (let i = 0; i < 3; i++)
    answers.add((await call('/verify', { body: { challenge, code: wrong } })).status);
  Object.assign(context, { log, waitUntil });
  expect(answers.has(200)).toBe(false);
  expect((await createRecords(platform).get(challenge))?.value.attempts).toBe(3);
});

describe('the result', () => {
  test('A15: is a token, so that an answer changed on its way is none', async () => {
    const { platform, issue, verify, redeem } = start();
    const { challenge } = (await issue()).body;
    const [wrong] = wrongCodes(lastCode(platform), 1) as [string];
    const refused = await verify(challenge, wrong);
    expect(refused.body).not.toHaveProperty('token');
    // What an attacker can make of the refusal, and of all that they know.
    const made = [challenge, wrong, 'verified', 'true', refused.text, `${challenge}.${challenge}`];
    for (const token of made) expect((await redeem(token)).status).toBe(401);
    expect((await verify(challenge, lastCode(platform))).body.token).toEqual(expect.any(String));
  });

  test('A15: is bound to its challenge, its user and its purpose, and good once', async () => {
    const { platform, issue, verify, redeem } = start();
    const tokenFor = async (user: string, phoneNumber: string, purpose: string) => {
      const { challenge } = (await issue({ user, phoneNumber, purpose })).body;
      return (await verify(challenge, lastCode(platform))).body.token as string;
    };
    const mallory = await tokenFor('mallory', '+12025550177', 'login');
    const owner = await tokenFor('owner', PHONE, 'payment');
    expect((await redeem(mallory, { user: 'owner' })).status).toBe(401);
    expect((await redeem(mallory, { user: 'mallory', purpose: 'payment' })).status).toBe(401);
    // The parts of one token with those of another, in every mixture.
    const [a, b] = [mallory.split('.'), owner.split('.')] as [string[], string[]];
    expect(a.length).toBe(b.length);
    for (let mix = 1; mix < 2 ** a.length - 1; mix++) {
      const token = a.map((part, i) => (mix & (1 << i) ? part : b[i])).join('.');
      if (token === mallory || token === owner) continue;
      expect((await redeem(token)).status).toBe(401);
    }
    const redeemed = await redeem(owner, { user: 'owner', purpose: 'payment' });
    expect([redeemed.status, redeemed.body.user]).toEqual([200, 'owner']);
    expect((await redeem(owner)).status).toBe(401);
    expect((await redeem(mallory)).body.user).toBe('mallory');
  });
});

describe('a weaker way', () => {
  const withTotp = async () => {
    const suite = start();
    const { body } = await suite.call('/totp', { body: { user: 'user-1' } });
    const code = () => totp(decodeBase32(body.secret) as Uint8Array, suite.platform.clock.now());
    const confirmed = await suite.call('/totp/confirm', { body: { user: 'user-1', code: code() } });
    expect(confirmed.status).toBe(200);
    await createFactors(suite.platform).enrolDestination('user-1', { channel: 'sms', to: PHONE });
    await suite.platform.clock.advance(2 * STEP);
    suite.lines.length = 0;
    const downgrades = () =>
      suite.lines.flatMap(({ fields }) => (fields.event === 'downgrade' ? [fields] : []));
    return { ...suite, code, downgrades };
  };

  test.each([
    ['a text message', SMS, 'sms'],
    ['a mail', { user: 'user-1', email: MAIL }, 'mail'],
    ['whatever is enrolled', { user: 'user-1' }, 'sms'],
  ])('A30: %s to who has an authenticator is audited as a downgrade', async (_, wish, channel) => {
    const { issue, downgrades } = await withTotp();
    await issue(wish);
    expect(downgrades()).toEqual([
      {
        event: 'downgrade',
        channel,
        challengeRef: expect.stringMatching(/^[\da-f]{16}$/),
        userRef: expect.stringMatching(/^[\da-f]{16}$/),
      },
    ]);
  });

  test.each(['totp', 'recovery'])('A30: by %s it is none', async (channel) => {
    const { issue, downgrades } = await withTotp();
    await issue({ user: 'user-1', channel });
    expect(downgrades()).toEqual([]);
  });

  test('A30: who has no authenticator is not said to have one', async () => {
    const { platform, issue, lines } = start();
    await createFactors(platform).enrolDestination('user-1', { channel: 'sms', to: PHONE });
    await issue({ user: 'user-1' });
    expect(lines.filter(({ fields }) => fields.event === 'downgrade')).toEqual([]);
  });

  test('A30: a challenge by authenticator takes no code of a message, nor the other way round', async () => {
    const { platform, issue, resend, verify, code } = await withTotp();
    const strong = (await issue({ user: 'user-1', channel: 'totp' })).body.challenge;
    const weak = (await issue(SMS)).body.challenge;
    const texted = codeIn(platform.messages.at(-1)?.text);
    // Nor can it be turned into one with a message.
    for (const channel of ['sms', 'mail'])
      expect((await resend(strong, { channel })).status).toBe(404);
    expect((await verify(strong, texted)).status).toBe(401);
    expect((await verify(weak, code())).status).toBe(401);
    expect((await verify(strong, code())).status).toBe(200);
    expect((await verify(weak, texted)).status).toBe(200);
  });

  test('A30: no step can be left out: no challenge no code, no code no token, no token no result', async () => {
    const { call } = start();
    for (const [path, body] of [
      ['/verify', { code: '123456' }],
      ['/verify', { user: 'user-1', code: '123456' }],
      ['/verify', { challenge: 'A'.repeat(22) }],
      ['/token', {}],
      ['/token', { challenge: 'A'.repeat(22), user: 'user-1' }],
      ['/resend', { user: 'user-1' }],
    ] as const)
      expect((await call(path, { body })).status).toBe(400);
  });
});
