import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { LOOK_UP_FOR, MAX_TRIES, SEND_LEASE } from '../../../functions/two-factor/delivery';
import { createRecords } from '../../../functions/two-factor/records';
import { PASS_EVERY } from '../../../functions/two-factor/worker';
import { Failure } from '../../../shared/failure';
import { twilioSender } from '../../../shared/senders/twilio';
import { twilioReports } from '../../../shared/senders/twilio-reports';
import { manualClock } from '../../support/manual-clock';
import { startTwilioPeer, type TwilioPeer } from '../../support/twilio-peer';
import { codeIn, PHONE, SMS, scripted, serve, start, withParts } from './harness';

let peer: TwilioPeer;
const clock = manualClock();
beforeEach(async () => {
  peer = await startTwilioPeer({ now: () => clock.now() });
});
afterEach(() => peer.close());

/** The function over the real sender of Twilio, which gives up soon. */
const overTwilio = () => {
  const { url: baseUrl, accountSid, authToken } = peer;
  const account = { accountSid, from: '+15005550006', baseUrl };
  const suite = start({
    clock,
    sms: twilioSender({ ...account, authToken, timeout: 300 }),
    smsReports: twilioReports({ ...account, authTokens: [authToken] }),
  });
  /** What is recorded of the first message. */
  const state = async (challenge: string) =>
    (await createRecords(suite.platform).get(challenge))?.value.sends[0];
  /** The queue is gone through after the next request. */
  const pass = async () => {
    await clock.advance(PASS_EVERY);
    await suite.issue({ user: 'somebody-else' });
  };
  const queued = async () =>
    (await suite.platform.store.list('two-factor/queue/')).entries.map(({ value }) => value);
  return { ...suite, state, pass, queued };
};

test('an accepted message is named by the provider, and nothing of it is kept', async () => {
  const { issue, state, queued } = overTwilio();
  const { challenge } = (await issue()).body;
  expect(await state(challenge)).toEqual({
    state: 'accepted',
    channel: 'sms',
    at: clock.now(),
    tries: 1,
    sendingAt: clock.now(),
    messageId: peer.messages[0]?.sid,
  });
  expect(await queued()).toEqual([]);
});

describe('a message that may have been taken', () => {
  test.each(['accept-then-hang', 'accept-then-reset', 'accept-then-500'] as const)(
    'is not sent again after %s, but looked for, and found',
    async (fault) => {
      peer.fault = fault;
      const { issue, verify, state, pass, queued } = overTwilio();
      const { challenge } = (await issue()).body;
      expect((await state(challenge))?.state).toBe('unknown');
      peer.fault = undefined;
      await pass();
      const found = await state(challenge);
      expect([found?.state, found?.messageId]).toEqual(['accepted', peer.messages[0]?.sid]);
      expect(found).not.toHaveProperty('message');
      expect(await queued()).toEqual([]);
      expect(peer.messages.filter(({ to }) => to === PHONE)).toHaveLength(1);
      expect((await verify(challenge, codeIn(peer.messages[0]?.body))).status).toBe(200);
    },
  );

  test.each(['hang', 'reset', 'junk', 'html', 'drip', 'flood'] as const)(
    'and was not, after %s, is asked for in vain for two minutes, stays unknown, and is never sent again',
    async (fault) => {
      peer.fault = fault;
      const { issue, state, pass, queued } = overTwilio();
      const { challenge } = (await issue()).body;
      expect((await state(challenge))?.state).toBe('unknown');
      peer.fault = undefined;
      await pass();
      expect((await state(challenge))?.state).toBe('unknown');
      await clock.advance(LOOK_UP_FOR);
      await pass();
      const left = await state(challenge);
      expect(left?.state).toBe('unknown');
      expect(left).not.toHaveProperty('message');
      expect(await queued()).toEqual([]);
      expect(peer.messages.filter(({ to }) => to === PHONE)).toHaveLength(0);
    },
  );

  test('stays unknown while the provider cannot be asked', async () => {
    peer.fault = 'accept-then-hang';
    const { issue, state, pass, queued } = overTwilio();
    const { challenge } = (await issue()).body;
    peer.fault = { status: 503, code: 20503 };
    await clock.advance(LOOK_UP_FOR);
    await pass();
    expect((await state(challenge))?.state).toBe('unknown');
    expect(await queued()).toHaveLength(1);
  });

  test('by mail is left as it is: there is nobody to ask', async () => {
    const suite = start({ mail: () => Promise.reject(new Failure('send_failed')) });
    const { challenge } = (await suite.issue({ user: 'user-1', email: 'user@example.com' })).body;
    await suite.platform.clock.advance(PASS_EVERY);
    await suite.issue({ user: 'somebody-else' });
    const send = (await createRecords(suite.platform).get(challenge))?.value.sends[0];
    expect(send?.state).toBe('unknown');
    expect(send).not.toHaveProperty('message');
    expect((await suite.platform.store.list('two-factor/queue/')).entries).toEqual([]);
  });
});

describe('a message that surely was not taken', () => {
  test('goes out at a later pass, once', async () => {
    peer.fault = { status: 429, code: 20429 };
    const { issue, verify, state, pass } = overTwilio();
    const { challenge } = (await issue()).body;
    expect((await state(challenge))?.state).toBe('reserved');
    peer.fault = undefined;
    await pass();
    await pass();
    expect((await state(challenge))?.state).toBe('accepted');
    expect(peer.messages).toHaveLength(1);
    expect((await verify(challenge, codeIn(peer.messages[0]?.body))).status).toBe(200);
  });

  test('is tried three times, and then given up and given back to the budgets', async () => {
    peer.fault = { status: 429, code: 20429 };
    const { issue, state, pass, platform } = overTwilio();
    const { challenge } = (await issue()).body;
    for (let tries = 1; tries < MAX_TRIES; tries++) await pass();
    expect((await state(challenge))?.state).toBe('failed');
    const requests = peer.requests;
    await pass();
    expect(peer.requests).toBe(requests);
    // Of 30 messages a day and 10 an hour to one number, none is used.
    peer.fault = undefined;
    await clock.advance(3_600_000);
    const other = serve(platform);
    for (let i = 0; i < 4; i++) await other.issue({ user: `user-${i}`, phoneNumber: PHONE });
    expect(peer.messages).toHaveLength(4);
  });

  test('and never will be is given up at once', async () => {
    peer.fault = { status: 400, code: 21610 };
    const { issue, state } = overTwilio();
    const { challenge } = (await issue()).body;
    const failed = await state(challenge);
    expect([failed?.state, failed?.tries]).toEqual(['failed', 1]);
  });

  test('is not sent any more once its code is over', async () => {
    peer.fault = { status: 429, code: 20429 };
    const { issue, state, pass } = overTwilio();
    const { challenge } = (await issue()).body;
    peer.fault = undefined;
    await clock.advance(600_000);
    await pass();
    expect(peer.messages).toEqual([]);
    expect((await state(challenge))?.state).toBe('suppressed');
  });

  test('nor when a fresh code has taken its place', async () => {
    peer.fault = { status: 429, code: 20429 };
    const { issue, resend, state, pass } = overTwilio();
    const { challenge } = (await issue()).body;
    await clock.advance(30_000);
    peer.fault = undefined;
    await resend(challenge);
    await pass();
    expect(peer.messages).toHaveLength(1);
    expect((await state(challenge))?.state).toBe('suppressed');
  });
});

test('a process that died while it sent is taken for dead after its lease, and its message is looked for', async () => {
  const { sms } = scripted();
  const suite = overTwilio();
  const dying = serve(
    withParts(suite.platform, {
      sms: async (message, options) => {
        await suite.platform.sms(message, options);
        return new Promise(() => {});
      },
    }),
  );
  const { challenge } = (await dying.call('/', { body: SMS, early: true })).body;
  for (let turn = 0; turn < 200 && peer.messages.length === 0; turn++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  const again = serve(withParts(suite.platform, { sms }));
  const record = (await createRecords(suite.platform).get(challenge))?.value;
  expect(record?.sends[0]?.state).toBe('sending');
  await clock.advance(PASS_EVERY);
  await again.issue({ user: 'nobody' });
  expect((await suite.state(challenge))?.state).toBe('sending');
  await clock.advance(SEND_LEASE);
  await again.issue({ user: 'nobody' });
  expect((await suite.state(challenge))?.state).toBe('accepted');
  expect(peer.messages).toHaveLength(1);
});

test('a sender that never answers is given up in time', async () => {
  let aborted = false;
  const suite = start({
    sms: (_, { signal }) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return new Promise(() => {});
    },
  });
  const { challenge } = (await suite.call('/', { body: SMS, early: true })).body;
  await suite.platform.clock.advance(10_000);
  await Promise.all(suite.context.background.splice(0));
  const send = (await createRecords(suite.platform).get(challenge))?.value.sends[0];
  expect([send?.state, aborted]).toEqual(['unknown', true]);
});

test('the worker between requests takes up what is left', async () => {
  const suite = overTwilio();
  peer.fault = { status: 429, code: 20429 };
  const { challenge } = (await suite.issue()).body;
  peer.fault = undefined;
  const stop = new AbortController();
  const [work] = suite.platform.works;
  await clock.advance(PASS_EVERY);
  const working = work?.(stop.signal);
  for (let turn = 0; turn < 200 && peer.messages.length === 0; turn++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  stop.abort();
  await working;
  expect((await suite.state(challenge))?.state).toBe('accepted');
});
