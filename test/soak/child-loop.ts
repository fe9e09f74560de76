/**
 * A process with an engine, to be killed. Told by lines of JSON what to do; each line that it prints is JSON, and out
 * at once, so that a kill right behind it loses nothing.
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { systemClock } from '../../shared/clock';
import { asFailure } from '../../shared/failure';
import { type AttemptOptions, attemptStep } from '../../shared/pipeline/attempt';
import type { Engine } from '../../shared/pipeline/engine';
import type { Run } from '../../shared/pipeline/run';
import { systemRandom } from '../../shared/random';
import { deliver } from '../../shared/webhook/deliver';
import { createTargets } from '../../shared/webhook/targets';
import { toPipeline } from '../shared/pipeline/conformance/case';
import {
  ATTEMPT_HEADER,
  destinationAt,
  HOST_HEADER,
} from '../shared/pipeline/conformance/receiver';
import { TRACEPARENT } from '../shared/pipeline/engines/lab';
import type { Named, Told, ToldOf, Wish } from './protocol';

/** What an engine is made of here: real calls to the receiver, each of which says which attempt it is, and by whom. */
export const callsTo = (url: string) => {
  const destination = destinationAt(url);
  const rest = { destination, clock: systemClock, random: systemRandom };
  return {
    isConfigured: (target: Parameters<typeof destination>[0]) => destination(target) !== undefined,
    createAttempt: (gone: AttemptOptions['gone']): ReturnType<typeof attemptStep> => {
      const targets = createTargets({ clock: systemClock });
      return (call) =>
        attemptStep({
          ...rest,
          targets,
          gone,
          deliver: (options) =>
            deliver({
              ...options,
              headers: {
                ...options.headers,
                [ATTEMPT_HEADER]: String(call.activity.attempt),
                [HOST_HEADER]: String(process.pid),
              },
            }),
        })(call);
    },
  };
};

/** Between two questions to an engine that cannot answer, ms. */
const PAUSE = 100;

const print = (line: Told): void => void writeSync(1, `${JSON.stringify(line)}\n`);

let boundaries = 0;
let killAt = Number.POSITIVE_INFINITY;

/** One more instant at which it may kill itself. */
export const boundary = (): void => {
  boundaries += 1;
  if (boundaries === killAt) process.kill(process.pid, 'SIGKILL');
};

export const obey = (open: (wish: ToldOf<Wish, 'open'>) => Promise<Engine>): void => {
  let engine: Engine;

  const play = async ({ name, case: case_ }: Named): Promise<void> => {
    engine.register(toPipeline(name, case_));
    const started = await insist(() =>
      engine.start(name, case_.input, { idempotencyKey: name, traceparent: TRACEPARENT }),
    );
    if (started === 'mismatch') throw new Error(`the key of ${name} was used for something else`);
    const { id } = started.run;
    print({ kind: 'accepted', name, id });
    await Promise.all(
      case_.signals.map(async ({ step }) => {
        const told = await insist(() => engine.signal(name, id, step, { step }));
        if ('refused' in told && told.refused.code === 'not_found')
          throw new Error(`${name} was accepted as ${id}, and for an answer to ${step} not found`);
      }),
    );
    for (let run: Run | undefined; run === undefined || run.state === 'running'; )
      run = await insist(async () => {
        let last: Run | undefined;
        for await (const state of engine.watch(name, id, new AbortController().signal)) {
          last = state;
          print({ kind: state.state === 'running' ? 'seen' : 'ended', name, run: state });
        }
        return last;
      });
  };

  const fulfil = async (wish: Wish): Promise<void> => {
    boundaries = 0;
    killAt = wish.killAt ?? Number.POSITIVE_INFINITY;
    if (wish.kind === 'open') {
      engine = await open(wish);
      await engine.open();
      await engine.resume();
      print({ kind: 'opened' });
      return;
    }
    await Promise.all(wish.pipelines.map(play));
    print({ kind: 'done', boundaries });
  };

  createInterface({ input: process.stdin }).on('line', (line) => {
    fulfil(JSON.parse(line) as Wish).catch((error: Error) => {
      print({ kind: 'failed', message: String(error.stack) });
      process.exit(1);
    });
  });
};

/** As a client does: what could not be recorded is asked for again, under the same key. */
const insist = async <T>(work: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (asFailure(error).code !== 'engine_unavailable') throw error;
      await systemClock.sleep(PAUSE);
    }
  }
};
