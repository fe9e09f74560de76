import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { SMTPServer } from 'smtp-server';
import { Failure } from '../../../shared/failure';
import { isUnsent } from '../../../shared/senders/send-failure';
import type { SendOptions, Sms } from '../../../shared/senders/sender';
import { type TwilioSenderOptions, twilioSender } from '../../../shared/senders/twilio';
import { everythingOf } from '../../support/leaks';
import { startTwilioPeer, type TwilioFault, type TwilioPeer } from '../../support/twilio-peer';

const peers: TwilioPeer[] = [];
afterEach(async () => {
  for (const peer of peers.splice(0)) await peer.close();
});

const FROM = '+14155550100';
const start = async (options: Partial<TwilioSenderOptions> = {}) => {
  const peer = await startTwilioPeer();
  peers.push(peer);
  const { accountSid, authToken, url: baseUrl } = peer;
  return { peer, send: twilioSender({ accountSid, authToken, from: FROM, baseUrl, ...options }) };
};

const sms: Sms = { to: '+4915112345678', text: 'Your code is 482913' };
const options = (signal = new AbortController().signal): SendOptions => ({
  idempotencyKey: 'key-1',
  signal,
});
const failureOf = async (sending: Promise<unknown>): Promise<Failure> => {
  const thrown = await sending.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(Failure);
  return thrown as Failure;
};

describe('the Twilio sender', () => {
  test('sends the text to the number, from the configured number', async () => {
    const { peer, send } = await start();
    await send(sms, options());
    expect(peer.messages).toEqual([
      { sid: expect.any(String), to: sms.to, from: FROM, body: sms.text },
    ]);
  });

  test("tells Twilio's name for the message, and Twilio where to report on it", async () => {
    const { peer, send } = await start();
    const statusCallback = 'https://login.example.com/two-factor/status?c=1&n=2';
    const { id } = await send({ ...sms, statusCallback }, options());
    expect(peer.messages).toMatchObject([{ sid: id, statusCallback }]);
  });

  test('may succeed later when Twilio cannot call where it is to report', async () => {
    const { send } = await start();
    const sending = send({ ...sms, statusCallback: 'https://in_valid.example.com/' }, options());
    expect(await failureOf(sending)).toMatchObject({
      code: 'send_failed',
      cause: { providerCode: 21609, unsent: true },
    });
  });

  test('sends from a Messaging Service when that is configured', async () => {
    const from = `MG${'0a'.repeat(16)}`;
    const { peer, send } = await start({ from });
    await send(sms, options());
    expect(peer.messages).toMatchObject([{ messagingServiceSid: from }]);
    expect(peer.messages[0]).not.toHaveProperty('from');
  });

  test('keeps the path of a base URL out of the way of a slash at its end', async () => {
    const { peer, send: _ } = await start();
    const { accountSid, authToken, url } = peer;
    await twilioSender({ accountSid, authToken, from: FROM, baseUrl: `${url}/` })(sms, options());
    expect(peer.messages).toHaveLength(1);
  });

  test.each([
    '',
    '015112345678',
    '+0123456789',
    '+49151 12345678',
    '+4915112345678,+14155550101',
    '+4915112345678\r\n',
    'whatsapp:+4915112345678',
    '+49151123456781234',
    '\uff0b4915112345678',
  ])('asks nobody to send to %j', async (to) => {
    const { peer, send } = await start();
    const failure = await failureOf(send({ ...sms, to }, options()));
    expect(failure.code).toBe('send_refused');
    expect(peer.requests).toBe(0);
  });

  test.each([
    ['+15005550001', 21211],
    ['+15005550002', 21612],
    ['+15005550003', 21408],
    ['+15005550004', 21610],
    ['+15005550009', 21614],
  ])('is refused for good for %s (%i)', async (to, providerCode) => {
    const { send } = await start();
    expect(await failureOf(send({ ...sms, to }, options()))).toMatchObject({
      code: 'send_refused',
      retryable: false,
      cause: { sender: 'twilio', status: 400, providerCode },
    });
  });

  test('is refused for good for a text that no message can hold', async () => {
    const { send } = await start();
    const failure = await failureOf(send({ ...sms, text: 'x'.repeat(1601) }, options()));
    expect(failure).toMatchObject({ code: 'send_refused', cause: { providerCode: 21617 } });
  });

  test.each<[TwilioFault, object]>([
    [
      { status: 429, code: 20429 },
      { status: 429, providerCode: 20429 },
    ],
    [{ status: 429, code: 21610 }, { status: 429 }],
    [{ status: 500, code: 20500 }, { status: 500 }],
    [{ status: 503, code: 21211 }, { status: 503 }],
    [
      { status: 401, code: 20003 },
      { status: 401, providerCode: 20003 },
    ],
    [{ status: 404, code: 20404 }, { status: 404 }],
    [
      { status: 400, code: 21606 },
      { status: 400, providerCode: 21606 },
    ],
    [{ status: 302, code: 0 }, { status: 302 }],
    ['html', { status: 500 }],
    ['junk', { reason: 'invalid_answer' }],
    ['reset', { reason: 'unreachable' }],
    ['flood', { reason: 'unreachable' }],
  ])('may succeed later after %j, and tries once', async (fault, cause) => {
    const { peer, send } = await start();
    peer.fault = fault;
    expect(await failureOf(send(sms, options()))).toMatchObject({ code: 'send_failed', cause });
    expect(peer.requests).toBe(1);
  });

  test('may succeed later when nobody listens, and when the token is wrong', async () => {
    const { peer, send } = await start({ authToken: 'another' });
    expect(await failureOf(send(sms, options()))).toMatchObject({
      code: 'send_failed',
      cause: { status: 401 },
    });
    await peer.close();
    expect(await failureOf(send(sms, options()))).toMatchObject({
      code: 'send_failed',
      cause: { reason: 'unreachable' },
    });
  });

  test.each<[TwilioFault, boolean, number]>([
    [{ status: 400, code: 21211 }, true, 0],
    [{ status: 401, code: 20003 }, true, 0],
    [{ status: 404, code: 20404 }, true, 0],
    [{ status: 429, code: 20429 }, true, 0],
    [{ status: 302, code: 0 }, false, 0],
    [{ status: 408, code: 20408 }, false, 0],
    [{ status: 499, code: 20499 }, false, 0],
    [{ status: 500, code: 20500 }, false, 0],
    [{ status: 503, code: 20503 }, false, 0],
    ['html', false, 0],
    ['junk', false, 0],
    ['reset', false, 0],
    ['hang', false, 0],
    ['drip', false, 0],
    ['flood', false, 0],
    ['accept-then-hang', false, 1],
    ['accept-then-reset', false, 1],
    ['accept-then-500', false, 1],
  ])('after %j it says that nothing has left: %s', async (fault, unsent, taken) => {
    const { peer, send } = await start({ timeout: 300 });
    peer.fault = fault;
    expect(isUnsent(await failureOf(send(sms, options())))).toBe(unsent);
    expect(peer.messages).toHaveLength(taken);
  });

  test('says that nothing has left when it never had a connection, and when the caller had left', async () => {
    const { peer, send } = await start();
    expect(isUnsent(await failureOf(send(sms, options(AbortSignal.abort()))))).toBe(true);
    expect(peer.requests).toBe(0);
    await peer.close();
    expect(isUnsent(await failureOf(send(sms, options())))).toBe(true);
    for (const host of ['localhost:1', 'no-such-host.invalid']) {
      const { accountSid, authToken } = peer;
      const nowhere = twilioSender({
        accountSid,
        authToken,
        from: FROM,
        baseUrl: `http://${host}`,
      });
      expect(isUnsent(await failureOf(nowhere(sms, options())))).toBe(true);
    }
  });

  test('gives nothing to a server that it cannot tell for Twilio, and says that nothing has left', async () => {
    let bytes = 0;
    // With the certificate that the library has for tests.
    const server = new SMTPServer({ secure: true, logger: false });
    server.on('error', () => {});
    server.server.on('secureConnection', (socket: Socket) => {
      socket.on('data', (data) => {
        bytes += data.length;
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.server.address() as AddressInfo;
    const { peer } = await start();
    const { accountSid, authToken } = peer;
    const baseUrl = `https://127.0.0.1:${port}`;
    const stranger = twilioSender({ accountSid, authToken, from: FROM, baseUrl });
    const failure = await failureOf(stranger(sms, options()));
    await new Promise<void>((resolve) => server.close(() => resolve()));
    expect(isUnsent(failure)).toBe(true);
    expect(bytes).toBe(0);
  });

  test.each<TwilioFault>(['hang', 'accept-then-hang', 'drip'])(
    'waits no longer than its timeout for a %s',
    async (fault) => {
      const { peer, send } = await start({ timeout: 300 });
      peer.fault = fault;
      const started = performance.now();
      expect(await failureOf(send(sms, options()))).toMatchObject({
        code: 'send_failed',
        cause: { reason: 'timeout' },
      });
      expect(performance.now() - started).toBeLessThan(1_500);
      expect(peer.requests).toBe(1);
    },
  );

  test('gives up as soon as the caller does, and leaves others alone', async () => {
    const { peer, send } = await start();
    peer.fault = 'hang';
    const caller = new AbortController();
    const given = failureOf(send(sms, options(caller.signal)));
    const patient = failureOf(send(sms, options(AbortSignal.timeout(600))));
    setTimeout(() => caller.abort(), 100);
    const started = performance.now();
    expect(await given).toMatchObject({ cause: { reason: 'aborted' } });
    expect(performance.now() - started).toBeLessThan(400);
    await patient;
    expect(performance.now() - started).toBeGreaterThan(400);
  });

  test.each([
    [{ accountSid: 'AC123 secret' }],
    [{ accountSid: `SK${'0'.repeat(32)}` }],
    [{ authToken: ' ' }],
    [{ from: 'secret' }],
    [{ from: '+1 415 secret' }],
    [{ baseUrl: 'ftp://secret' }],
    [{ timeout: 0 }],
  ])('refuses %j at start', (wrong) => {
    const right = { accountSid: `AC${'0'.repeat(32)}`, authToken: 'token', from: FROM };
    expect(() => twilioSender(right)).not.toThrow();
    const make = () => twilioSender({ ...right, ...wrong });
    expect(make).toThrow(TypeError);
    expect(make).not.toThrow(/secret/);
  });

  test('shows no token, number or text, whatever goes wrong', async () => {
    const { peer, send } = await start({ timeout: 300 });
    const statusCallback = 'https://login.example.com/status/canary-challenge';
    const canary: Sms = { to: '+4915199887766', text: 'canary text 918273', statusCallback };
    const basic = Buffer.from(`${peer.accountSid}:${peer.authToken}`).toString('base64');
    const secrets = [peer.authToken, basic, 'Basic ', '4915199887766', 'canary', '918273'];
    const statuses = [400, 401, 403, 404, 429, 500, 503].flatMap((status) =>
      [20429, 21211, 21610].map((code): TwilioFault => ({ status, code })),
    );
    const faults: TwilioFault[] = [
      ...statuses,
      'hang',
      'accept-then-hang',
      'accept-then-reset',
      'accept-then-500',
      'reset',
      'junk',
      'html',
      'drip',
      'flood',
    ];
    for (const fault of faults) {
      peer.fault = fault;
      const shown = everythingOf(await failureOf(send(canary, options())));
      for (const secret of secrets)
        expect(`${JSON.stringify(fault)} ${shown}`).not.toContain(secret);
    }
    const shown = everythingOf(
      await failureOf(send({ ...canary, to: '4915199887766' }, options())),
    );
    for (const secret of secrets) expect(shown).not.toContain(secret);
  });
});
