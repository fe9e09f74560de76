/** The engine on a real Restate server as the tests of all engines want it: real calls, and time as it passes. */
import { systemClock } from '../../../../shared/clock';
import { attemptStep } from '../../../../shared/pipeline/attempt';
import type { Engine } from '../../../../shared/pipeline/engine';
import { restateEngine } from '../../../../shared/pipeline/engines/restate/engine';
import type { Pipeline } from '../../../../shared/pipeline/pipeline';
import { systemRandom } from '../../../../shared/random';
import { deliver } from '../../../../shared/webhook/deliver';
import { createTargets } from '../../../../shared/webhook/targets';
import type { CreateEngineLab } from '../../../contracts/engine-lab';
import { testContext } from '../../../support/invoke';
import { freePort, loadPeer, type RestateServer } from '../../../support/restate';
import type { Profile } from './generate';
import { openReceiver } from './receiver';

/** For time that passes by itself, on a machine that has other things to do. */
export const PASSING: Profile = {
  grid: 40,
  lateness: 1_500,
  long: false,
  meddling: true,
  most: 5_000,
};

/** Nothing takes longer than this on the wall, ms. */
const PATIENCE = 60_000;
const POLL = 2;

/** `server`: one that runs by then. */
export const createRestateLab =
  (server: () => RestateServer): CreateEngineLab =>
  async ({ answer }) => {
    const clock = systemClock;
    const receiver = await openReceiver({ clock, answer });
    const port = await freePort();
    const pipelines: Pipeline[] = [];

    const open = (): Engine => {
      const engine = restateEngine({
        ingressUrl: server().ingressUrl,
        adminUrl: server().adminUrl,
        ownUrl: () => '',
        listen: { port, host: '127.0.0.1' },
        createAttempt: (gone) =>
          attemptStep({
            destination: receiver.destination,
            deliver,
            targets: createTargets({ clock, limit: 1_000, share: 1_000 }),
            gone,
            clock,
            random: systemRandom,
          }),
        isConfigured: (target) => receiver.destination(target) !== undefined,
        clock,
        random: systemRandom,
        log: testContext().log,
        load: loadPeer,
      });
      return {
        ...engine,
        register: (pipeline) => {
          engine.register(pipeline);
          if (!pipelines.includes(pipeline)) pipelines.push(pipeline);
        },
      };
    };

    let engine = open();
    await engine.open();
    await engine.resume();
    return {
      get engine() {
        return engine;
      },
      clock,
      tick: 60,
      receiver,
      runUntil: async (isDone, most) => {
        const end = performance.now() + Math.min(most, PATIENCE);
        while (!isDone()) {
          if (performance.now() > end) throw new Error(`not done after ${most} ms`);
          await clock.sleep(POLL);
        }
      },
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
      },
    };
  };
