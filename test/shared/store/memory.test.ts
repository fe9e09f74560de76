import { describe, expect, test } from '@jest/globals';
import { memoryStore } from '../../../shared/store/memory';
import { ABSENT } from '../../../shared/store/store';
import { storeContract } from '../../contracts/store';
import { manualClock } from '../../support/manual-clock';

storeContract('memory', (clock) => memoryStore({ clock }));

describe('memory: what it keeps', () => {
  test('it promises nothing beyond its process', () => {
    expect(memoryStore().capabilities).toMatchObject({
      survivesCrash: false,
      sharedBy: 'process',
      monotoneVersions: false,
    });
  });

  test('expired entries are dropped while others are written, without being asked for', async () => {
    const clock = manualClock();
    const store = memoryStore({ clock });
    for (let index = 0; index < 100; index += 1)
      await store.compareAndSwap(`live${index}`, ABSENT, 0);
    let most = 0;
    for (let index = 0; index < 5_000; index += 1) {
      await store.compareAndSwap(`k${index}`, ABSENT, 0, { ttl: 100 });
      if (index % 10 === 0) await clock.advance(10);
      most = Math.max(most, store.size);
    }
    // Never more than 200 are alive.
    expect(most).toBeLessThan(500);
    expect((await store.list('live', { limit: 1000 })).entries).toHaveLength(100);
  });
});
