import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createRecords } from '../../../functions/two-factor/records';
import { twilioSender } from '../../../shared/senders/twilio';
import { twilioReports } from '../../../shared/senders/twilio-reports';
import { startTwilioPeer, type TwilioPeer } from '../../support/twilio-peer';
import { SMS, start } from './harness';

let peer: TwilioPeer;
beforeEach(async () => {
  peer = await startTwilioPeer();
});
afterEach(() => peer.close());

const overTwilio = () => {
  const { url: baseUrl, accountSid, authToken } = peer;
  const account = { accountSid, from: '+15005550006', baseUrl };
  const suite = start({
    sms: twilioSender({ ...account, authToken }),
    smsReports: twilioReports({ ...account, authTokens: [authToken] }),
    publicUrl: () => 'https://login.example.com',
  });
  const state = async (challenge: string, n = 0) =>
    (await createRecords(suite.platform).get(challenge))?.value.sends[n];
  /** The report as the provider sends it, with parts of it changed. */
  const report = async (
    sid: string,
    status: Parameters<TwilioPeer['sign']>[1],
    change: { query?: string; body?: string; headers?: Record<string, string> } = {},
    errorCode?: number,
  ) => {
    const signed = peer.sign(sid, status, errorCode);
    const { search } = new URL(signed.url);
    return suite.call(`/status${change.query ?? search}`, {
      body: change.body ?? signed.body,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-twilio-signature': signed.signature,
        ...change.headers,
      },
    });
  };
  return { ...suite, state, report };
};

const sent = async (suite: ReturnType<typeof overTwilio>, body: object = SMS) => {
  const { challenge } = (await suite.issue(body)).body;
  return { challenge: challenge as string, sid: peer.messages.at(-1)?.sid as string };
};

describe('a report of the provider', () => {
  test('comes to an address of PUBLIC_URL that does not say which challenge it is', async () => {
    const suite = overTwilio();
    const { challenge } = await sent(suite);
    const address = peer.messages[0]?.statusCallback ?? '';
    expect(address).toMatch(/^https:\/\/login\.example\.com\/two-factor\/status\?message=[\w.-]+$/);
    expect(address).not.toContain(challenge);
  });

  test('is recorded, and answered with 204', async () => {
    const suite = overTwilio();
    const { challenge, sid } = await sent(suite);
    expect((await suite.report(sid, 'delivered')).status).toBe(204);
    expect((await suite.state(challenge))?.state).toBe('delivered');
  });

  test('A24: moves a message only forward, in whatever order and however often they come', async () => {
    const suite = overTwilio();
    const { challenge, sid } = await sent(suite);
    const seen: string[] = [];
    for (const status of ['sent', 'delivered', 'sent', 'queued', 'delivered', 'failed'] as const) {
      expect((await suite.report(sid, status)).status).toBe(204);
      seen.push((await suite.state(challenge))?.state ?? '');
    }
    expect(seen).toEqual(['accepted', ...Array(5).fill('delivered')]);
    const { version } = (await createRecords(suite.platform).get(challenge)) as { version: number };
    for (let i = 0; i < 1_000; i++) await suite.report(sid, 'delivered');
    expect(await createRecords(suite.platform).get(challenge)).toMatchObject({ version });
  });

  test('tells what went wrong, by number only', async () => {
    const suite = overTwilio();
    const { challenge, sid } = await sent(suite);
    await suite.report(sid, 'undelivered', {}, 30003);
    expect(await suite.state(challenge)).toMatchObject({ state: 'failed', providerCode: 30003 });
  });

  test('of one message says nothing of another', async () => {
    const suite = overTwilio();
    const first = await sent(suite);
    const second = await sent(suite, { user: 'user-2', phoneNumber: '+12025550124' });
    // Signed as it is, but for the address of the other message: so the signature does not fit.
    const { search } = new URL(peer.messages[1]?.statusCallback ?? '');
    expect((await suite.report(first.sid, 'delivered', { query: search })).status).toBe(403);
    expect((await suite.state(second.challenge))?.state).toBe('accepted');
  });

  test('settles a message whose sending had an unknown end, and nothing is looked up or sent', async () => {
    peer.fault = 'accept-then-reset';
    const suite = overTwilio();
    const { challenge, sid } = await sent(suite);
    expect((await suite.state(challenge))?.state).toBe('unknown');
    await suite.report(sid, 'delivered');
    expect(await suite.state(challenge)).toMatchObject({ state: 'delivered', messageId: sid });
    expect((await suite.platform.store.list('two-factor/queue/')).entries).toEqual([]);
  });
});

describe('what is not a report of the provider', () => {
  test.each([
    ['has no signature', { headers: { 'x-twilio-signature': '' } }, 403],
    ['has another signature', { headers: { 'x-twilio-signature': 'AAAA' } }, 403],
    ['has another query', { query: '?message=none' }, 403],
    ['has no query', { query: '' }, 403],
    ['has one parameter more', { body: 'MessageStatus=delivered&Extra=1' }, 403],
    ['is JSON', { headers: { 'content-type': 'application/json' } }, 415],
    ['is too large', { body: 'A'.repeat(10_000) }, 413],
  ])('A24: and %s changes nothing', async (_, change, status) => {
    const suite = overTwilio();
    const { challenge, sid } = await sent(suite);
    expect((await suite.report(sid, 'delivered', change)).status).toBe(status);
    expect((await suite.state(challenge))?.state).toBe('accepted');
  });

  test('A24: cannot be made by shifting the border of a parameter: signed the same, and refused', async () => {
    const suite = overTwilio();
    const { challenge, sid } = await sent(suite);
    const { body } = peer.sign(sid, 'delivered');
    const form = new URLSearchParams(body);
    const from = form.get('From') as string;
    form.delete('From');
    form.set(`From${from.slice(0, 3)}`, from.slice(3));
    const answer = await suite.report(sid, 'delivered', { body: form.toString() });
    expect(answer.status).toBe(400);
    expect((await suite.state(challenge))?.state).toBe('accepted');
  });

  test('is refused where no provider is: the outbox makes no reports', async () => {
    const suite = start();
    const { status } = await suite.call('/status?message=x', {
      body: 'MessageStatus=delivered',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-twilio-signature': 'AAAA',
      },
    });
    expect(status).toBe(403);
  });

  test('A24: is refused by the address of PUBLIC_URL, whatever Host it names', async () => {
    const suite = overTwilio();
    const { challenge, sid } = await sent(suite);
    const headers = { host: 'evil.example.com', 'x-forwarded-host': 'evil.example.com' };
    expect((await suite.report(sid, 'delivered', { headers })).status).toBe(204);
    expect((await suite.state(challenge))?.state).toBe('delivered');
  });
});
