/** One message, one recipient: whatever somebody typed reaches exactly who it names, or nobody is asked. Attacks A19, A20. */
import { domainToASCII } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Failure } from '../../../shared/failure';
import { canonicalPhone } from '../../../shared/phone';
import { isUnsent } from '../../../shared/senders/send-failure';
import type { Mail } from '../../../shared/senders/sender';
import { smtpSender } from '../../../shared/senders/smtp';
import { twilioSender } from '../../../shared/senders/twilio';
import { type AiosmtpdPeer, startAiosmtpdPeer } from '../../support/aiosmtpd-peer';
import { HOSTILE_ADDRESSES, ODD_ADDRESSES } from '../../support/hostile-addresses';
import { HOSTILE_NUMBERS, ODD_NUMBERS } from '../../support/hostile-numbers';
import { type SmtpPeer, startSmtpPeer } from '../../support/smtp-peer';
import { startTwilioPeer, type TwilioPeer } from '../../support/twilio-peer';

const otp = { code: '048291', origin: 'https://login.example.com' };
const mail: Omit<Mail, 'to'> = { subject: 'Your code', text: '048291 is your code.', otp };
const options = { idempotencyKey: 'key-1', signal: new AbortController().signal };

/** What a test cannot hold in JSON, as programs would pass it. */
const OBJECTS: readonly unknown[] = [
  undefined,
  Symbol('a@example.com'),
  new String('a@example.com'),
  { toString: () => 'a@example.com' },
  { [Symbol.toPrimitive]: () => 'a@example.com' },
  Object.assign(['a@example.com'], { toString: () => 'a@example.com' }),
  new Proxy({}, { get: () => () => 'a@example.com' }),
  Buffer.from('a@example.com'),
  'a@example.com\ud800',
];

test('the attacks are 200 and more', () => {
  const all = [...HOSTILE_ADDRESSES, ...OBJECTS, ...HOSTILE_NUMBERS];
  expect(new Set(all.map((one) => JSON.stringify(one) ?? String(one))).size).toBeGreaterThan(200);
});

/** smtp-server shows a domain of other scripts in them, whatever came. */
const asSent = (address: string): string => {
  const at = address.lastIndexOf('@') + 1;
  return address.slice(0, at) + domainToASCII(address.slice(at));
};

const SERVERS: Readonly<Record<string, () => Promise<SmtpPeer | AiosmtpdPeer>>> = {
  'smtp-server': startSmtpPeer,
  aiosmtpd: startAiosmtpdPeer,
};

describe.each(Object.keys(SERVERS))('a mail to %s', (name) => {
  let peer: SmtpPeer | AiosmtpdPeer;
  beforeAll(async () => {
    peer = await (SERVERS[name] as () => Promise<SmtpPeer>)();
  });
  afterAll(() => peer.close());

  /** By a sender that has no connection yet, so that any that it opens is seen. */
  const send = async (to: unknown) => {
    const sender = smtpSender({ url: peer.url, from: 'Suite <hello@example.org>' });
    try {
      return await sender({ ...mail, to: to as string }, options);
    } finally {
      await sender.close();
    }
  };
  /** The newest of so many. It may be told of a moment after the client has its answer. */
  const newest = async (count: number) => {
    for (let i = 0; i < 200 && peer.mails.length < count; i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(peer.mails).toHaveLength(count);
    return peer.mails.at(-1);
  };

  test('A20: goes to nobody, and no connection is opened, where it is not one plain address', async () => {
    const before = { mails: peer.mails.length, connections: peer.connections };
    for (const to of [...HOSTILE_ADDRESSES, ...OBJECTS]) {
      const thrown = await send(to).catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(Failure);
      expect(thrown).toMatchObject({ code: 'send_refused', cause: { reason: 'not_one_address' } });
      expect(isUnsent(thrown)).toBe(true);
    }
    await newest(before.mails);
    expect(peer.connections).toBe(before.connections);
  });

  test.each(ODD_ADDRESSES)(
    '%j goes to %s and to nobody else, code and origin with it',
    async (typed, recipient) => {
      const before = peer.mails.length;
      await send(typed);
      const { from, recipients, raw } = (await newest(before + 1)) ?? { raw: '' };
      expect({ from, recipients: recipients?.map(asSent) }).toEqual({
        from: 'hello@example.org',
        recipients: [recipient],
      });
      const head = raw
        .slice(0, raw.indexOf('\r\n\r\n'))
        .replace(/\r\n[ \t]+/g, ' ')
        .split('\r\n');
      expect(head.filter((line) => /^(to|cc|bcc|resent-[a-z]+):/i.test(line))).toEqual([
        `To: ${recipient}`,
      ]);
      expect(head.filter((line) => /^otp-token:/i.test(line))).toEqual([
        `OTP-Token: "${otp.code}"; origin="${otp.origin}"`,
      ]);
    },
  );
});

describe('a text message', () => {
  let peer: TwilioPeer;
  beforeAll(async () => {
    peer = await startTwilioPeer();
  });
  afterAll(() => peer.close());
  const send = (to: unknown) => {
    const { accountSid, authToken, url: baseUrl } = peer;
    const sender = twilioSender({ accountSid, authToken, from: '+14155550100', baseUrl });
    return sender({ to: to as string, text: '048291 is your code.' }, options);
  };

  test.each(HOSTILE_NUMBERS.map((typed) => [typed]))(
    'A19: has no number to go to in %j',
    (typed) => {
      expect(canonicalPhone(typed as string)).toBeUndefined();
    },
  );

  test('A19: asks nobody, whoever calls the sender, where it is not E.164, and else names exactly that', async () => {
    for (const to of [...HOSTILE_NUMBERS, ...OBJECTS]) {
      const { requests, messages } = peer;
      const thrown = await send(to).catch((error: unknown) => error);
      if (peer.requests === requests) {
        expect(thrown).toMatchObject({ code: 'send_refused', cause: { reason: 'not_e164' } });
        expect(isUnsent(thrown)).toBe(true);
      } else {
        expect(to).toMatch(/^\+[1-9]\d{6,14}$/);
        expect(peer.messages.slice(messages.length).map((sms) => sms.to)).toEqual([to]);
      }
    }
  });

  test.each(ODD_NUMBERS)('typed for %j goes to %s', async (typed, number) => {
    const before = peer.messages.length;
    await send(canonicalPhone(typed));
    expect(peer.messages.slice(before).map(({ to }) => to)).toEqual([number]);
  });
});
