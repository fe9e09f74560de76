import { describe, expect, test } from '@jest/globals';
import emailUser from '../../functions/email-user';
import { greetableName, MAX_NAME } from '../../functions/email-user/name';
import { Failure } from '../../shared/failure';
import type { Platform } from '../../shared/platform';
import { smtpSender } from '../../shared/senders/smtp';
import { HOSTILE_ADDRESSES } from '../support/hostile-addresses';
import { type InvokeInit, invoke, testContext } from '../support/invoke';
import { startSmtpPeer } from '../support/smtp-peer';
import { testPlatform } from '../support/test-platform';

const start = (overrides: Partial<Platform> = {}) => {
  const platform = testPlatform(overrides);
  const context = testContext();
  const handler = emailUser.create({}, platform)['POST /'];
  const call = (body: unknown, init: InvokeInit = {}) =>
    invoke(handler, '/', { body, ...init }, context);
  return { platform, context, call };
};

const EVENT = {
  'ce-specversion': '1.0',
  'ce-id': 'run-1:welcome',
  'ce-source': '/signup/runs',
  'ce-type': 'signup.welcome',
};

describe('email-user', () => {
  test('greets a new user by mail and acknowledges without a body', async () => {
    const { platform, call } = start();
    const answer = await call({ username: 'Ada', email: 'ada@Example.com' });
    expect(answer.status).toBe(204);
    expect(await answer.text()).toBe('');
    expect(platform.mails).toHaveLength(1);
    expect(platform.mails[0]).toMatchObject({ to: 'ada@example.com', subject: 'Welcome' });
    expect(platform.mails[0]?.text).toContain('Hello Ada,');
    expect(platform.mails[0]?.text).toContain('http://localhost:8080');
    expect(platform.mails[0]?.html).toContain('<p>Hello Ada,</p>');
  });

  test('takes a whole sign-up, and reads no more of it than it needs', async () => {
    const { platform, call } = start();
    await call({
      email: 'ada@example.com',
      password: 'hunter2',
      to: 'evil@example.net',
      bcc: ['evil@example.net'],
      subject: 'evil',
      newsletter: true,
    });
    expect(platform.mails).toHaveLength(1);
    expect(JSON.stringify(platform.mails)).not.toMatch(/hunter2|evil/);
    expect(platform.mails[0]?.text).toContain('Hello,');
  });

  test.each([
    ['en', 'Welcome'],
    ['de-AT', 'Willkommen'],
    ['es_MX', 'Te damos la bienvenida'],
    ['fr', 'Bienvenue'],
    ['tlh', 'Welcome'],
    ['constructor', 'Welcome'],
  ])('speaks to %s with %s', async (locale, subject) => {
    const { platform, call } = start();
    await call({ email: 'ada@example.com', locale });
    expect(platform.mails[0]?.subject).toBe(subject);
  });

  test('sends the mail of one event once, however often it is delivered', async () => {
    const { platform, call } = start();
    const body = { email: 'ada@example.com' };
    const together = await Promise.allSettled(
      Array.from({ length: 100 }, () => call(body, { headers: EVENT })),
    );
    for (const one of together)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'in_progress' });
    expect((await call(body, { headers: EVENT })).status).toBe(204);
    expect(platform.mails).toHaveLength(1);
    await call(body, { headers: { ...EVENT, 'ce-id': 'run-2:welcome' } });
    await call(body, { headers: { 'idempotency-key': 'mine' } });
    expect(platform.mails).toHaveLength(3);
  });

  test('names the mail after the event, so that one sent again is the same mail', async () => {
    const keys: string[] = [];
    const { call } = start({
      mail: async (_, { idempotencyKey }) => {
        keys.push(idempotencyKey);
        if (keys.length === 1) throw new Failure('send_failed');
        return {};
      },
    });
    const body = { email: 'ada@example.com' };
    await expect(call(body, { headers: EVENT })).rejects.toMatchObject({ code: 'send_failed' });
    await call(body, { headers: EVENT });
    await call(body, { headers: { ...EVENT, 'ce-id': 'run-2:welcome' } });
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[0]);
  });

  test('refuses an event that is none', async () => {
    const { platform, call } = start();
    const headers = { ...EVENT, 'ce-specversion': '9' };
    await expect(call({ email: 'ada@example.com' }, { headers })).rejects.toMatchObject({
      status: 400,
      code: 'invalid_event',
    });
    expect(platform.mails).toEqual([]);
  });

  test.each(HOSTILE_ADDRESSES.map((email) => [email]))('mails nobody for %j', async (email) => {
    const { platform, call } = start();
    await expect(call({ email })).rejects.toMatchObject({
      code: 'invalid_input',
      status: 400,
      errors: expect.arrayContaining([expect.objectContaining({ pointer: '/email' })]),
    });
    expect(platform.mails).toEqual([]);
  });

  test.each([
    [{}, '/email'],
    [{ email: 'ada@example.com', username: ['Ada'] }, '/username'],
    [{ email: 'ada@example.com', locale: {} }, '/locale'],
    [[], ''],
  ])('says where %j is wrong', async (body, pointer) => {
    await expect(start().call(body)).rejects.toMatchObject({
      code: 'invalid_input',
      errors: [expect.objectContaining({ pointer })],
    });
  });

  test('does not acknowledge what could not be sent', async () => {
    const { call } = start({ mail: () => Promise.reject(new Failure('send_failed')) });
    await expect(call({ email: 'ada@example.com' })).rejects.toMatchObject({ code: 'send_failed' });
  });

  test('logs neither the address nor the name', async () => {
    const { context, call } = start();
    await call({ email: 'ada.canary@example.com', username: 'Canary' });
    expect(context.lines).toHaveLength(1);
    expect(JSON.stringify(context.lines)).not.toMatch(/canary/i);
  });

  test('reaches exactly one recipient over SMTP, whatever the name', async () => {
    const peer = await startSmtpPeer();
    const mail = smtpSender({ url: peer.url, from: 'hello@example.org' });
    try {
      const { call } = start({ mail });
      const names = ['Ada', 'Ada\r\nBcc: evil@example.net', '<evil@example.net>', 'a, b', '"'];
      for (const username of names) await call({ username, email: 'ada@example.com' });
      expect(peer.mails.map(({ recipients }) => recipients)).toEqual(
        names.map(() => ['ada@example.com']),
      );
      for (const { raw } of peer.mails) expect(raw).not.toMatch(/^(bcc|cc):|evil@/im);
    } finally {
      await mail.close();
      await peer.close();
    }
  });
});

describe('the name in a greeting', () => {
  test.each([
    ['Ada Lovelace', 'Ada Lovelace'],
    ['  Ada\t\r\n Lovelace ', 'Ada Lovelace'],
    ['Dr. Zoë O’Brien-Ñandú', 'Dr. Zoë O’Brien-Ñandú'],
    ['Ada <3', undefined],
    ['李小龍', '李小龍'],
    ['A\u202eda\u200b\u0000', 'Ada'],
    ['', undefined],
    ['\u200b \u0007', undefined],
    [undefined, undefined],
  ])('%j is greeted as %j', (text, name) => {
    expect(greetableName(text)).toBe(name);
  });

  test.each([
    'http://evil',
    'https://evil.example/win',
    'www.evil.example',
    'evil.example',
    'You won, see evil.example now',
    'e\u200bvil\u2060.exa\u00admple',
    'evil\u3002example',
    'evil\uff0eexample',
    'mailto:evil@example.net',
    '//evil',
    'evil\\x',
    '[click](evil)',
    '1.2.3.4',
  ])('is left out when a mail program could make a link of it: %j', (text) => {
    expect(greetableName(text)).toBeUndefined();
  });

  test(`is at most ${MAX_NAME} characters long, and no character is cut in two`, () => {
    expect(greetableName('a'.repeat(5_000))).toBe('a'.repeat(MAX_NAME));
    expect([...(greetableName('🎈'.repeat(300)) ?? '')]).toEqual(Array(MAX_NAME).fill('🎈'));
    expect(greetableName(`${'a'.repeat(2_000)}\ud83c`)).toBe('a'.repeat(MAX_NAME));
  });
});
