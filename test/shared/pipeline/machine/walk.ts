/**
 * Random walks of a run through its state machine: generated graphs, and whatever may happen to a run in any order.
 * Every step is judged by rules written apart from the machine.
 */
import fc from 'fast-check';
import type { AttemptOutcome } from '../../../../shared/pipeline/attempt';
import { begin } from '../../../../shared/pipeline/machine/begin';
import { type ReplayRequest, replay } from '../../../../shared/pipeline/machine/replay';
import { type RunEvent, transition } from '../../../../shared/pipeline/machine/transition';
import { type Activity, underway } from '../../../../shared/pipeline/machine/underway';
import type { Pipeline, Step } from '../../../../shared/pipeline/pipeline';
import { type Progress, resultOf } from '../../../../shared/pipeline/progress';
import type { StepResult } from '../../../../shared/pipeline/run';
import { pipelineOf } from '../engines/lab';

export const START = Date.UTC(2026, 0, 1);
const DEADLINE = 600_000;

/** A graph that `check` would take: no required step comes after one that is not. */
export const graphs: fc.Arbitrary<Pipeline> = fc
  .array(
    fc.record({
      after: fc.array(fc.nat(), { maxLength: 3 }),
      required: fc.boolean(),
      waits: fc.integer({ min: 0, max: 4 }),
      undo: fc.boolean(),
      delay: fc.constantFrom(0, 0, 0, 1_000, 700_000),
      when: fc.boolean(),
      timeout: fc.constantFrom(5_000, 700_000),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((drafts) => {
    const steps: Record<string, Partial<Step>> = {};
    drafts.forEach(({ after, required, waits, undo, delay, when, timeout }, i) => {
      const before = i === 0 ? [] : [...new Set(after.map((n) => `s${n % i}`))];
      const isWait = waits === 0;
      steps[`s${i}`] = {
        after: before,
        required: required && before.every((name) => steps[name]?.required),
        ...(isWait ? { target: { wait: `e${i}` }, timeout } : {}),
        ...(!isWait && delay > 0 && { delay }),
        ...(undo && !isWait && { undo: { ...CALL, target: { function: `undo-s${i}` } } }),
        ...(when && { when: `/s${i}` }),
      };
    });
    return pipelineOf(steps, 'walk', { deadline: DEADLINE });
  });

const CALL = { timeout: 1_000, retry: { attempts: 3, backoff: 1, maxBackoff: 1, jitter: 0 } };

const failed = (code: string, status?: number) => ({
  code,
  ...(status !== undefined && { status }),
});
const outcomes = (now: number): readonly AttemptOutcome[] => [
  { verdict: 'delivered' },
  { verdict: 'delivered', output: { a: 1 }, kept: { '/id': 1 } },
  { verdict: 'dead', error: failed('refused', 422) },
  { verdict: 'dead', error: failed('refused', 503) },
  { verdict: 'dead', error: failed('upstream_timeout') },
  { verdict: 'dead', error: failed('not_configured') },
  { verdict: 'again', error: failed('refused', 500), at: now + 500 },
  { verdict: 'again', error: failed('upstream_timeout'), at: now + 1_000 },
  { verdict: 'postponed', at: now + 2_000 },
];

/** Numbers that decide what happens next; when they are used up, everything goes well. */
export const choices = fc.array(fc.nat(), { minLength: 10, maxLength: 120, size: 'max' });

export interface Walk {
  readonly progress: Progress;
  readonly passages: number;
  /** What happened on the way, by kind: so that a test can tell that it met everything. */
  readonly seen: ReadonlySet<string>;
}

/** Throws what rule was broken. */
export const walk = (pipeline: Pipeline, numbers: readonly number[]): Walk => {
  const left = [...numbers];
  const pick = <T>(options: readonly T[]): T | undefined => {
    const number = left.shift();
    return number === undefined ? undefined : options[number % options.length];
  };
  const seen = new Set<string>();
  const delivered = new Set<string>();
  const given = Object.fromEntries(
    pipeline.steps.map(({ name }, i) => [name, ((numbers[i] ?? 0) & 1) === 0]),
  );
  let now = START;
  let progress = freeze(begin(pipeline, { input: given, isConfigured: () => true, now }));
  let passages = 1;
  judgeState(pipeline, progress);

  const tell = (event: RunEvent): void => {
    const before = progress;
    progress = freeze(transition(pipeline, before, event, { now }));
    if (progress !== before) {
      seen.add(event.kind === 'ended' ? event.outcome.verdict : event.kind);
      judgeChange(pipeline, before, progress, event, now);
    }
    judgeState(pipeline, progress);
    const again = transition(pipeline, progress, event, { now });
    const isPostponed = event.kind === 'ended' && event.outcome.verdict === 'postponed';
    if (again !== progress && !isPostponed) throw new Error(`${event.kind} means something twice`);
  };

  const end = (activity: Activity, outcome: AttemptOutcome): void => {
    const { step, undo, attempt, generation = 1 } = activity;
    const key = `${step.name}:${generation}${undo ? ':undo' : ''}`;
    if (delivered.has(key)) throw new Error(`${key} is called again after it was delivered`);
    if (undo) seen.add('undo');
    tell({ kind: 'ended', step: step.name, undo, attempt, outcome });
    if (outcome.verdict === 'delivered') delivered.add(key);
  };

  /** Something of what an engine or a person might do now. */
  const stir = (): void => {
    const { attempts, wakeAt } = underway(pipeline, progress);
    const activity = pick(attempts);
    const step = pick(pipeline.steps)?.name ?? 's0';
    const actions: (() => void)[] = [
      () => activity && act(activity),
      () => activity && act(activity),
      () => activity && act(activity),
      () => {
        now = Math.max(now, wakeAt ?? now);
        tell({ kind: 'due' });
      },
      () => {
        now += pick([1, 1_000, 100_000, 650_000]) ?? 0;
        tell({ kind: 'due' });
      },
      () => tell({ kind: 'signalled', step, data: {}, fingerprint: 'one' }),
      () => tell({ kind: 'signalled', step, data: {}, fingerprint: 'two' }),
      () => pick([0, 1, 2]) === 0 && tell({ kind: 'cancelled', by: 'ada', reason: 'r' }),
      // What is not the current attempt.
      () => tell({ kind: 'begun', step, undo: pick([0, 1]) === 0, attempt: 9 }),
      () =>
        tell({
          kind: 'ended',
          step,
          undo: pick([0, 1]) === 0,
          attempt: 0,
          outcome: { verdict: 'delivered' },
        }),
    ];
    pick(actions)?.();
  };

  const act = (activity: Activity): void => {
    const { step, undo, attempt, at } = activity;
    if (at !== undefined) {
      now = Math.max(now, at);
      if (pick([0, 1]) === 0) {
        tell({ kind: 'begun', step: step.name, undo, attempt });
        return;
      }
    }
    const isLate = !undo && now >= Date.parse(progress.deadlineAt);
    const late: AttemptOutcome = { verdict: 'dead', error: failed('deadline_exceeded') };
    const outcome = isLate ? late : (pick(outcomes(now)) ?? { verdict: 'delivered' });
    // As the law has it: no next attempt at the deadline or later.
    const isTooLate =
      outcome.verdict === 'again' && !undo && outcome.at >= Date.parse(progress.deadlineAt);
    end(activity, isTooLate ? { verdict: 'dead', error: outcome.error } : outcome);
  };

  /** All that is under way is delivered, and time passes: it must end. */
  const finish = (): void => {
    for (let count = 0; progress.state === 'running'; count += 1) {
      if (count > 200) throw new Error('this does not end');
      const { attempts, wakeAt } = underway(pipeline, progress);
      const [activity] = [...attempts].sort((a, b) => (a.at ?? 0) - (b.at ?? 0));
      if (activity && (activity.at ?? 0) <= (wakeAt ?? Number.POSITIVE_INFINITY)) act(activity);
      else {
        now = Math.max(now, wakeAt ?? now);
        tell({ kind: 'due' });
      }
    }
  };

  for (;;) {
    for (let count = (pick([...Array(15).keys()]) ?? 0) + 1; count > 0; count -= 1) stir();
    finish();
    const request = pick(requests(pipeline));
    if (!request) return { progress, passages, seen };
    const before = progress;
    const again = replay(pipeline, before, request, { now });
    if ('code' in again) {
      seen.add(again.code);
      continue;
    }
    passages += 1;
    seen.add('replay');
    progress = freeze(again);
    judgeReplay(pipeline, before, progress, request);
    judgeState(pipeline, progress);
  }
};

const requests = ({ steps }: Pipeline): readonly ReplayRequest[] => {
  const who = { by: 'ada', reason: 'a reason' };
  return [
    who,
    { ...who, resend: true },
    ...steps.flatMap(({ name: step }) => [
      { ...who, step },
      { ...who, step, downstream: true },
      { ...who, step, resend: true },
    ]),
  ];
};

const isOpen = ({ state }: StepResult) => state === 'pending' || state === 'running';
const isUndoOpen = ({ undo }: StepResult) => undo?.state === 'pending' || undo?.state === 'running';

const behind = (steps: readonly Step[], name: string): readonly string[] => {
  const direct = steps.filter(({ after }) => after.includes(name)).map((step) => step.name);
  return [...new Set(direct.flatMap((other) => [other, ...behind(steps, other)]))];
};

const roundOf = ({ replays }: Progress): ReadonlySet<string> | undefined => {
  const last = replays?.at(-1);
  return last && new Set(last.steps);
};

/** Rules between one state and the next. */
const judgeChange = (
  pipeline: Pipeline,
  before: Progress,
  after: Progress,
  event: RunEvent,
  now: number,
): void => {
  if (before.state !== 'running') throw new Error('an ended run has changed');
  const round = roundOf(after);
  const isLost = pipeline.steps.some(({ name, required }) => {
    const { state, reason, undo } = resultOf(after.results, name);
    const hasNoEffect =
      state === 'failed' ||
      state === 'cancelled' ||
      undo !== undefined ||
      reason === 'upstream' ||
      reason === 'deadline';
    return required && hasNoEffect && (!round || round.has(name));
  });
  for (const { name, after: waitsFor } of pipeline.steps) {
    const [was, is] = [resultOf(before.results, name), resultOf(after.results, name)];
    const isPostponed =
      event.kind === 'ended' && event.step === name && event.outcome.verdict === 'postponed';
    if (is.attempts < was.attempts - (isPostponed && !event.undo ? 1 : 0))
      throw new Error(`${name} has fewer attempts than before`);
    if ((is.undo?.attempts ?? 0) < (was.undo?.attempts ?? 0) - (isPostponed ? 1 : 0))
      throw new Error(`undoing ${name} has fewer attempts than before`);
    if (!isOpen(was) && (is.state !== was.state || is.attempts !== was.attempts))
      throw new Error(`${name} had ended`);
    const hasBegun = was.state === 'pending' && is.startedAt !== undefined;
    if (hasBegun) {
      if (waitsFor.some((other) => isOpen(resultOf(after.results, other))))
        throw new Error(`${name} begins before what it waits for has ended`);
      if (isLost) throw new Error(`${name} begins though the run is lost`);
      if (after.cancelled) throw new Error(`${name} begins though the run was called off`);
    }
    const isMade = is.attempts > was.attempts && is.state === 'running';
    if ((hasBegun || isMade) && event.kind !== 'ended' && now >= Date.parse(after.deadlineAt))
      throw new Error(`${name} begins after the deadline`);
    if (hasBegun && now >= Date.parse(after.deadlineAt))
      throw new Error(`${name} begins after the deadline`);
    const isUndone = was.undo?.state !== 'running' && is.undo?.state === 'running';
    if (isUndone) {
      if (pipeline.steps.some((step) => isOpen(resultOf(after.results, step.name))))
        throw new Error(`${name} is taken back before all has ended`);
      const open = behind(pipeline.steps, name).filter((other) =>
        isUndoOpen(resultOf(after.results, other)),
      );
      if (open.length > 0) throw new Error(`${name} is taken back before ${open}`);
    }
    if (!was.undo && is.undo && !couldHaveHappened(is))
      throw new Error(`${name} is taken back though nothing happened`);
  }
};

/** By the table of answers: a refusal says that nothing happened, anything else does not. */
const couldHaveHappened = ({ state, attempts, error }: StepResult): boolean => {
  if (state === 'succeeded') return true;
  if (attempts === 0 || state === 'skipped') return false;
  const refusals = [422];
  const unsent = ['not_configured'];
  return error?.status !== undefined
    ? !refusals.includes(error.status)
    : !unsent.includes(error?.code ?? '');
};

/** Rules of every state. */
const judgeState = (pipeline: Pipeline, progress: Progress): void => {
  const { state, results, endedAt } = progress;
  const { attempts, wakeAt } = underway(pipeline, progress);
  const isIdle = attempts.length === 0 && wakeAt === undefined;
  if (isIdle !== (state !== 'running'))
    throw new Error('nothing is under way, and it has not ended');
  if ((endedAt !== undefined) !== (state !== 'running')) throw new Error('an end has an instant');
  for (const { name, undo, required } of pipeline.steps) {
    const result = resultOf(results, name);
    if (result.nextAttemptAt !== undefined && result.state !== 'running')
      throw new Error(`${name} has ended, and a next attempt`);
    if (state === 'running') continue;
    if (isOpen(result)) throw new Error(`the run has ended before ${name}`);
    if (isUndoOpen(result)) throw new Error(`the run has ended before ${name} was taken back`);
    if (state === 'succeeded' && required && (result.state === 'failed' || result.undo))
      throw new Error(`the run has succeeded without ${name}`);
    if (state !== 'succeeded' && undo && couldHaveHappened(result) && !result.undo)
      throw new Error(`${name} was not taken back`);
  }
  if (state === 'cancelled' && !progress.cancelled) throw new Error('nobody has called it off');
};

const judgeReplay = (
  { steps }: Pipeline,
  before: Progress,
  after: Progress,
  { resend = false }: ReplayRequest,
): void => {
  const note = after.replays?.at(-1);
  if (!note || after.replays?.length !== (before.replays?.length ?? 0) + 1)
    throw new Error('a replay is noted');
  const isUndoAgain = note.steps.length === 0;
  for (const { name } of steps) {
    const [was, is] = [resultOf(before.results, name), resultOf(after.results, name)];
    if (isUndoAgain) {
      if (was.undo?.state === 'failed' ? !isUndoOpen(is) : is !== was)
        throw new Error(`only what could not be taken back is: ${name}`);
      continue;
    }
    if (!note.steps.includes(name)) {
      if (after.state === 'running' && is !== was) throw new Error(`${name} was not to run again`);
      continue;
    }
    if (was.state === 'succeeded' && !was.undo && !resend)
      throw new Error(`${name} has succeeded, and is sent again`);
    const isNew = resend || was.undo !== undefined;
    if ((is.generation ?? 1) !== (was.generation ?? 1) + (isNew ? 1 : 0))
      throw new Error(`${name} has the wrong generation`);
  }
};

const freeze = (progress: Progress): Progress => {
  const all = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
    Object.freeze(value);
    for (const inner of Object.values(value)) all(inner);
  };
  all(progress);
  return progress;
};
