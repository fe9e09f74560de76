/** The engine of the suite in this process, with the pipeline fan-out. */
import { systemClock } from '../../../shared/clock';
import { deriveKeys } from '../../../shared/keys';
import { createLog } from '../../../shared/log';
import type { Attempt } from '../../../shared/pipeline/attempt';
import type { Engine } from '../../../shared/pipeline/engine';
import { type Journal, openJournal } from '../../../shared/pipeline/engines/journal';
import { localEngine } from '../../../shared/pipeline/engines/local';
import { loadDirectory } from '../../../shared/pipeline/load-directory';
import { systemRandom } from '../../../shared/random';
import { prepareEngine } from '../../../shared/suite/engine';
import { INPUT } from './input.cjs';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const log = createLog({
  now: systemClock.now,
  write: (line) => process.stderr.write(`${line}\n`),
  level: 'error',
});

const common = { clock: systemClock, random: systemRandom, log };

const begun = async (engine: Engine): Promise<Engine> => {
  const { pipelines, mistakes } = loadDirectory(process.env.PIPELINES_DIR ?? '');
  if (mistakes.length > 0) throw new Error(JSON.stringify(mistakes));
  for (const pipeline of pipelines) engine.register(pipeline);
  await engine.open();
  await engine.resume();
  return engine;
};

/** As a host has it. */
export const openEngine = async (url: string): Promise<Engine> => {
  const create = await prepareEngine(url);
  return begun(
    create({
      ...common,
      environment: process.env,
      keys: deriveKeys('a secret that guards nothing: figures alone'),
      functionsUrl: () => 'http://127.0.0.1:9',
      subscribers: () => [],
      restate: { ownUrl: () => 'http://127.0.0.1:9' },
    }),
  );
};

/** The local engine with attempts that end as they are told, and its journal. */
export const openLocal = async (
  file: string,
  attempt: Attempt,
): Promise<{ readonly engine: Engine; readonly journal: Journal }> => {
  const journal = await openJournal(file);
  const engine = localEngine({
    ...common,
    openJournal: async () => journal,
    createAttempt: () => attempt,
    isConfigured: () => true,
  });
  return { engine: await begun(engine), journal };
};

/** The id of a run that has been recorded. */
export const begin = async (engine: Engine): Promise<string> => {
  const started = await engine.start('fan-out', INPUT, { traceparent: TRACEPARENT });
  if (started === 'mismatch') throw new Error('without a key there is no mismatch');
  return started.run.id;
};

/** Resolves when the run has ended, and that is recorded. */
export const ended = async (engine: Engine, id: string): Promise<string | undefined> =>
  (await engine.settled('fan-out', id, new AbortController().signal))?.state;

export const runOnce = async (engine: Engine): Promise<void> => {
  const state = await ended(engine, await begin(engine));
  if (state !== 'succeeded') throw new Error(`the run has ${state}`);
};
