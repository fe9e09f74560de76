import { describe, expect, test } from '@jest/globals';
import { outboxPage } from '../../../shared/pages/outbox';
import { listOutbox, outboxSenders } from '../../../shared/senders/outbox';
import { memoryStore } from '../../../shared/store/memory';
import { invoke } from '../../support/invoke';
import { manualClock } from '../../support/manual-clock';

const start = () => {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const open = async (query = '') => {
    const answer = await invoke(outboxPage(store), `/outbox${query}`, {
      headers: { accept: 'text/html,*/*' },
    });
    return { answer, body: await answer.text() };
  };
  return { clock, store, open, ...outboxSenders(store, clock) };
};
const signal = new AbortController().signal;
const mail = { to: 'ada@example.com', subject: 'Hello', text: 'Good morning.' };
const sms = { to: '+4915112345678', text: 'Your code is 482913' };

const linksIn = (body: string): string[] =>
  [...body.matchAll(/href="(\/outbox\?message=[^"&]+)"/g)].map(([, href = '']) => href);

test('is JSON for a program', async () => {
  const outbox = start();
  await outbox.mail(mail, { idempotencyKey: 'one', signal });
  const answer = await invoke(outboxPage(outbox.store), '/outbox', {
    headers: { accept: 'application/json' },
  });
  expect(answer.headers.get('content-type')).toBe('application/json');
  expect(answer.headers.get('vary')).toBe('accept');
  expect(await answer.json()).toEqual({ messages: await listOutbox(outbox.store) });
});

test('says so when there is nothing', async () => {
  const { answer, body } = await start().open();
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(body).toContain('Nothing yet.');
});

describe('for a browser', () => {
  test('lists the messages, newest first, and shows the newest', async () => {
    const outbox = start();
    await outbox.mail(mail, { idempotencyKey: 'one', signal });
    await outbox.clock.advance(1_000);
    await outbox.sms(sms, { idempotencyKey: 'two', signal });
    const { body } = await outbox.open();
    expect(body.indexOf('Your code is 482913')).toBeLessThan(body.indexOf('Good morning.'));
    expect(body).toContain('<h2 id="subject">Messages to +4915112345678</h2>');
    expect(body).toContain('<time datetime="2026-01-01T00:00:01.000Z">');
  });

  test('opens the message that its link names', async () => {
    const outbox = start();
    await outbox.mail(mail, { idempotencyKey: 'one', signal });
    await outbox.sms(sms, { idempotencyKey: 'two', signal });
    const [, older = ''] = linksIn((await outbox.open()).body);
    const { body } = await outbox.open(older.replace('/outbox', ''));
    expect(body).toContain('<title>Hello · Outbox</title>');
    expect(body).toContain('<h2 id="subject">Hello</h2>');
    expect(body.match(/aria-current="true"/g)).toHaveLength(1);
  });

  test('answers 404 for a message that is not there any more', async () => {
    const outbox = start();
    await outbox.mail(mail, { idempotencyKey: 'one', signal });
    const { answer, body } = await outbox.open('?message=0123456789abcdef');
    expect(answer.status).toBe(404);
    expect(body).toContain('not in the outbox any more');
  });

  test('gives the list alone to those who only want that', async () => {
    const outbox = start();
    for (const text of ['first', 'second', 'third'])
      await outbox.sms({ ...sms, text }, { idempotencyKey: text, signal });
    const { answer, body } = await outbox.open('?list=2');
    expect(linksIn(body)).toHaveLength(2);
    expect(body).toMatch(/third[\s\S]*second/);
    expect(body).not.toMatch(/first|<style|<script/);
    expect(answer.headers.get('content-security-policy')).toBe("default-src 'none'");
  });

  test('shows the HTML of a mail in a frame without rights, and its text on request', async () => {
    const outbox = start();
    await outbox.mail(
      { ...mail, text: 'Go to http://localhost:8080/confirm?a=1&b=2\n', html: '<p>"Go"</p>' },
      { idempotencyKey: 'one', signal },
    );
    const { body } = await outbox.open();
    const [, sandbox, srcdoc] =
      /<iframe[^>]* sandbox="([^"]*)"[^>]* srcdoc="([^"]*)"/.exec(body) ?? [];
    expect(sandbox).toBe('allow-popups allow-popups-to-escape-sandbox');
    expect(srcdoc).toMatch(/&lt;p&gt;&quot;Go&quot;&lt;\/p&gt;$/);
    const [link = ''] = linksIn(body);
    const text = await outbox.open(`${link.replace('/outbox', '')}&as=text`);
    expect(text.body).not.toContain('<iframe');
    expect(text.body).toContain(
      '<a href="http://localhost:8080/confirm?a=1&amp;b=2" target="_blank"',
    );
  });

  test('offers to leave a list', async () => {
    const outbox = start();
    const listUnsubscribe = 'http://localhost:8080/leave?token=a&b';
    await outbox.mail({ ...mail, listUnsubscribe }, { idempotencyKey: 'one', signal });
    expect((await outbox.open()).body).toContain(
      '<a href="http://localhost:8080/leave?token=a&amp;b" target="_blank" rel="noopener">Unsubscribe</a>',
    );
  });

  test('shows what strangers wrote as text', async () => {
    const outbox = start();
    const evil = `</pre><script>alert(1)</script><img src=x onerror='alert(1)'>"&`;
    const hostile = {
      to: `${evil}@x`,
      subject: evil,
      text: `${evil} https://x/"><script>javascript:alert(1)`,
    };
    await outbox.mail(
      { ...hostile, html: evil, listUnsubscribe: 'javascript:alert(1)' },
      { idempotencyKey: evil, signal },
    );
    await outbox.sms(hostile, { idempotencyKey: 'sms', signal });
    const pages = [await outbox.open(), await outbox.open('?list=9')];
    for (const link of linksIn(pages[0]?.body ?? ''))
      for (const as of ['', '&as=text'])
        pages.push(await outbox.open(link.replace('/outbox', '') + as));
    expect(pages).toHaveLength(6);
    for (const { body } of pages) {
      const [head = '', rest = body] = body.split('</head>');
      expect(rest).not.toMatch(/<script|<img|href="javascript:/i);
      expect(head).toMatch(/<title>(?!.*<script)/);
      expect(body.match(/<pre/g) ?? []).toHaveLength((body.match(/<\/pre>/g) ?? []).length);
    }
  });
});
