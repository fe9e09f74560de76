/** A process with an engine of its own, to be killed. Each line it prints is JSON. */
import { statSync, writeSync } from 'node:fs';
import { asFailure } from '../../../../shared/failure';
import { createLab, interrupted, never, now, pipelineOf } from './lab';

const [mode, path] = process.argv.slice(2) as [string, string];

/** At once, so that a kill right behind it loses nothing. */
const print = (line: unknown): void => void writeSync(1, `${JSON.stringify(line)}\n`);
const wait = (): Promise<never> => new Promise(() => setInterval(() => {}, 1_000));

const modes: Record<string, () => Promise<void>> = {
  /** Brings one run to where every kind of step is in the middle of something; prints its id. */
  interrupted: async () => {
    const lab = createLab({ path, ...interrupted });
    const run = await lab.start({ username: 'ada' }, 'key');
    const step = async (name: string) => (await lab.find(run)).steps[name];
    await lab.until(async () => (await step('twice'))?.nextAttemptAt !== undefined);
    await lab.until(async () => (await step('later'))?.nextAttemptAt !== undefined);
    await lab.clock.advance(500);
    await lab.until(() => lab.labels().includes('twice 2') && lab.labels().includes('held 1'));
    print(run.id);
    await wait();
  },
  /** Accepts runs until the disk is full; prints their ids, then why there was no more, then the first as it is. */
  fill: async () => {
    const lab = createLab({ path, pipeline: pipelineOf({ a: {} }), script: () => undefined });
    const ids: string[] = [];
    try {
      for (;;) {
        const { id } = await lab.start({ text: 'x'.repeat(10_000) });
        ids.push(id);
        print(id);
      }
    } catch (error) {
      print({ code: asFailure(error).code, message: asFailure(error).message });
    }
    const first = await lab.engine.settled('signup', ids[0] as string, now());
    print({ first: first?.state });
    await lab.engine.close(never()).catch(() => {});
    process.exit(0);
  },
  /** Accepts runs, one commit each; after each prints its id and the size of the WAL that holds it. */
  accept: async () => {
    const lab = createLab({ path, pipeline: pipelineOf({ a: {} }), script: () => undefined });
    for (let index = 0; index < 40; index += 1) {
      const { id } = await lab.start({ text: `${index} ${'x'.repeat(index * 40)}` });
      print([id, statSync(`${path}-wal`).size]);
    }
    await wait();
  },
  /** Without rights: tells why the journal cannot be had. */
  intrude: async () => {
    process.setgid?.(65_534);
    process.setuid?.(65_534);
    const { engine } = createLab({ path, pipeline: pipelineOf({ a: {} }) });
    const reason = await engine.open().then(
      () => 'opened',
      (error: unknown) => asFailure(error),
    );
    print(reason instanceof Error ? { code: reason.code, message: reason.message } : reason);
    process.exit(0);
  },
  /** Takes the journal; prints when it has it. */
  hold: async () => {
    await createLab({ path, pipeline: pipelineOf({ a: {} }) }).engine.open();
    print('held');
    await wait();
  },
};

void modes[mode]?.();
