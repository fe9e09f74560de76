/** Two-factor as it is used when nothing goes wrong: each route and channel, each yes and no. Secrets all along. */
import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeBase32 } from '../../functions/two-factor/factors/base32';
import { totp } from '../../functions/two-factor/factors/totp';
import { deliverCallback } from './twilio-callbacks';
import type { Answer, Rig } from './two-factor-canary-rig';

/** Someone whose name, number and address are nobody else's, all of them secrets. */
export const personOf = (rig: Rig, name = 'person') => {
  const unique = randomBytes(8).toString('hex');
  const person = {
    user: `${name}-${unique}`,
    phone: `+49151${randomInt(10_000_000, 99_999_999)}`,
    address: `Mail.${unique}@example.com`,
  };
  rig.secret('user', person.user);
  rig.secret('phone', person.phone);
  rig.secret('address', person.address);
  return person;
};

export const wrong = (code: string): string =>
  String((Number(code) + 1) % 1_000_000).padStart(6, '0');

export const verify = (rig: Rig, challenge: string, code: string): Promise<Answer> =>
  rig.call('/two-factor/verify', { challenge, code });

/** Whatever the outside does, until this is so; a fault that is not met in time is none. */
export const until = async (isSo: () => boolean, what: string): Promise<void> => {
  for (const end = performance.now() + 15_000; !isSo(); await delay(10))
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
};

export const expectStatus = (answer: Answer, status: number, what: string): Answer => {
  if (answer.status !== status)
    throw new Error(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer;
};

/** Nothing goes wrong: each route, each channel, yes and no. */
export const peace = async (rig: Rig): Promise<void> => {
  const { twilio, smtp, call, sent } = rig;
  const { user, phone, address } = personOf(rig);
  const one = await sent('/', { user, phoneNumber: phone });
  await until(() => twilio.messages.some(({ to }) => to === phone), 'a message');
  const { sid = '' } = twilio.messages.find(({ to }) => to === phone) ?? {};
  const forged = { ...twilio.sign(sid, 'sent'), signature: Buffer.from(phone).toString('base64') };
  for (const callback of [forged, twilio.sign(sid, 'sent'), twilio.sign(sid, 'delivered')])
    await deliverCallback(callback, { via: rig.host.url });
  expectStatus(await verify(rig, one.challenge, wrong(one.code)), 401, 'a wrong code');
  const { token = '' } = expectStatus(
    await verify(rig, one.challenge, one.code),
    200,
    'a code',
  ).body;
  rig.secret('result token', token);
  for (const status of [200, 401])
    expectStatus(await call('/two-factor/token', { token }), status, 'a token');

  const enrolling = await sent('/', { user, email: address, purpose: 'enrol', locale: 'de' });
  await until(() => smtp.mails.length > 0, 'a mail');
  const enrolled = expectStatus(
    await verify(rig, enrolling.challenge, enrolling.code),
    200,
    'enrol',
  );
  rig.secret('result token', enrolled.body.token ?? '');

  const { secret = '', url = '' } = (await call('/two-factor/totp', { user, account: user })).body;
  rig.secret('TOTP secret', secret);
  rig.secret('TOTP secret', Buffer.from(decodeBase32(secret) as Uint8Array).toString('latin1'));
  rig.secret('TOTP secret', url);
  const at = (ahead: number): string =>
    totp(decodeBase32(secret) as Uint8Array, Date.now() + ahead);
  const [now, next] = [at(0), at(30_000)];
  for (const code of [now, next]) rig.secret('code', code);
  for (const code of [wrong(now), now]) await call('/two-factor/totp/confirm', { user, code });
  const { codes = [] } = (await call('/two-factor/recovery-codes', { user })).body;
  for (const code of codes)
    for (const spelling of [code, code.replace('-', '')]) rig.secret('recovery code', spelling);
  for (const [channel, code = ''] of [
    ['totp', next],
    ['recovery', codes[0]],
  ] as const) {
    const { challenge = '' } = (await call('/two-factor', { user, channel })).body;
    rig.secret('challenge', challenge);
    const yes = expectStatus(await verify(rig, challenge, code), 200, channel);
    rig.secret('result token', yes.body.token ?? '');
    expectStatus(await verify(rig, challenge, code), 401, `${channel} again`);
  }
  // To what is enrolled, past the authenticator; and to somebody whom nobody knows.
  await sent('/', { user });
  const { body } = await call('/two-factor', { user: personOf(rig, 'nobody').user });
  rig.secret('challenge', body.challenge ?? '');
};
