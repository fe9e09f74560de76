import { describe, expect, test } from '@jest/globals';
import { listOutbox, OUTBOX_SIZE, OUTBOX_TTL, outboxSenders } from '../../../shared/senders/outbox';
import { memoryStore } from '../../../shared/store/memory';
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
