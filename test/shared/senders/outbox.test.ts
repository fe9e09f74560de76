import { describe, expect, test } from '@jest/globals';
import { outboxPage } from '../../../shared/pages/outbox';
import { listOutbox, OUTBOX_SIZE, OUTBOX_TTL, outboxSenders } from '../../../shared/senders/outbox';
import { memoryStore } from '../../../shared/store/memory';
import { invoke } from '../../support/invoke';
import { manualClock } from '../../support/manual-clock';

const start = () => {
  const clock = manualClock();
  const store = memoryStore({ clock });
  return { clock, store, ...outboxSenders(store, clock) };
};
const signal = new AbortController().signal;
const mail = { to: 'ada@example.com', subject: 'Hello', text: 'Good morning.' };
const sms = { to: '+4915112345678', text: 'Your code is 482913' };

describe('the outbox', () => {
  test('keeps mails and text messages, newest last', async () => {
    const outbox = start();
    await outbox.mail({ ...mail, html: '<p>Hi</p>' }, { idempotencyKey: 'z', signal });
    await outbox.clock.advance(1_000);
    await outbox.sms(sms, { idempotencyKey: 'a', signal });
    expect(await listOutbox(outbox.store)).toEqual([
      {
        channel: 'mail',
        ...mail,
        html: '<p>Hi</p>',
        at: '2026-01-01T00:00:00.000Z',
        idempotencyKey: 'z',
      },
      { channel: 'sms', ...sms, subject: '', at: '2026-01-01T00:00:01.000Z', idempotencyKey: 'a' },
    ]);
  });

  test('takes the same key on the same channel for the same message', async () => {
    const outbox = start();
    for (let i = 0; i < 3; i++) {
      await outbox.mail(mail, { idempotencyKey: 'one', signal });
      await outbox.sms(sms, { idempotencyKey: 'one', signal });
    }
    const channels = (await listOutbox(outbox.store)).map(({ channel }) => channel);
    expect(channels).toEqual(['mail', 'sms']);
  });

  test('keeps the newest messages only, and each for a day', async () => {
    const outbox = start();
    for (let i = 0; i < OUTBOX_SIZE + 7; i++)
      await outbox.sms({ ...sms, text: `${i}` }, { idempotencyKey: `key-${i}`, signal });
    const kept = await listOutbox(outbox.store);
    expect(kept).toHaveLength(OUTBOX_SIZE);
    expect([kept[0]?.text, kept.at(-1)?.text]).toEqual(['7', `${OUTBOX_SIZE + 6}`]);
    expect((await outbox.store.list('outbox/', { limit: 1000 })).entries).toHaveLength(OUTBOX_SIZE);
    await outbox.clock.advance(OUTBOX_TTL);
    expect(await listOutbox(outbox.store)).toEqual([]);
  });
});

describe('the outbox page', () => {
  test('is JSON for a program', async () => {
    const outbox = start();
    await outbox.mail(mail, { idempotencyKey: 'one', signal });
    const answer = await invoke(outboxPage(outbox.store), '/outbox', {
      headers: { accept: 'application/json' },
    });
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.json()).toEqual({ messages: await listOutbox(outbox.store) });
  });

  test('is HTML for a browser, with the links of a message to follow', async () => {
    const outbox = start();
    await outbox.mail(
      { ...mail, text: 'Go to http://localhost:8080/confirm?a=1&b=2\n' },
      { idempotencyKey: 'one', signal },
    );
    const answer = await invoke(outboxPage(outbox.store), '/outbox', {
      headers: { accept: 'text/html,*/*' },
    });
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const body = await answer.text();
    expect(body).toContain('ada@example.com');
    expect(body).toContain('<a href="http://localhost:8080/confirm?a=1&amp;b=2">');
  });

  test('shows messages as text, and lets no script run', async () => {
    const outbox = start();
    const evil = `</pre><script>alert(1)</script><img src=x onerror='alert(1)'>"&`;
    await outbox.mail(
      {
        to: `${evil}@x`,
        subject: evil,
        text: `${evil} https://x/"><script>javascript:alert(1)`,
        html: evil,
      },
      { idempotencyKey: evil, signal },
    );
    const answer = await invoke(outboxPage(outbox.store), '/outbox');
    const body = await answer.text();
    expect(body).not.toMatch(/<script|<img|javascript:[^<]*["']/i);
    expect(body.match(/<\/pre>/g)).toHaveLength(1);
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/script-src|unsafe/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });
});
