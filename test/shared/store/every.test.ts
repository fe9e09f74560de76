import { describe, expect, test } from '@jest/globals';
import { every } from '../../../shared/store/every';
import { timersSetDuring } from '../../support/timers';

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('housekeeping', () => {
  test('never overlaps itself, and goes on after a failure', async () => {
    let under = 0;
    let most = 0;
    let rounds = 0;
    const repeated = every(1, async () => {
      under += 1;
      most = Math.max(most, under);
      await sleep(10);
      under -= 1;
      rounds += 1;
      throw new Error('this round fails');
    });
    repeated.start();
    repeated.start();
    await sleep(150);
    repeated.stop();
    expect(most).toBe(1);
    expect(rounds).toBeGreaterThan(3);
  });

  test('begins after the interval, ends when it is stopped, and can begin again', async () => {
    let rounds = 0;
    const repeated = every(50, async () => {
      rounds += 1;
    });
    repeated.stop();
    repeated.start();
    expect(rounds).toBe(0);
    while (rounds === 0) await sleep(10);
    repeated.stop();
    const stopped = rounds;
    expect(await timersSetDuring(() => sleep(150))).toBeLessThanOrEqual(2);
    expect(rounds).toBe(stopped);
    repeated.start();
    while (rounds === stopped) await sleep(10);
    repeated.stop();
  });

  test('that is stopped in the middle of a round tells the round so, and begins no other', async () => {
    const seen: boolean[] = [];
    const repeated = every(1, async (signal) => {
      await sleep(30);
      seen.push(signal.aborted);
    });
    repeated.start();
    await sleep(15);
    repeated.stop();
    await sleep(100);
    expect(seen).toEqual([true]);
  });
});
