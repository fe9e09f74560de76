/** A host of the restate engine, as a process that can be killed: its steps call the receiver of the test. */
import { systemClock } from '../../../../shared/clock';
import { createLog } from '../../../../shared/log';
import type { Attempt } from '../../../../shared/pipeline/attempt';
import { restateEngine } from '../../../../shared/pipeline/engines/restate/engine';
import type { Pipeline } from '../../../../shared/pipeline/pipeline';
import { systemRandom } from '../../../../shared/random';

export interface RestateChildOptions {
  readonly ingressUrl: string;
  readonly adminUrl: string;
  readonly port: number;
  readonly receiver: string;
  readonly pipeline: Pipeline;
}

const { ingressUrl, adminUrl, port, receiver, pipeline } = JSON.parse(
  process.argv[2] as string,
) as RestateChildOptions;

const attempt: Attempt = async ({ run, activity, signal }) => {
  const key = `${run.id}:${activity.id}`;
  const cut = new AbortController();
  if (signal.aborted) cut.abort();
  signal.addEventListener('abort', () => cut.abort(), { once: true });
  try {
    const answer = await fetch(receiver, {
      method: 'POST',
      body: key,
      signal: cut.signal,
    });
    await answer.arrayBuffer();
    if (answer.ok) return { verdict: 'delivered' };
  } catch (error) {
    if (signal.aborted) throw error;
  }
  const error = { code: 'refused', status: 503 };
  return { verdict: 'again', error, at: Date.now() + 50 };
};

const engine = restateEngine({
  ingressUrl,
  adminUrl,
  listen: { port, host: '127.0.0.1' },
  ownUrl: () => '',
  createAttempt: () => attempt,
  isConfigured: () => true,
  clock: systemClock,
  random: systemRandom,
  log: createLog({
    now: Date.now,
    level: 'warn',
    write: (line) => process.stderr.write(`${line}\n`),
  }),
});
engine.register(pipeline);

const main = async (): Promise<void> => {
  await engine.open();
  await engine.resume();
  process.on('SIGTERM', () => {
    void engine.close(AbortSignal.timeout(5_000)).then(() => process.exit(0));
  });
  process.stdout.write('ready\n');
};

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});
