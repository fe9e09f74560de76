import { describe, expect, test } from '@jest/globals';
import { TOKEN_LIFETIME } from '../../../functions/two-factor/token';
import { deriveKeys } from '../../../shared/keys';
import { lastCode, SMS, serve, start, withParts } from './harness';

const verified = async (suite: ReturnType<typeof start>, more: object = {}) => {
  const { challenge } = (await suite.issue({ ...SMS, ...more })).body;
  const { token } = (await suite.verify(challenge, lastCode(suite.platform))).body;
  return { challenge, token: token as string };
};

describe('the result of a verification', () => {
  test('tells once who has verified what, and never again', async () => {
    const suite = start();
    const { challenge, token } = await verified(suite, { purpose: 'payment' });
    const { status, body, headers } = await suite.redeem(token);
    expect([status, body]).toEqual([
      200,
      {
        status: 'redeemed',
        challenge,
        user: 'user-1',
        purpose: 'payment',
        channel: 'sms',
        verifiedAt: new Date(suite.platform.clock.now()).toISOString(),
      },
    ]);
    expect(headers.get('cache-control')).toBe('no-store');
    const again = await suite.redeem(token);
    expect([again.status, again.body.code]).toEqual([401, 'verification_failed']);
  });

  test('is good once of 200 at the same moment', async () => {
    const suite = start();
    const { token } = await verified(suite);
    const answers = await Promise.all(Array.from({ length: 200 }, () => suite.redeem(token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('is good for two minutes', async () => {
    for (const [age, status] of [
      [TOKEN_LIFETIME - 1, 200],
      [TOKEN_LIFETIME, 401],
    ] as const) {
      const suite = start();
      const { token } = await verified(suite);
      await suite.platform.clock.advance(age);
      expect((await suite.redeem(token)).status).toBe(status);
    }
    expect(TOKEN_LIFETIME).toBe(120_000);
  });

  test.each([
    ['another user', { user: 'user-2' }],
    ['another purpose', { purpose: 'payment' }],
  ])('is not good for %s, and is not used up by the mistake', async (_, wanted) => {
    const suite = start();
    const { token } = await verified(suite);
    expect((await suite.redeem(token, wanted)).status).toBe(401);
    expect((await suite.redeem(token, { user: 'user-1', purpose: 'login' })).status).toBe(200);
  });

  test('cannot be made from another: any letter changed makes it none', async () => {
    const suite = start();
    const { token } = await verified(suite);
    for (let at = 0; at < token.length; at++) {
      const other = token[at] === 'A' ? 'B' : 'A';
      const forged = token.slice(0, at) + other + token.slice(at + 1);
      expect((await suite.redeem(forged)).status).toBe(401);
    }
    const elsewhere = start({ keys: deriveKeys('another test secret of at least 32 chars') });
    expect((await elsewhere.redeem(token)).status).toBe(401);
    expect((await suite.redeem(token)).status).toBe(200);
  });

  test('holds no user that could be read', async () => {
    const suite = start();
    const { token } = await verified(suite, { user: 'a-very-private-user' });
    const plain = token.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
    expect(plain.join()).not.toContain('private');
  });

  test('is still good after SECRET_KEY got a new version', async () => {
    const OLD = 'an old test secret of at least 32 chars';
    const before = start({ keys: deriveKeys(OLD) });
    const { token } = await verified(before);
    const keys = deriveKeys(`a new test secret of at least 32 characters,${OLD}`);
    const { status, body } = await serve(withParts(before.platform, { keys })).redeem(token, {
      user: 'user-1',
    });
    expect([status, body.user]).toEqual([200, 'user-1']);
  });

  test('cannot be had without the store', async () => {
    const suite = start();
    const { token } = await verified(suite);
    await suite.platform.store.close();
    expect((await suite.redeem(token)).status).toBe(503);
  });
});
