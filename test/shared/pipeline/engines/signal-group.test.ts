import { describe, expect, test } from '@jest/globals';
import { signalGroup } from '../../../../shared/pipeline/engines/signal-group';
import { manualClock } from '../../../support/manual-clock';

describe('a group of signals', () => {
  test('aborts all at once, each under a signal of its own', async () => {
    const group = signalGroup();
    const clock = manualClock();
    const signals = new Set<AbortSignal>();
    const waits = Array.from({ length: 100 }, () =>
      group.using((signal) => {
        signals.add(signal);
        return clock.sleep(1_000, signal);
      }),
    );
    expect(signals.size).toBe(100);
    group.abort();
    for (const wait of waits) await expect(wait).rejects.toMatchObject({ code: 'aborted' });
    expect(group.aborted).toBe(true);
  });

  test('leaves alone what has ended', async () => {
    const group = signalGroup();
    let kept: AbortSignal | undefined;
    await group.using(async (signal) => {
      kept = signal;
    });
    group.abort();
    expect(kept?.aborted).toBe(false);
  });

  test('aborts, with a reason, also what comes too late', async () => {
    const group = signalGroup();
    group.abort();
    const reason = await group.using(async (signal) => signal.reason);
    expect(reason).toMatchObject({ code: 'stopping' });
  });
});
