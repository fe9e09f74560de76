/** Status callbacks: only what Twilio signed, as it signed it, is read. Attack A24. */
import { describe, expect, test } from '@jest/globals';
import { getExpectedTwilioSignature, validateRequest } from 'twilio/lib/webhooks/webhooks';
import { Failure } from '../../../shared/failure';
import type { SmsReport, SmsReports } from '../../../shared/senders/sender';
import { twilioReports } from '../../../shared/senders/twilio-reports';
import { everythingOf } from '../../support/leaks';
import { randomOf } from '../../support/random';
import {
  callbackParameters,
  formOf,
  type SignedCallback,
  shiftedCallbacks,
  signCallback,
} from '../../support/twilio-callbacks';
import { MESSAGE_STATUS, type MessageStatus } from '../../support/twilio-schema';

const accountSid = `AC${'0123456789abcdef'.repeat(2)}`;
const authToken = 'f0e1d2c3b4a5968778695a4b3c2d1e0f';
const from = '+14155550100';
const url = 'https://login.example.com/two-factor/status?n=2';
const sms = {
  sid: `SM${'a1'.repeat(16)}`,
  to: '+4915112345678',
  from,
  body: 'x',
  statusCallback: url,
};
const reports = twilioReports({ accountSid, authTokens: [authToken], from });

const parametersOf = (status: MessageStatus, errorCode?: number) =>
  callbackParameters(sms, status, accountSid, errorCode);
const signed = (status: MessageStatus, errorCode?: number) =>
  signCallback(authToken, url, parametersOf(status, errorCode));
const signedWith = (changes: Readonly<Record<string, string | undefined>>): SignedCallback => {
  const all = { ...parametersOf('undelivered', 30003), ...changes };
  const parameters = Object.entries(all).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  return signCallback(authToken, url, Object.fromEntries(parameters));
};

/** `forged` and `refused` are the two ways of not being read. */
const outcomeOf = (
  callback: SignedCallback,
  by: SmsReports = reports,
): SmsReport | 'forged' | 'refused' => {
  try {
    return by.read(callback) ?? 'forged';
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.code === 'invalid_input') return 'refused';
    throw thrown;
  }
};

describe('a callback of Twilio', () => {
  test.each<[MessageStatus, SmsReport['state'] | undefined]>([
    ['accepted', 'accepted'],
    ['scheduled', 'accepted'],
    ['queued', 'accepted'],
    ['sending', 'accepted'],
    ['sent', 'accepted'],
    ['partially_delivered', 'accepted'],
    ['delivered', 'delivered'],
    ['read', 'delivered'],
    ['undelivered', 'failed'],
    ['failed', 'failed'],
    ['canceled', 'failed'],
    // Of messages that come in.
    ['receiving', undefined],
    ['received', undefined],
  ])('that says %s is read as %s', (status, state) => {
    expect(outcomeOf(signed(status))).toEqual(state ? { id: sms.sid, state } : 'refused');
  });

  test('is known in each of its statuses', () => {
    expect(MESSAGE_STATUS.filter((status) => outcomeOf(signed(status)) === 'forged')).toEqual([]);
  });

  test("tells the provider's number for what went wrong", () => {
    const report = { id: sms.sid, state: 'failed', providerCode: 30003 };
    expect(outcomeOf(signed('undelivered', 30003))).toEqual(report);
    expect(outcomeOf(signedWith({ ErrorCode: '' }))).toEqual({ id: sms.sid, state: 'failed' });
  });

  test('is read with all that Twilio may add for a Messaging Service and its channels', () => {
    const more = {
      MessagingServiceSid: `MG${'b2'.repeat(16)}`,
      ChannelInstallSid: `XE${'c3'.repeat(16)}`,
      ChannelPrefix: 'rcs',
      ChannelStatusMessage: 'Not reachable',
      EventType: 'UNDELIVERED',
      From: 'rcs:example_agent',
      To: 'rcs:+4915112345678',
    };
    expect(outcomeOf(signedWith(more))).toMatchObject({ state: 'failed', providerCode: 30003 });
    const least = { SmsSid: undefined, SmsStatus: undefined, To: undefined, ApiVersion: undefined };
    expect(outcomeOf(signedWith(least))).toMatchObject({ state: 'failed' });
  });

  test.each([
    ['https://login.example.com/s', 'https://login.example.com/s'],
    ['https://login.example.com/s', 'https://login.example.com:443/s'],
    ['https://login.example.com:443/s', 'https://login.example.com/s'],
    ['https://login.example.com:8443/s', 'https://login.example.com:8443/s'],
    ['https://login.example.com:8443/s', 'https://login.example.com/s'],
    ['http://login.example.com/s?a=b', 'http://login.example.com:80/s?a=b'],
    ['http://[::1]:8080/s', 'http://[::1]:8080/s'],
    ['http://[::1]/s', 'http://[::1]:80/s'],
  ])('to %s is known when %s was signed', (given, spelled) => {
    const signature = getExpectedTwilioSignature(authToken, spelled, { ...parametersOf('sent') });
    expect(outcomeOf({ ...signed('sent'), url: given, signature })).toMatchObject({ id: sms.sid });
  });

  test.each([
    'https://login.example.com:444/s',
    'http://login.example.com/s',
    'https://login.example.com/S',
    'https://login.example.com/s/',
    'https://login.example.com/s?',
    'https://login.example.com.evil.example.net/s',
    'https://evil.example.net/s',
  ])('that was signed for %s is none', (other) => {
    const callback = { ...signed('sent'), url: 'https://login.example.com/s' };
    const signature = getExpectedTwilioSignature(authToken, other, { ...parametersOf('sent') });
    expect(outcomeOf({ ...callback, signature })).toBe('forged');
  });

  test('is known by each auth token while one takes the place of another', () => {
    const [old, next] = ['0'.repeat(32), '1'.repeat(32)];
    const both = twilioReports({ accountSid, authTokens: [next, old], from });
    for (const token of [old, next])
      expect(outcomeOf(signCallback(token, url, parametersOf('sent')), both)).toMatchObject({
        id: sms.sid,
      });
    expect(outcomeOf(signed('sent'), both)).toBe('forged');
  });

  test.each([
    '',
    'x',
    '='.repeat(28),
    '\u00e9'.repeat(28),
    `${'A'.repeat(27)}=`,
    'a'.repeat(100_000),
  ])('with the signature %.40j is none', (signature) => {
    expect(outcomeOf({ ...signed('sent'), signature })).toBe('forged');
  });

  test.each([
    [{ AccountSid: `AC${'f'.repeat(32)}` }],
    [{ AccountSid: undefined }],
    [{ MessageSid: undefined }],
    [{ MessageStatus: undefined }],
    [{ From: undefined }],
    [{ MessageSid: 'SM1' }],
    [{ MessageSid: `SM${'g'.repeat(32)}` }],
    [{ MessageSid: `SM${'a1'.repeat(16)}\n` }],
    [{ SmsSid: `SM${'b1'.repeat(16)}` }],
    [{ MessageStatus: 'Delivered' }],
    [{ MessageStatus: 'constructor' }],
    [{ SmsStatus: 'toString' }],
    [{ ErrorCode: '30003x' }],
    [{ ErrorMessage: 'no\nline' }],
    [{ ErrorMessage: 'RawDlrDoneDate2601010000' }],
    [{ ApiVersion: '2010' }],
    [{ Unheard: 'of' }],
    [{ constructor: 'x' }],
    [{ messageSid: sms.sid }],
    [{ 'MessageStatus ': 'delivered' }],
  ])('with %j is refused, though it is signed', (changes) => {
    expect(outcomeOf(signedWith(changes))).toBe('refused');
  });

  test('with a name twice is refused, and so is one with __proto__', () => {
    for (const more of ['&MessageStatus=delivered', '&MessageStatus=undelivered', '&__proto__=x']) {
      const body = signed('undelivered', 30003).body + more;
      const parameters: Record<string, unknown> = Object.create(null);
      const form = new URLSearchParams(body);
      for (const name of form.keys()) parameters[name] = [...form.getAll(name)];
      const signature = getExpectedTwilioSignature(authToken, url, parameters);
      expect(outcomeOf({ url, body, signature })).toBe('refused');
    }
  });

  test.each(['%', 'a=%e9', 'a=%zz', '', '&', `a=${'x'.repeat(20_000)}`])(
    'whose body is %.20j is none or refused, and quickly',
    (body) => {
      const form = Object.fromEntries(new URLSearchParams(body));
      const signature = getExpectedTwilioSignature(authToken, url, form);
      expect(['forged', 'refused']).toContain(outcomeOf({ url, body, signature }));
    },
  );

  test('of any length is put away without being looked at', () => {
    const body = Array.from({ length: 100_000 }, (_, i) => `n${i}=v`).join('&');
    const signature = getExpectedTwilioSignature(
      authToken,
      url,
      Object.fromEntries(new URLSearchParams(body)),
    );
    expect(outcomeOf({ url, body, signature })).toBe('forged');
  });

  test.each<[MessageStatus, number | undefined]>([
    ['sent', undefined],
    ['delivered', undefined],
    ['undelivered', 30003],
  ])(
    'that says %s is refused with its boundaries elsewhere, though the signature is right',
    (status, errorCode) => {
      const shifted = shiftedCallbacks(signed(status, errorCode));
      expect(shifted.length).toBeGreaterThan(200);
      const isValidForTwilio = ({ url, signature, body }: SignedCallback) =>
        validateRequest(authToken, signature, url, Object.fromEntries(new URLSearchParams(body)));
      expect(shifted.filter((one) => !isValidForTwilio(one))).toEqual([]);
      expect(shifted.filter((one) => outcomeOf(one) !== 'refused')).toEqual([]);
    },
  );

  test('says the same a thousand times over, and in any order of its parameters', () => {
    const random = randomOf(7);
    const callback = signed('undelivered', 30003);
    for (let i = 0; i < 1_000; i++) {
      const pairs = [...new URLSearchParams(callback.body)].sort(() => random() - 0.5);
      expect(outcomeOf({ ...callback, body: formOf(pairs) })).toMatchObject({
        providerCode: 30003,
      });
    }
  });
});

test('a callback that is refused is not repeated in the error', () => {
  const { to } = sms;
  const canary = { Canary: 'canary 918273', To: to, ErrorMessage: 'canary 918273' };
  for (const callback of [signedWith(canary), ...shiftedCallbacks(signed('sent'))]) {
    let thrown: unknown;
    try {
      reports.read(callback);
    } catch (error) {
      thrown = error;
    }
    const shown = everythingOf(thrown);
    expect(thrown).toBeInstanceOf(Failure);
    for (const secret of [authToken, to, to.slice(1), '918273', callback.signature, sms.sid])
      expect(shown).not.toContain(secret);
  }
});

describe('ten thousand callbacks that somebody has changed', () => {
  const random = randomOf(20_260_101);
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(all: readonly T[]): T => all[below(all.length)] as T;
  const flip = (text: string): string => {
    const bytes = Buffer.from(text);
    const at = below(bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << below(7));
    return bytes.toString('latin1');
  };
  const cut = (text: string) => text.slice(0, below(text.length));
  const pairsOf = (body: string) => [...new URLSearchParams(body)];

  const honest = [
    signed('queued'),
    signed('sent'),
    signed('delivered'),
    signed('undelivered', 30003),
    signed('failed', 30008),
  ];
  const shifts = honest.flatMap((one) => shiftedCallbacks(one));
  const changes: Readonly<Record<string, (callback: SignedCallback) => SignedCallback>> = {
    'a bit of the URL': (one) => ({ ...one, url: flip(one.url) }),
    'a bit of the body': (one) => ({ ...one, body: flip(one.body) }),
    'a bit of the signature': (one) => ({ ...one, signature: flip(one.signature) }),
    'a shorter signature': (one) => ({ ...one, signature: cut(one.signature) }),
    'a shorter body': (one) => ({ ...one, body: cut(one.body) }),
    'the signature of another': (one) => ({ ...one, signature: pick(honest).signature }),
    'the body of another': (one) => ({ ...one, body: pick(honest).body }),
    'another order': (one) => ({
      ...one,
      body: formOf(pairsOf(one.body).sort(() => random() - 0.5)),
    }),
    'a parameter less': (one) => ({
      ...one,
      body: formOf(pairsOf(one.body).toSpliced(below(9), 1)),
    }),
    'a parameter twice': (one) => ({
      ...one,
      body: formOf([...pairsOf(one.body), pick(pairsOf(one.body))]),
    }),
    'another value': (one) => {
      const pairs = pairsOf(one.body);
      const at = below(pairs.length);
      const [name] = pairs[at] as [string, string];
      return { ...one, body: formOf(pairs.with(at, [name, pick(pairsOf(pick(honest).body))[1]])) };
    },
    'two values changed about': (one) => {
      const pairs = pairsOf(one.body);
      const [a, b] = [below(pairs.length), below(pairs.length)];
      const [[x, v], [y, w]] = [pairs[a] as [string, string], pairs[b] as [string, string]];
      return { ...one, body: formOf(pairs.with(a, [x, w]).with(b, [y, v])) };
    },
    'a boundary': () => pick(shifts),
    'the host': (one) => ({
      ...one,
      url: one.url.replace(
        'login.example.com',
        pick(['evil.example.net', 'localhost', 'login.example.com:8443', '10.0.0.1']),
      ),
    }),
    'the scheme': (one) => ({
      ...one,
      url: one.url.replace('https:', pick(['http:', 'HTTPS:', 'ftp:', 'https'])),
    }),
    'the query': (one) => ({
      ...one,
      url: one.url.replace('n=2', pick(['n=1', 'n=2&n=3', 'N=2', ''])),
    }),
    'another account': (one) =>
      signCallback('0'.repeat(32), one.url, Object.fromEntries(pairsOf(one.body))),
    nothing: (one) => one,
  };

  /** What is the same to the letter, whatever the order and the spelling of its parameters, is what Twilio sent. */
  const keyOf = ({ url: to, body, signature }: SignedCallback) =>
    JSON.stringify([
      to,
      pairsOf(body)
        .map((pair) => JSON.stringify(pair))
        .sort(),
      signature,
    ]);
  const said = new Map(honest.map((one) => [keyOf(one), outcomeOf(one)]));
  // A port that goes without saying, and one that Twilio leaves away, are the same URL to it.
  const isSpelling = (to: string) => to === url.replace('.com/', '.com:8443/');

  let read = 0;
  test.each(Object.keys(changes))('are read only where they are what Twilio sent: %s', (kind) => {
    for (let i = 0; i < 600; i++) {
      const original = pick(honest);
      const changed = (changes[kind] as (typeof changes)[string])(original);
      const outcome = outcomeOf(changed);
      const right = said.get(keyOf(isSpelling(changed.url) ? { ...changed, url } : changed));
      if (right === undefined) expect(['forged', 'refused']).toContain(outcome);
      else expect(outcome).toEqual(right);
      if (right !== undefined) read++;
    }
  });
  test('and those that are have been read', () => {
    expect(Object.keys(changes).length * 600).toBeGreaterThan(10_000);
    expect(read).toBeGreaterThan(1_200);
  });
});
