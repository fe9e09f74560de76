/** Inputs that hold secrets where none belong. */
import { randomBytes } from 'node:crypto';
import { personOf } from './two-factor-canary-peace';
import type { Rig } from './two-factor-canary-rig';

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
    ])
      await call('/two-factor/verify', body);
    // A field that nobody knows is named by a pointer to it: to its caller alone.
    await call('/two-factor/verify', { [value]: value }, { echoes: true });
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
