import { afterEach, describe, expect, test } from '@jest/globals';
import { Failure } from '../../../shared/failure';
import { isUnsent } from '../../../shared/senders/send-failure';
import type { Mail, SendOptions } from '../../../shared/senders/sender';
import { type SmtpSender, type SmtpSenderOptions, smtpSender } from '../../../shared/senders/smtp';
import { HOSTILE_ADDRESSES } from '../../support/hostile-addresses';
import { everythingOf } from '../../support/leaks';
import {
  type ReceivedMail,
  type SmtpFault,
  type SmtpPeer,
  type SmtpPeerOptions,
  startSmtpPeer,
} from '../../support/smtp-peer';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of opened.splice(0).reverse()) await part.close();
});

const start = async (
  options: Partial<SmtpSenderOptions> = {},
  peerOptions: SmtpPeerOptions = {},
): Promise<{ peer: SmtpPeer; send: SmtpSender }> => {
  const peer = await startSmtpPeer(peerOptions);
  opened.push(peer);
  const send = smtpSender({ url: peer.url, from: 'Suite <hello@example.org>', ...options });
  opened.push(send);
  return { peer, send };
};

const mail: Mail = { to: 'ada@example.com', subject: 'Hello', text: 'Good morning.' };
const options = (idempotencyKey = 'key-1', signal = new AbortController().signal): SendOptions => ({
  idempotencyKey,
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
const only = ({ mails }: SmtpPeer): ReceivedMail => {
  expect(mails).toHaveLength(1);
  return mails[0] as ReceivedMail;
};
/** The values of a header field, unfolded. */
const header = (raw: string, name: string): string[] =>
  raw
    .slice(0, raw.indexOf('\r\n\r\n'))
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
    .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    .map((line) => line.slice(name.length + 1).trim());

describe('the SMTP sender', () => {
  test('hands one mail to the server, from the configured mailbox to the one address', async () => {
    const { peer, send } = await start();
    await send({ ...mail, html: '<p>Good morning.</p>' }, options());
    const { from, recipients, raw } = only(peer);
    expect({ from, recipients }).toEqual({
      from: 'hello@example.org',
      recipients: ['ada@example.com'],
    });
    expect(header(raw, 'From')).toEqual(['Suite <hello@example.org>']);
    expect(header(raw, 'To')).toEqual(['ada@example.com']);
    expect(header(raw, 'Auto-Submitted')).toEqual(['auto-generated']);
    expect(raw).toContain('Good morning.');
    expect(raw).toContain('<p>Good morning.</p>');
  });

  test('logs in with the credentials of the URL', async () => {
    const { peer, send } = await start(
      {},
      { credentials: { user: 'me@example.org', password: 'p@ss: word/%' } },
    );
    await send(mail, options());
    expect(peer.mails).toHaveLength(1);
  });

  test('gives the same message the same Message-ID, and shows nothing of its key', async () => {
    const { peer, send } = await start();
    for (const key of ['run-7:welcome', 'run-7:welcome', 'run-8:welcome'])
      await send(mail, options(key));
    const ids = peer.mails.flatMap(({ raw }) => header(raw, 'Message-ID'));
    expect(ids[0]).toMatch(/^<[0-9a-f]{64}@example\.org>$/);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
    expect(peer.mails.map(({ raw }) => raw).join()).not.toMatch(/run-7|welcome/);
  });

  test('marks a one-time code for mail programs', async () => {
    const { peer, send } = await start();
    const otp = { code: '048291', origin: 'https://login.example.com' };
    await send({ ...mail, otp }, options());
    expect(header(only(peer).raw, 'OTP-Token')).toEqual([
      '"048291"; origin="https://login.example.com"',
    ]);
    const refused = await failureOf(
      send({ ...mail, otp: { ...otp, origin: 'http://login.example.com' } }, options()),
    );
    expect(refused.code).toBe('send_refused');
  });

  test.each(HOSTILE_ADDRESSES.map((to) => [to]))('sends nothing to %j', async (to) => {
    const { peer, send } = await start();
    const failure = await failureOf(send({ ...mail, to: to as string }, options()));
    expect(failure.code).toBe('send_refused');
    expect(peer.connections).toBe(0);
  });

  test('lets no subject begin a header', async () => {
    const { peer, send } = await start();
    await send({ ...mail, subject: 'Hi\r\nBcc: evil@example.net\r\n\r\nbody' }, options());
    expect(header(only(peer).raw, 'Bcc')).toEqual([]);
    expect(only(peer).recipients).toEqual(['ada@example.com']);
  });

  test.each([[{ path: __filename }], [{ href: 'http://127.0.0.1:9/' }]])(
    'reads no file and no URL for a text that is %j',
    async (text) => {
      const { peer, send } = await start();
      await failureOf(send({ ...mail, text: text as unknown as string }, options()));
      expect(peer.mails).toEqual([]);
    },
  );

  test.each<[SmtpFault, string, number | undefined]>([
    [{ at: 'rcpt', does: 550 }, 'send_refused', 550],
    [{ at: 'rcpt', does: 451 }, 'send_failed', 451],
    [{ at: 'mail', does: 552 }, 'send_refused', 552],
    [{ at: 'data', does: 554 }, 'send_refused', 554],
    [{ at: 'data', does: 452 }, 'send_failed', 452],
    [{ at: 'connect', does: 554 }, 'send_failed', 554],
    [{ at: 'connect', does: 421 }, 'send_failed', 421],
    [{ at: 'data', does: 'drop' }, 'send_failed', undefined],
    [{ at: 'connect', does: 'drop' }, 'send_failed', undefined],
  ])('turns %j into %s', async (fault, code, status) => {
    const { peer, send } = await start();
    peer.fault = fault;
    const failure = await failureOf(send(mail, options()));
    expect(failure.code).toBe(code);
    expect(failure.cause).toMatchObject({ sender: 'smtp', ...(status && { status }) });
    expect(peer.mails).toEqual([]);
  });

  test.each<[SmtpFault, boolean, number]>([
    [{ at: 'connect', does: 421 }, true, 0],
    [{ at: 'connect', does: 'drop' }, true, 0],
    [{ at: 'connect', does: 'hang' }, true, 0],
    [{ at: 'auth', does: 535 }, true, 0],
    [{ at: 'auth', does: 'drop' }, true, 0],
    [{ at: 'auth', does: 'hang' }, true, 0],
    [{ at: 'mail', does: 451 }, true, 0],
    [{ at: 'mail', does: 'drop' }, true, 0],
    [{ at: 'mail', does: 'hang' }, true, 0],
    [{ at: 'rcpt', does: 550 }, true, 0],
    [{ at: 'rcpt', does: 'drop' }, true, 0],
    [{ at: 'rcpt', does: 'hang' }, true, 0],
    [{ at: 'data', does: 452 }, true, 0],
    [{ at: 'data', does: 554 }, true, 0],
    // From here on nobody can tell, whatever the server did.
    [{ at: 'data', does: 'drop' }, false, 0],
    [{ at: 'data', does: 'hang' }, false, 0],
    [{ at: 'accepted', does: 'drop' }, false, 1],
    [{ at: 'accepted', does: 'hang' }, false, 1],
  ])('after %j it says that nothing has left: %s', async (fault, unsent, taken) => {
    const { peer, send } = await start(
      { timeout: 300 },
      { credentials: { user: 'me', password: 'right' } },
    );
    peer.fault = fault;
    expect(isUnsent(await failureOf(send(mail, options())))).toBe(unsent);
    expect(peer.mails).toHaveLength(taken);
  });

  test('says that nothing has left when nobody listens, when it is closed, and when it had no time', async () => {
    const { peer, send } = await start();
    const early = failureOf(send(mail, options('key-1', AbortSignal.abort())));
    expect(isUnsent(await early)).toBe(true);
    await peer.close();
    expect(isUnsent(await failureOf(send(mail, options())))).toBe(true);
    await send.close();
    expect(isUnsent(await failureOf(send(mail, options())))).toBe(true);
  });

  test('says that nothing has left of a mail too long to reach its end in time', async () => {
    const { peer, send } = await start({ timeout: 1_000 });
    peer.stalls = true;
    const text = 'Good morning.\n'.repeat(2_000_000);
    expect(isUnsent(await failureOf(send({ ...mail, text }, options())))).toBe(true);
    expect(peer.mails).toEqual([]);
  });

  test('vouches for one message only, and not for the next on its connection', async () => {
    const { peer, send } = await start({ timeout: 300, maxConnections: 1 });
    await send(mail, options('key-1'));
    peer.fault = { at: 'rcpt', does: 'hang' };
    expect(isUnsent(await failureOf(send(mail, options('key-2'))))).toBe(true);
    peer.fault = { at: 'accepted', does: 'hang' };
    expect(isUnsent(await failureOf(send(mail, options('key-3'))))).toBe(false);
    expect(peer.mails).toHaveLength(2);
  });

  test('blames a refused login on us and not on the message', async () => {
    const { peer, send } = await start({}, { credentials: { user: 'me', password: 'right' } });
    peer.fault = { at: 'auth', does: 535 };
    const failure = await failureOf(send(mail, options()));
    expect(failure).toMatchObject({
      code: 'send_failed',
      cause: { sender: 'smtp', reason: 'EAUTH', status: 535 },
    });
  });

  test.each<SmtpFault['at']>(['connect', 'mail', 'rcpt', 'data', 'accepted'])(
    'waits no longer than its timeout for a server that hangs at %s',
    async (at) => {
      const { peer, send } = await start({ timeout: 300 });
      peer.fault = { at, does: 'hang' };
      const started = performance.now();
      const failure = await failureOf(send(mail, options()));
      expect(failure.code).toBe('send_failed');
      expect(performance.now() - started).toBeLessThan(2_000);
    },
  );

  test('gives up as soon as the caller does', async () => {
    const { peer, send } = await start();
    peer.fault = { at: 'mail', does: 'hang' };
    const caller = new AbortController();
    const sending = send(mail, options('key-1', caller.signal));
    const started = performance.now();
    setTimeout(() => caller.abort(), 50);
    const failure = await failureOf(sending);
    expect(failure).toMatchObject({ code: 'send_failed', cause: { reason: 'aborted' } });
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('sends again under the same Message-ID after an answer that was lost', async () => {
    const { peer, send } = await start({ timeout: 300 });
    peer.fault = { at: 'accepted', does: 'hang' };
    await failureOf(send(mail, options()));
    peer.fault = undefined;
    await send(mail, options());
    const ids = peer.mails.flatMap(({ raw }) => header(raw, 'Message-ID'));
    expect(ids).toHaveLength(2);
    expect(ids[1]).toBe(ids[0]);
  });

  test('keeps few connections, and loses none to servers that hang', async () => {
    const { peer, send } = await start({ timeout: 300, maxConnections: 2 });
    peer.fault = { at: 'mail', does: 'hang' };
    await Promise.all(
      Array.from({ length: 8 }, (_, i) => failureOf(send(mail, options(`a-${i}`)))),
    );
    expect(peer.connections).toBeLessThanOrEqual(4);
    peer.fault = undefined;
    await Promise.all(Array.from({ length: 8 }, (_, i) => send(mail, options(`b-${i}`))));
    expect(peer.mails).toHaveLength(8);
    expect(peer.open).toBeLessThanOrEqual(2);
  });

  test('waits for what is under way when it closes, and sends nothing afterwards', async () => {
    const { peer, send } = await start();
    const sending = send(mail, options());
    await send.close();
    await sending;
    expect(peer.mails).toHaveLength(1);
    expect(await failureOf(send(mail, options('key-2')))).toMatchObject({ code: 'send_failed' });
    for (let i = 0; i < 50 && peer.open > 0; i++) await new Promise((done) => setTimeout(done, 20));
    expect(peer.open).toBe(0);
  });

  test('opens nothing once it is closed', async () => {
    const { peer, send } = await start();
    await send.close();
    const failure = await failureOf(send(mail, options()));
    expect(failure).toMatchObject({ code: 'send_failed', cause: { reason: 'closed' } });
    expect(peer.connections).toBe(0);
  });

  test('sends nothing over TLS that it cannot verify', async () => {
    const { peer, send } = await start({}, { startTls: true });
    const failure = await failureOf(send(mail, options()));
    expect(failure).toMatchObject({ code: 'send_failed', cause: { reason: 'ESOCKET' } });
    expect(peer.mails).toEqual([]);
  });

  test('sends no password in the clear to another machine', async () => {
    const { peer, send: _ } = await start({}, { credentials: { user: 'me', password: 'secret' } });
    // 0.0.0.0 is this machine, but does not look like it.
    const url = peer.url.replace('127.0.0.1', '0.0.0.0');
    const send = smtpSender({ url, from: 'hello@example.org' });
    opened.push(send);
    const failure = await failureOf(send(mail, options()));
    expect(failure).toMatchObject({ code: 'send_failed', cause: { reason: 'ETLS' } });
    expect(peer.mails).toEqual([]);
  });

  test.each([
    'http://mail.example.com',
    'smtp://',
    'smtp://mail.example.com/path',
    'smtp://mail.example.com?tls.rejectUnauthorized=false',
    'smtp://me:sec%ZZret@mail.example.com',
    'mail.example.com secret',
  ])('refuses %j for a URL without repeating it', (url) => {
    const make = () => smtpSender({ url, from: 'hello@example.org' });
    expect(make).toThrow(TypeError);
    expect(make).not.toThrow(/secret|%ZZ|mail\.example/);
  });

  test('refuses a sender that is not one mailbox, and times that are none', () => {
    const url = 'smtp://127.0.0.1';
    expect(() => smtpSender({ url, from: 'a@example.com, b@example.com' })).toThrow(TypeError);
    expect(() => smtpSender({ url, from: 'a@example.com', timeout: 0 })).toThrow(TypeError);
    expect(() => smtpSender({ url, from: 'a@example.com', maxConnections: 0 })).toThrow(TypeError);
  });

  test('shows no password, address or text, whatever goes wrong', async () => {
    const secrets = [
      'canary-password',
      'canary-user',
      'ada.canary',
      'canary text 918273',
      'canary-key',
    ];
    const faults: SmtpFault[] = (
      ['connect', 'auth', 'mail', 'rcpt', 'data', 'accepted'] as const
    ).flatMap((at) => ([451, 550, 'hang', 'drop'] as const).map((does) => ({ at, does })));
    const { peer, send } = await start(
      { timeout: 250 },
      { credentials: { user: 'canary-user', password: 'canary-password' } },
    );
    const canary: Mail = {
      to: 'ada.canary@example.com',
      subject: 'canary text 918273',
      text: 'canary text 918273',
      otp: { code: '918273', origin: 'https://login.example.com' },
    };
    for (const fault of faults) {
      peer.fault = fault;
      const shown = everythingOf(await failureOf(send(canary, options('canary-key'))));
      for (const secret of secrets)
        expect(`${JSON.stringify(fault)} ${shown}`).not.toContain(secret);
      expect(shown).not.toContain(Buffer.from('canary-password').toString('base64').slice(0, 12));
    }
    const wrong = { ...canary, otp: { code: '918273', origin: 'canary text 918273' } };
    peer.fault = undefined;
    const shown = everythingOf(await failureOf(send(wrong, options('canary-key'))));
    for (const secret of secrets) expect(shown).not.toContain(secret);
  });
});
