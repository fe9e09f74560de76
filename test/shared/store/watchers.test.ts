import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import type { Clock } from '../../../shared/clock';
import { Failure } from '../../../shared/failure';
import type { Entry } from '../../../shared/store/store';
import { createWatchers, type WatchersOptions } from '../../../shared/store/watchers';
import { manualClock } from '../../support/manual-clock';

const OVER = { done: true, value: undefined };
const entry: Entry = { key: 'a', value: 1, version: 1 };
const start = (read: () => Promise<unknown>, options: Partial<WatchersOptions> = {}) =>
  createWatchers({ clock: manualClock(), read: read as WatchersOptions['read'], ...options });
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('a watcher', () => {
  test('ends while a read hangs, and what that read gives later is nobody’s', async () => {
    let fail: (error: Error) => void = () => undefined;
    const hanging = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const { watch } = start(() => hanging);
    for (const end of ['abort', 'leave'] as const) {
      const abort = new AbortController();
      const states = watch('a', abort.signal);
      const next = states.next();
      await settle();
      if (end === 'abort') abort.abort();
      else await states.return?.();
      expect(await next).toEqual(OVER);
    }
    fail(new Error('too late'));
    await settle();
  });

  test('that cannot read rejects with the reason, is over, and has released everything', async () => {
    let outage = false;
    let users = 0;
    const read = async () => {
      if (outage) throw new Failure('store_unavailable');
      return entry;
    };
    const onWatched = () => {
      users += 1;
      return () => {
        users -= 1;
      };
    };
    const { watch, changed } = start(read, { onWatched });
    const { signal } = new AbortController();
    const states = watch('a', signal);
    expect((await states.next()).value).toEqual(entry);
    const next = states.next();
    outage = true;
    changed('a');
    await expect(next).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(await states.next()).toEqual(OVER);
    expect([users, getEventListeners(signal, 'abort').length]).toEqual([0, 0]);
    outage = false;
    expect((await watch('a', signal).next()).value).toEqual(entry);
  });

  test('reads once for each state and change, never in between', async () => {
    let reads = 0;
    const { watch, changed } = start(async () => {
      reads += 1;
      return undefined;
    });
    const states = watch('a', new AbortController().signal);
    await states.next();
    void states.next();
    await settle();
    expect(reads).toBe(1);
    changed('b');
    await settle();
    expect(reads).toBe(1);
    changed('a');
    changed();
    await settle();
    expect(reads).toBeGreaterThan(1);
    expect(reads).toBeLessThanOrEqual(3);
    await states.return?.();
  });

  test('reads nothing before it is asked, and can be left before', async () => {
    let reads = 0;
    const { watch } = start(async () => {
      reads += 1;
      return entry;
    });
    const { signal } = new AbortController();
    const states = watch('a', signal);
    await settle();
    await states.return?.();
    expect(await states.next()).toEqual(OVER);
    expect([reads, getEventListeners(signal, 'abort').length]).toEqual([0, 0]);
  });

  test('learns of an expiry within a minute although the wall clock was put forward', async () => {
    const inner = manualClock();
    let ahead = 0;
    const clock: Clock = { now: () => inner.now() + ahead, sleep: inner.sleep };
    const expiresAt = clock.now() + 3_600_000;
    const read = async () => (clock.now() < expiresAt ? { ...entry, expiresAt } : undefined);
    const { watch } = start(read, { clock });
    const states = watch('a', new AbortController().signal);
    await states.next();
    const gone = states.next();
    ahead = 3_600_000;
    await inner.advance(60_000);
    expect(await gone).toEqual({ done: false, value: undefined });
    await states.return?.();
  });

  test('has company told once that somebody watches, and once that nobody does', async () => {
    const told: string[] = [];
    const onWatched = () => {
      told.push('watched');
      return () => void told.push('unwatched');
    };
    const { watch, close } = start(async () => entry, { onWatched });
    const abort = new AbortController();
    const all = ['a', 'a', 'b'].map((key) => watch(key, abort.signal));
    for (const states of all) await states.next();
    expect(told).toEqual(['watched']);
    for (const states of all.slice(1)) await states.return?.();
    expect(told).toEqual(['watched']);
    abort.abort();
    expect(told).toEqual(['watched', 'unwatched']);
    await watch('c', new AbortController().signal).next();
    close();
    close();
    expect(told).toEqual(['watched', 'unwatched', 'watched', 'unwatched']);
  });
});
