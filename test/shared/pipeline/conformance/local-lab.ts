/** The local engine as the tests of all engines want it: a real journal, real calls, time that needs no waiting. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../../../shared/clock';
import { type Attempt, attemptStep } from '../../../../shared/pipeline/attempt';
import type { Engine } from '../../../../shared/pipeline/engine';
import { type Journal, openJournal } from '../../../../shared/pipeline/engines/journal';
import { localEngine } from '../../../../shared/pipeline/engines/local';
import type { Pipeline } from '../../../../shared/pipeline/pipeline';
import { systemRandom } from '../../../../shared/random';
import { deliver } from '../../../../shared/webhook/deliver';
import { createTargets } from '../../../../shared/webhook/targets';
import type { CreateEngineLab } from '../../../contracts/engine-lab';
import { testContext } from '../../../support/invoke';
import { openReceiver } from './receiver';
import { virtualClock } from './virtual-clock';

/** Places enough for all cases at once: who waits for a place would wait for time that waits for it. */
const PLACES = { limit: 100_000, share: 100_000 };

export const createLocalLab: CreateEngineLab = async ({ answer }) => {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  /** Attempts and writes under way. */
  let calls = 0;
  let writes = 0;
  const clock = virtualClock(() => writes > 0 || calls !== receiver.held);
  const receiver = await openReceiver({ clock, answer });
  const pipelines: Pipeline[] = [];

  const counted =
    (attempt: Attempt): Attempt =>
    async (call) => {
      calls += 1;
      try {
        return await attempt(call);
      } finally {
        calls -= 1;
      }
    };

  const open = (): Engine => {
    const engine = localEngine({
      openJournal: async () => watched(await openJournal(join(folder, 'runs.db'))),
      createAttempt: (gone) =>
        counted(
          attemptStep({
            destination: receiver.destination,
            deliver: timed(clock),
            targets: createTargets({ clock, ...PLACES }),
            gone,
            clock,
            random: systemRandom,
          }),
        ),
      isConfigured: (target) => receiver.destination(target) !== undefined,
      clock,
      random: systemRandom,
      log: testContext().log,
    });
    return {
      ...engine,
      register: (pipeline) => {
        engine.register(pipeline);
        if (!pipelines.includes(pipeline)) pipelines.push(pipeline);
      },
    };
  };

  const watched = (journal: Journal): Journal =>
    Object.fromEntries(
      Object.entries(journal).map(([name, method]) => [
        name,
        async (...args: readonly unknown[]) => {
          writes += 1;
          try {
            return await (method as (...args: readonly unknown[]) => Promise<unknown>)(...args);
          } finally {
            writes -= 1;
          }
        },
      ]),
    ) as unknown as Journal;

  let engine = open();
  await engine.open();
  await engine.resume();
  return {
    get engine() {
      return engine;
    },
    clock,
    tick: 100,
    receiver,
    runUntil: clock.runUntil,
    restart: async () => {
      await engine.close(AbortSignal.abort());
      engine = open();
      for (const pipeline of pipelines) engine.register(pipeline);
      await engine.open();
      await engine.resume();
    },
    close: async () => {
      await engine.close(AbortSignal.abort());
      await receiver.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** A call that takes too long is cut by this clock; the one on the wall has hardly moved by then. */
const timed =
  (clock: Clock): typeof deliver =>
  async (options) => {
    const cut = new AbortController();
    const woken = new AbortController();
    const abort = () => cut.abort();
    if (options.signal.aborted) abort();
    options.signal.addEventListener('abort', abort, { once: true });
    let isLate = false;
    clock.sleep(options.timeout, woken.signal).then(
      () => {
        isLate = true;
        cut.abort();
      },
      () => {},
    );
    const delivery = await deliver({ ...options, timeout: 600_000, signal: cut.signal });
    options.signal.removeEventListener('abort', abort);
    woken.abort();
    return isLate && 'error' in delivery ? { error: 'timeout' } : delivery;
  };
