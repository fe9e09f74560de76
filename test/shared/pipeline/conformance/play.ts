/** Plays cases on an engine, many at once, and says where what came of them is not what the model says. */
import { isDeepStrictEqual } from 'node:util';
import type { Run, StepResult } from '../../../../shared/pipeline/run';
import type { EngineLab } from '../../../contracts/engine-lab';
import { type Case, toPipeline } from './case';
import { type Expected, type ExpectedCall, type ExpectedStep, expected } from './model';

export interface Played {
  readonly case: Case;
  /** Attempts that have reached a receiver. */
  readonly deliveries: number;
  /** What differs, for a reader; empty: nothing. */
  readonly differences: readonly string[];
}

export interface PlayOptions {
  readonly lab: EngineLab;
  /** Whether the engine is never late: then times have to be right as well. */
  readonly exact: boolean;
  /** Of their pipelines, none of them used before. */
  readonly names: readonly string[];
}

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
/** Beyond the longest of all cases, ms of the clock. */
const PATIENCE = 30 * 86_400_000;

export const play = async (
  cases: readonly Case[],
  { lab, exact, names }: PlayOptions,
): Promise<readonly Played[]> => {
  let open = cases.length;
  const ends = cases.map(async (case_, index): Promise<Played> => {
    const name = names[index] as string;
    try {
      return { case: case_, ...(await playOne(case_, name, lab, exact)) };
    } catch (error) {
      return { case: case_, deliveries: 0, differences: [String((error as Error).stack)] };
    } finally {
      open -= 1;
    }
  });
  try {
    await lab.runUntil(() => open === 0, PATIENCE);
  } catch {
    // Tell which.
    for (const [index, end] of ends.entries())
      ends[index] = Promise.race([
        end,
        new Promise<Played>((resolve) =>
          setImmediate(resolve, {
            case: cases[index] as Case,
            deliveries: 0,
            differences: ['never ends'],
          }),
        ),
      ]);
  }
  const played = await Promise.all(ends);
  for (const name of names) lab.receiver.forget(name);
  return played;
};

const playOne = async (
  case_: Case,
  name: string,
  { engine, clock, receiver }: EngineLab,
  exact: boolean,
): Promise<Omit<Played, 'case'>> => {
  const pipeline = toPipeline(name, case_);
  engine.register(pipeline);
  const begun = clock.now();
  const started = await engine.start(name, case_.input, { traceparent: TRACEPARENT });
  if (started === 'mismatch') throw new Error('a start without a key cannot be a mismatch');
  const { id } = started.run;
  const meanwhile = [
    ...case_.signals.map(async ({ step, at }) => {
      await clock.sleep(at);
      await engine.signal(name, id, step, { at });
    }),
    ...(case_.cancelAt === undefined
      ? []
      : [
          clock
            .sleep(case_.cancelAt)
            .then(() => engine.cancel(name, id, { by: 'somebody', reason: 'a test' })),
        ]),
  ];
  const run = (await engine.settled(name, id, new AbortController().signal)) as Run;
  await Promise.all(meanwhile);
  const deliveries = Object.fromEntries(
    case_.steps
      .flatMap((step) => [step.name, `${step.name}/undo`])
      .map((path) => [path, receiver.hitsOf(`${name}/${path}`)] as const)
      .filter(([, hits]) => hits.length > 0)
      .map(([path, hits]) => [
        path.replace('/', ':'),
        hits.map(({ key, at }) => ({ key, at: at - begun })),
      ]),
  );
  return {
    deliveries: Object.values(deliveries).flat().length,
    differences: compare(expected(case_), { run, deliveries, begun, exact }),
  };
};

const difference = (what: string, has: unknown, wants: unknown): string =>
  `${what}: is ${JSON.stringify(has)}, must be ${JSON.stringify(wants)}`;

/** How the run and each of its steps have ended. */
export const compareEnd = (wanted: Expected, run: Run): readonly string[] =>
  [
    ['state', run.state, wanted.state] as const,
    ...Object.entries(wanted.steps).map(
      ([name, step]) => [name, toExpected(run.steps[name]), step] as const,
    ),
  ]
    .filter(([, has, wants]) => !isDeepStrictEqual(has, wants))
    .map(([what, has, wants]) => difference(what, has, wants));

interface Seen {
  readonly run: Run;
  readonly deliveries: Readonly<
    Record<string, readonly { readonly key: string; readonly at: number }[]>
  >;
  readonly begun: number;
  readonly exact: boolean;
}

const compare = (wanted: Expected, { run, deliveries, begun, exact }: Seen): readonly string[] => {
  const differences: string[] = [...compareEnd(wanted, run)];
  const same = (what: string, has: unknown, wants: unknown): void => {
    if (!isDeepStrictEqual(has, wants)) differences.push(difference(what, has, wants));
  };
  for (const key of new Set([...Object.keys(deliveries), ...Object.keys(wanted.deliveries)])) {
    const hits = deliveries[key] ?? [];
    const times = wanted.deliveries[key] ?? [];
    same(
      `keys of ${key}`,
      hits.map((hit) => hit.key),
      times.map(() => `${run.id}:${key}`),
    );
    if (exact)
      same(
        `times of ${key}`,
        hits.map(({ at }) => at),
        times,
      );
  }
  if (exact) same('end', Date.parse(run.endedAt as string) - begun, wanted.endsAt);
  return differences;
};

const callOf = (call: Omit<ExpectedCall, 'state'>): Omit<ExpectedCall, 'state'> => ({
  attempts: call.attempts,
  ...(call.error && { error: call.error }),
});

const toExpected = (result: StepResult | undefined): ExpectedStep | undefined =>
  result && {
    state: result.state,
    ...callOf(result),
    ...(result.reason && { reason: result.reason }),
    ...(result.undo && { undo: { state: result.undo.state, ...callOf(result.undo) } }),
  };
