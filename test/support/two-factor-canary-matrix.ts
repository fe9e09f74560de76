/** All that can go wrong around two-factor, one after the other, with a person of its own each. */
import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeBase32 } from '../../functions/two-factor/factors/base32';
import { totp } from '../../functions/two-factor/factors/totp';
import type { SmtpFault } from './smtp-peer';
import { deliverCallback } from './twilio-callbacks';
import type { TwilioFault } from './twilio-peer';
import type { Answer, Rig } from './two-factor-canary-rig';

export const TWILIO_FAULTS: readonly TwilioFault[] = [
  ...(['hang', 'accept-then-hang', 'drip', 'flood', 'reset', 'accept-then-reset'] as const),
  ...(['junk', 'html', 'accept-then-500'] as const),
  ...[
    [400, 21211],
    [400, 21610],
    [401, 20003],
    [404, 20404],
    [429, 20429],
    [500, 20500],
    [503, 20503],
  ].map(([status = 0, code = 0]) => ({ status, code })),
];

export const SMTP_FAULTS: readonly SmtpFault[] = [
  ...(['connect', 'data', 'accepted'] as const).map((at) => ({ at, does: 'hang' as const })),
  ...(['connect', 'auth', 'rcpt', 'data', 'accepted'] as const).map((at) => ({
    at,
    does: 'drop' as const,
  })),
  ...(['connect', 'auth', 'mail', 'rcpt', 'data', 'accepted'] as const).flatMap((at) => [
    { at, does: 451 },
    { at, does: 550 },
  ]),
];

export const LOGIN_FAULTS = ['hang', 'reset', '500', 'redirect', 'junk'] as const;
export const SINK_FAULTS = ['refuse', 'reset', 'hang'] as const;

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

const wrong = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

const verify = (rig: Rig, challenge: string, code: string): Promise<Answer> =>
  rig.call('/two-factor/verify', { challenge, code });

/** Whatever the outside does, until this is so; a fault that is not met in time is none. */
const until = async (isSo: () => boolean, what: string): Promise<void> => {
  for (const end = performance.now() + 15_000; !isSo(); await delay(10))
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
};

const expectStatus = (answer: Answer, status: number, what: string): Answer => {
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
  for (const name of [user, personOf(rig, 'nobody').user]) await sent('/', { user: name });
};

export const twilioFaults = async (rig: Rig): Promise<void> => {
  const { twilio } = rig;
  for (const fault of TWILIO_FAULTS) {
    twilio.fault = fault;
    const { user, phone } = personOf(rig);
    const before = twilio.requests;
    const { challenge, code } = await rig.sent('/', { user, phoneNumber: phone });
    await until(() => twilio.requests > before, JSON.stringify(fault));
    // As they are met; the answers, or none, come in their own time.
    await delay(50);
    await verify(rig, challenge, wrong(code));
  }
  twilio.fault = undefined;
};

export const smtpFaults = async (rig: Rig): Promise<void> => {
  for (const fault of SMTP_FAULTS) {
    rig.smtp.fault = fault;
    const { user, address } = personOf(rig);
    const { challenge, code } = await rig.sent('/', { user, email: address });
    await delay(700);
    await verify(rig, challenge, wrong(code));
  }
  rig.smtp.fault = undefined;
};

export const loginFaults = async (rig: Rig): Promise<void> => {
  await Promise.all(
    LOGIN_FAULTS.map(async (fault) => {
      const { user, phone } = personOf(rig, `login-${fault}`);
      const { challenge, code } = await rig.sent('/', { user, phoneNumber: phone });
      await verify(rig, challenge, wrong(code));
    }),
  );
};

export const sinkFaults = async (rig: Rig): Promise<void> => {
  for (const fault of SINK_FAULTS) {
    rig.sink = fault;
    const { user, phone } = personOf(rig);
    const { challenge, code } = await rig.sent('/', { user, phoneNumber: phone });
    await verify(rig, challenge, wrong(code));
    const { body } = expectStatus(await verify(rig, challenge, code), 200, `sink: ${fault}`);
    rig.secret('result token', body.token ?? '');
    await delay(1_200);
  }
  rig.sink = 'take';
};

/** The store fails while people are in the middle of everything. */
export const storeFaults = async (
  rig: Rig,
  fail: () => Promise<() => Promise<void>>,
): Promise<void> => {
  const { user, phone, address } = personOf(rig);
  const { challenge, code } = await rig.sent('/', { user, phoneNumber: phone });
  const mend = await fail();
  try {
    const answers = await Promise.all([
      verify(rig, challenge, code),
      rig.call(
        '/two-factor',
        { user, phoneNumber: phone },
        { headers: { 'idempotency-key': phone } },
      ),
      rig.call('/two-factor', { user, email: address }),
      rig.call('/two-factor/resend', { challenge }),
      rig.call('/two-factor/totp/confirm', { user, code }),
      rig.call('/two-factor/recovery-codes', { user }),
    ]);
    for (const answer of answers) expectStatus(answer, 503, 'without the store');
  } finally {
    await mend();
  }
};

/** Callers who put secrets, their own or of others, where they do not belong. */
export const hostileInputs = async (rig: Rig): Promise<void> => {
  const { call } = rig;
  const { user, phone, address } = personOf(rig);
  const { challenge, code } = await rig.sent('/', { user, phoneNumber: phone });
  const token = `${Buffer.from(user).toString('base64url')}.${randomBytes(24).toString('base64url')}`;
  rig.secret('result token', token);
  const secrets = [phone, phone.slice(1), address, code, token];
  const fields = ['user', 'purpose', 'locale', 'channel', 'phoneNumber', 'email', 'code', 'more'];
  for (const value of secrets) {
    for (const field of fields) {
      const wish = {
        user,
        [field]: field === 'phoneNumber' || field === 'email' ? `${value}\u200b;ext=1` : value,
      };
      const { body } = await call('/two-factor', field === 'user' ? { ...wish, email: 'x' } : wish);
      if (body.challenge) rig.secret('challenge', body.challenge);
    }
    for (const body of [
      { challenge: value, code },
      { challenge, code: value },
      { challenge, code: [value] },
      { challenge, code, user: value, purpose: value },
      { [value]: value },
    ])
      await call('/two-factor/verify', body);
    await call('/two-factor/resend', { challenge: value, channel: value });
    await call('/two-factor/token', { token: value, user: value, purpose: value });
    await call('/two-factor/totp/confirm', { user: value, code: value });
    for (const text of [
      `{"user":"${value}"`,
      `{"user":"x","user":"${value}"}`,
      `"${value}"`,
      value,
    ])
      for (const type of ['application/json', 'text/plain', 'application/cloudevents+json'])
        await call('/two-factor', text, { headers: { 'content-type': type } });
    await call(`/two-factor/verify?code=${encodeURIComponent(value)}`, { challenge, code: '0' });
    await call('/two-factor', { user }, { headers: headersOf(value) });
    await call('/two-factor/status', new URLSearchParams({ To: value, Body: value }).toString(), {
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-twilio-signature': value,
      },
    });
  }
  await call(
    '/two-factor',
    { user, phoneNumber: phone },
    { headers: { authorization: `Bearer ${token}` } },
  );
};

const headersOf = (value: string): Readonly<Record<string, string>> => ({
  'ce-specversion': value,
  'ce-id': value,
  'ce-source': value,
  'ce-type': value,
  'ce-subject': value,
  traceparent: `00-${value}-b7ad6b7169203331-01`,
  'idempotency-key': `${value}${'x'.repeat(300)}`,
  'x-forwarded-for': value,
  'accept-language': value,
  'user-agent': value,
  referer: `https://example.com/?code=${value}`,
  cookie: `code=${value}`,
});
