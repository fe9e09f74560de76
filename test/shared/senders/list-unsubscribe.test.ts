import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Failure } from '../../../shared/failure';
import { listUnsubscribeFields } from '../../../shared/senders/list-unsubscribe';
import { listOutbox, outboxSenders } from '../../../shared/senders/outbox';
import type { Mail } from '../../../shared/senders/sender';
import { type SmtpSender, smtpSender } from '../../../shared/senders/smtp';
import { memoryStore } from '../../../shared/store/memory';
import { everythingOf } from '../../support/leaks';
import { manualClock } from '../../support/manual-clock';
import { type SmtpPeer, startSmtpPeer } from '../../support/smtp-peer';

const mail: Mail = { to: 'ada@example.com', subject: 'Hello', text: 'Good morning.' };
const options = { idempotencyKey: 'key-1', signal: new AbortController().signal };
const url = (length: number, base = 'https://lists.example.com/leave?token=') =>
  base + 'x'.repeat(length - base.length);

const HOSTILE: readonly string[] = [
  '',
  'lists.example.com/leave',
  'mailto:leave@example.com',
  'ftp://lists.example.com/',
  'javascript:alert(1)',
  'https://',
  'https://lists.example.com/\r\nBcc: evil@example.net',
  'https://lists.example.com/\nBcc: evil@example.net',
  'https://lists.example.com/\r',
  'https://lists.example.com/\n',
  'https://lists.example.com/\r\n\r\n<script>',
  'https://lists.example.com/>, <https://evil.example.net/',
  'https://lists.example.com/,https://evil.example.net/',
  'https://lists.example.com/ x',
  'https://lists.example.com/\tx',
  'https://lists.example.com/\0',
  'https://lists.example.com/"x"',
  'https://lists.exämple.com/',
  'https://lists.example.com/\u2028',
  ' https://lists.example.com/',
  'https://lists.example.com:99999/',
  url(901),
];

describe('over SMTP', () => {
  let peer: SmtpPeer;
  let send: SmtpSender;
  beforeAll(async () => {
    peer = await startSmtpPeer();
    send = smtpSender({ url: peer.url, from: 'hello@example.org' });
  });
  afterAll(async () => {
    await send.close();
    await peer.close();
  });
  /** The lines of the newest mail's header that begin with `List-`; a line that is folded would lack its end. */
  const listFields = (): string[] => {
    const { raw = '' } = peer.mails.at(-1) ?? {};
    const head = raw.slice(0, raw.indexOf('\r\n\r\n'));
    expect(head.split('\r\n').every((line) => line.length <= 998)).toBe(true);
    return head.split('\r\n').filter((line) => /^list-/i.test(line));
  };

  test.each([
    'https://lists.example.com/leave?token=abc.DEF-1_2~',
    "https://lists.example.com:8443/a/b;c=1?d=%20&e='*+!$(x)#f@g[]",
    url(900),
  ])('a mail carries both fields once, with the URL to the letter: %s', async (listUnsubscribe) => {
    await send({ ...mail, listUnsubscribe }, options);
    expect(listFields().sort()).toEqual([
      'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
      `List-Unsubscribe: <${listUnsubscribe}>`,
    ]);
  });

  test('a mail of no list carries neither', async () => {
    await send(mail, options);
    expect(listFields()).toEqual([]);
  });

  test.each(HOSTILE)('a mail with %j is not sent, and not quoted', async (listUnsubscribe) => {
    const before = peer.mails.length;
    const thrown: Failure = await send({ ...mail, listUnsubscribe }, options).then(
      () => undefined as never,
      (error) => error,
    );
    expect(thrown).toMatchObject({
      code: 'send_refused',
      cause: { sender: 'smtp', reason: 'not_a_plain_url' },
    });
    expect(everythingOf(thrown)).not.toContain('example.com');
    expect(peer.mails).toHaveLength(before);
  });
});

describe('the fields', () => {
  test.each([
    ['https://lists.example.com/', true],
    ['http://localhost:8080/', true],
    ['http://127.0.0.1:8080/', true],
    ['http://[::1]:8080/', true],
    ['http://lists.example.com/', false],
    ['http://127.0.0.1.example.com/', false],
    ['http://localhost.example.com/', false],
  ])('of %s promise one click: %s', (text, oneClick) => {
    const fields = listUnsubscribeFields(text) ?? {};
    expect(fields['List-Unsubscribe']).toBe(`<${text}>`);
    expect('List-Unsubscribe-Post' in fields).toBe(oneClick);
  });

  test('hold one line and one URL, whatever is in the text', () => {
    const text = fc.oneof(
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.string({ unit: 'binary' }).map((rest) => `https://lists.example.com/${rest}`),
    );
    fc.assert(
      fc.property(text, (any) => {
        const fields = listUnsubscribeFields(any);
        if (fields) expect(fields['List-Unsubscribe']).toMatch(/^<https?:\/\/[!-;=?-~]+>$/);
      }),
      { numRuns: 2_000 },
    );
  });
});

test('the outbox keeps where a mail says that one leaves', async () => {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const outbox = outboxSenders(store, clock);
  const listUnsubscribe = 'http://localhost:8080/leave?token=x';
  await outbox.mail({ ...mail, listUnsubscribe }, options);
  await outbox.mail(mail, { ...options, idempotencyKey: 'key-2' });
  const [with_, without] = await listOutbox(store);
  expect(with_).toMatchObject({ ...mail, listUnsubscribe });
  expect(without).not.toHaveProperty('listUnsubscribe');
});
