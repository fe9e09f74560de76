/** Asking Twilio what became of a message. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Failure } from '../../../shared/failure';
import { isUnsent } from '../../../shared/senders/send-failure';
import { twilioSender } from '../../../shared/senders/twilio';
import { apiAddress } from '../../../shared/senders/twilio-address';
import { type TwilioReportsOptions, twilioReports } from '../../../shared/senders/twilio-reports';
import { everythingOf } from '../../support/leaks';
import { describe as describeMessage } from '../../support/twilio-messages';
import {
  startTwilioPeer,
  type TwilioFault,
  type TwilioPeer,
  type TwilioPeerOptions,
} from '../../support/twilio-peer';
import type { MessageStatus } from '../../support/twilio-schema';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of opened.splice(0).reverse()) await part.close();
});

const FROM = '+14155550100';
const NOW = Date.UTC(2026, 0, 1, 12);
const sms = { to: '+4915112345678', text: 'Your code is 482913' };
const { signal } = new AbortController();

const start = async (
  { from = FROM, ...options }: Partial<TwilioReportsOptions> = {},
  peerOptions: TwilioPeerOptions = {},
) => {
  const peer: TwilioPeer = await startTwilioPeer({ now: () => NOW, ...peerOptions });
  opened.push(peer);
  const { accountSid, authToken, url: baseUrl } = peer;
  const sender = twilioSender({ accountSid, authToken, from, baseUrl });
  return {
    peer,
    send: (message: typeof sms) => sender(message, { idempotencyKey: 'key', signal }),
    reports: twilioReports({ accountSid, authTokens: [authToken], from, baseUrl, ...options }),
  };
};

describe('a message of ours', () => {
  test.each([
    ['a number', FROM],
    ['a Messaging Service', `MG${'0a'.repeat(16)}`],
  ])('from %s is found by its recipient, text and time', async (_, from) => {
    const { send, reports } = await start({ from });
    await send({ ...sms, text: 'Your code is 000000' });
    const { id } = await send(sms);
    await send({ ...sms, to: '+4915112345679' });
    expect(await reports.find({ ...sms, since: NOW }, signal)).toEqual({ id, state: 'accepted' });
  });

  test.each<[MessageStatus, number | undefined, object | undefined]>([
    ['sending', undefined, { state: 'accepted' }],
    ['sent', undefined, { state: 'accepted' }],
    ['delivered', undefined, { state: 'delivered' }],
    ['undelivered', 30003, { state: 'failed', providerCode: 30003 }],
    ['failed', 30008, { state: 'failed', providerCode: 30008 }],
    ['canceled', undefined, { state: 'failed' }],
    ['received', undefined, undefined],
  ])('that is %s is found so', async (status, errorCode, expected) => {
    const { peer, send, reports } = await start();
    const { id = '' } = await send(sms);
    peer.become(id, status, errorCode);
    const found = await reports.find({ ...sms, since: NOW }, signal);
    expect(found).toEqual(expected && { id, ...expected });
  });

  test.each([
    ['another text', { text: 'Your code is 482914' }],
    ['a longer text', { text: 'Your code is 482913.' }],
    ['another recipient', { to: '+4915112345679' }],
    ['two minutes later', { since: NOW + 120_000 }],
    ['a recipient that is none', { to: '+4915112345678,+14155550101' }],
  ])('is not found by %s', async (_, wrong) => {
    const { send, reports } = await start();
    await send(sms);
    expect(await reports.find({ ...sms, since: NOW, ...wrong }, signal)).toBeUndefined();
  });

  test.each([
    ['of another recipient', { to: '+4915112345679' }],
    ['too old', { at: NOW - 61_000 }],
    ['with no name that a message has', { sid: 'HX1' }],
  ])('is not one %s, whatever a list that is asked for others shows', async (_, change) => {
    const { peer, reports } = await start();
    const right = { sid: `SM${'0'.repeat(32)}`, to: sms.to, from: FROM, body: sms.text, at: NOW };
    const show = ({ at, ...one }: typeof right) => {
      const kept = { sms: one, status: 'sent', errorCode: undefined, at } as const;
      peer.listExtras = { messages: [describeMessage(kept, peer.accountSid)] };
    };
    show(right);
    expect(await reports.find({ ...sms, since: NOW }, signal)).toMatchObject({ id: right.sid });
    show({ ...right, ...change });
    expect(await reports.find({ ...sms, since: NOW }, signal)).toBeUndefined();
  });

  test('is not one from another sender of the account', async () => {
    const { peer, send } = await start();
    await send(sms);
    const { accountSid, authToken, url: baseUrl } = peer;
    for (const from of ['+14155550177', `MG${'0b'.repeat(16)}`]) {
      const others = twilioReports({ accountSid, authTokens: [authToken], from, baseUrl });
      expect(await others.find({ ...sms, since: NOW }, signal)).toBeUndefined();
    }
  });

  test("is found though the provider's clock is a little behind, and shows whole seconds", async () => {
    for (const at of [NOW - 30_000, NOW, NOW + 999]) {
      const { send, reports } = await start({}, { now: () => at });
      const { id } = await send(sms);
      expect(await reports.find({ ...sms, since: NOW }, signal)).toMatchObject({ id });
    }
  });

  test('is found on a later page, and no more than a few pages are read', async () => {
    const { peer, send, reports } = await start({ timeout: 20_000 });
    const deep = await send({ ...sms, text: 'deep' });
    for (let i = 0; i < 250; i++) await send({ ...sms, text: `${i}` });
    const asked = peer.requests;
    const since = NOW;
    expect(await reports.find({ ...sms, text: 'deep', since }, signal)).toMatchObject(deep);
    expect(peer.requests - asked).toBe(3);
    for (let i = 0; i < 100; i++) await send({ ...sms, text: `${i}` });
    expect(await reports.find({ ...sms, text: 'deep', since }, signal)).toBeUndefined();
    expect(peer.requests - asked).toBe(3 + 100 + 3);
  });
});

test.each([
  ['https://api.twilio.com/2010-04-01/x.json?Page=1', undefined, true],
  ['https://api.sydney.au1.twilio.com/2010-04-01/x.json', undefined, true],
  ['http://api.twilio.com/2010-04-01/x.json', undefined, false],
  ['https://api.twilio.com:8443/2010-04-01/x.json', undefined, false],
  ['https://api.twilio.com.evil.example.net/2010-04-01/x.json', undefined, false],
  ['https://apiXtwilio.com/2010-04-01/x.json', undefined, false],
  ['https://evil.example.net/api.twilio.com', undefined, false],
  ['https://api.twilio.com@evil.example.net/', undefined, false],
  ['file:///etc/passwd', undefined, false],
])('without a base %s goes to the API', (asked, base, isApi) => {
  if (isApi) expect(apiAddress(asked, base)).toBe(asked);
  else expect(() => apiAddress(asked, base)).toThrow(TypeError);
});

test.each([
  [
    'http://proxy.internal.proxy.internal:8080/twilio/2010-04-01/x.json?Page=1',
    'http://proxy.internal:8080/twilio',
  ],
  ['https://evil.example.net/twilio/2010-04-01/x.json?Page=1', 'http://proxy.internal:8080'],
])('%s is at the base where there is one', (asked, base) => {
  expect(apiAddress(asked, base)).toBe(
    'http://proxy.internal:8080/twilio/2010-04-01/x.json?Page=1',
  );
});

describe('asking', () => {
  test('goes nowhere but to the API, whatever link an answer holds', async () => {
    const { peer, send, reports } = await start();
    let visits = 0;
    const thief = createServer((_, response) => {
      visits++;
      response.end('{"messages":[]}');
    });
    await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve));
    opened.push({ close: () => new Promise((resolve) => thief.close(() => resolve())) });
    const { port } = thief.address() as AddressInfo;
    await send(sms);
    for (const host of [`127.0.0.1:${port}`, `${new URL(peer.url).host}@127.0.0.1:${port}`]) {
      peer.listExtras = { meta: { next_page_url: `http://${host}/2010-04-01/next` } };
      const thrown = await reports.find({ ...sms, since: NOW }, signal).catch((error) => error);
      expect(thrown).toMatchObject({ code: 'send_failed' });
    }
    expect(visits).toBe(0);
  });

  test.each<TwilioFault>([
    'hang',
    'reset',
    'html',
    'drip',
    'flood',
    'junk',
    { status: 401, code: 20003 },
    { status: 404, code: 20404 },
    { status: 429, code: 20429 },
    { status: 500, code: 20500 },
  ])('fails after %j, in time, vouches for nothing, and gives nothing away', async (fault) => {
    const { peer, reports } = await start({ timeout: 300 });
    peer.fault = fault;
    const started = performance.now();
    const thrown = await reports.find({ ...sms, since: NOW }, signal).catch((error) => error);
    expect(performance.now() - started).toBeLessThan(3_000);
    expect(thrown).toBeInstanceOf(Failure);
    expect(thrown).toMatchObject({ code: 'send_failed', retryable: true });
    expect(isUnsent(thrown)).toBe(false);
    const basic = Buffer.from(`${peer.accountSid}:${peer.authToken}`).toString('base64');
    for (const secret of [peer.authToken, basic, 'Basic ', '4915112345678', '482913'])
      expect(everythingOf(thrown)).not.toContain(secret);
  });

  test('ends as soon as the caller gives up', async () => {
    const { peer, reports } = await start();
    peer.fault = 'hang';
    const caller = new AbortController();
    const asking = reports.find({ ...sms, since: NOW }, caller.signal);
    setTimeout(() => caller.abort(), 50);
    await expect(asking).rejects.toMatchObject({ cause: { reason: 'aborted' } });
  });

  test.each([
    [{ authTokens: [] }],
    [{ authTokens: ['right', ' '] }],
    [{ accountSid: 'AC secret' }],
    [{ from: 'secret' }],
    [{ baseUrl: 'ftp://secret' }],
    [{ timeout: 0 }],
  ])('is refused at start with %j', (wrong) => {
    const right = { accountSid: `AC${'0'.repeat(32)}`, authTokens: ['token'], from: FROM };
    expect(() => twilioReports(right)).not.toThrow();
    expect(() => twilioReports({ ...right, ...wrong })).toThrow(TypeError);
    expect(() => twilioReports({ ...right, ...wrong })).not.toThrow(/secret/);
  });
});
