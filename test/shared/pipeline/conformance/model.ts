/**
 * What a run must come to, written a second time and the simple way: events on a line of time, one after the other.
 * It knows the words of the pipeline file, and nothing of the machine that it is there to check.
 */
import type { RunState, SkipReason, StepState } from '../../../../shared/pipeline/run';
import { type Answer, answerOf, type Called, type Case, type CaseStep } from './case';

export interface ExpectedCall {
  readonly state: StepState;
  readonly attempts: number;
  readonly error?: { readonly code: string; readonly status?: number };
}

export interface ExpectedStep extends ExpectedCall {
  readonly reason?: SkipReason;
  readonly undo?: ExpectedCall;
}

export interface Expected {
  readonly state: RunState;
  readonly steps: Readonly<Record<string, ExpectedStep>>;
  /** The part of the key behind the run's id to when calls with it arrive, ms from the acceptance. */
  readonly deliveries: Readonly<Record<string, readonly number[]>>;
  /** ms from the acceptance. */
  readonly endsAt: number;
  /** Whether several things happened at the same instant. */
  readonly ties: boolean;
}

/** Time that an event takes beyond what the case says, ms: one of the run's own, or what comes from outside; and who comes first when two come at once. */
export interface Disturbance {
  late(isOutside: boolean): number;
  order(): number;
}

export const NONE: Disturbance = { late: () => 0, order: () => 0 };

interface Working {
  state: StepState;
  attempts: number;
  error?: ExpectedCall['error'];
  reason?: SkipReason;
  /** Its first attempt, or the next one, is still to come. */
  resting: boolean;
  answered: boolean;
  undo?: Working;
}

interface Event {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
}

const fresh = (): Working => ({ state: 'pending', attempts: 0, resting: false, answered: false });

export const expected = (
  { steps, input, deadline = Number.POSITIVE_INFINITY, signals, cancelAt }: Case,
  disturbance: Disturbance = NONE,
): Expected => {
  const events: Event[] = [];
  const all = new Map(steps.map((step) => [step, fresh()]));
  const byName = new Map([...all].map((entry) => [entry[0].name, entry]));
  const of = (name: string) => byName.get(name) as [CaseStep, Working];
  const deliveries: Record<string, number[]> = {};
  let now = 0;
  let ties = false;
  let isCancelled = false;
  let endState: RunState = 'running';

  const after = (ms: number, act: () => void, late = disturbance.late(false)): void =>
    void events.push({
      at: now + ms + late,
      order: disturbance.order(),
      act,
    });

  const end = (work: Working, state: StepState): void => {
    work.state = state;
    work.resting = false;
  };

  const skip = (work: Working, reason: SkipReason): void => {
    end(work, 'skipped');
    work.reason = reason;
  };

  const isLost = () =>
    steps.some((step) => {
      const { state, reason } = of(step.name)[1];
      const isMissing =
        state === 'skipped' && reason !== 'condition' && reason !== 'not_configured';
      return step.required && (state === 'failed' || state === 'cancelled' || isMissing);
    });

  /** One attempt at `called`; what undoes a step does not know the deadline. */
  const attempt = (step: CaseStep, work: Working, called: Called, suffix: string): void => {
    work.resting = false;
    work.attempts += 1;
    const last = suffix === '' ? deadline : Number.POSITIVE_INFINITY;
    if (suffix === '' && step.to === 'unset') {
      after(0, () => fail(work, { code: 'not_configured' }));
      return;
    }
    const key = `${step.name}${suffix}`;
    deliveries[key] = [...(deliveries[key] ?? []), now];
    const answer = answerOf(called, work.attempts);
    const patience = Math.min(called.timeout, last - now);
    // Of an answer that may be late it may be too late.
    const takes = answer.takes + disturbance.late(false);
    if (takes > patience)
      after(patience, () => again(step, work, called, suffix, { code: 'upstream_timeout' }));
    else after(takes, () => judge(step, work, called, suffix, answer), 0);
  };

  const judge = (
    step: CaseStep,
    work: Working,
    called: Called,
    suffix: string,
    { status, retryAfter = 0 }: Answer,
  ): void => {
    const error = { code: 'refused', status: status as number };
    if (status === 'drop') again(step, work, called, suffix, { code: 'upstream_unreachable' });
    else if (status < 300) succeed(work);
    else if (status === 410) fail(work, { code: 'target_gone', status });
    else if (isNotNow(status)) again(step, work, called, suffix, error, retryAfter * 1_000);
    else fail(work, error);
  };

  const again = (
    step: CaseStep,
    work: Working,
    called: Called,
    suffix: string,
    error: NonNullable<ExpectedCall['error']>,
    least = 0,
  ): void => {
    const wait = Math.max(
      least,
      Math.min(called.backoff * 2 ** (work.attempts - 1), called.maxBackoff),
    );
    const last = suffix === '' ? deadline : Number.POSITIVE_INFINITY;
    if (work.attempts >= called.attempts || now + wait >= last) {
      fail(work, error);
      return;
    }
    work.error = error;
    work.resting = true;
    after(wait, () => {
      if (!work.resting) return;
      delete work.error;
      attempt(step, work, called, suffix);
    });
  };

  const succeed = (work: Working): void => {
    delete work.error;
    end(work, 'succeeded');
  };

  const fail = (work: Working, error: NonNullable<ExpectedCall['error']>): void => {
    work.error = error;
    end(work, 'failed');
  };

  const start = (step: CaseStep, work: Working): void => {
    work.state = 'running';
    if (step.to === 'wait' && work.answered) end(work, 'succeeded');
    else if (step.to === 'wait')
      after(step.timeout, () => {
        if (work.state === 'running') fail(work, { code: 'wait_timeout' });
      });
    else if (!step.delay) attempt(step, work, step, '');
    else {
      work.resting = true;
      after(step.delay, () => {
        if (work.resting) attempt(step, work, step, '');
      });
    }
  };

  /** Nothing more begins. A step between two attempts goes on, unless somebody has called the run off. */
  const stop = (step: CaseStep, work: Working): void => {
    const isPending = work.state === 'pending';
    const isWaiting = work.state === 'running' && step.to === 'wait';
    if (isWaiting || (isCancelled && (isPending || work.resting))) end(work, 'cancelled');
    else if (isPending || (work.resting && work.attempts === 0)) skip(work, 'upstream');
  };

  const expire = (): void => {
    for (const [step, work] of all) {
      if (work.state === 'pending') skip(work, 'deadline');
      else if (work.state === 'running' && (step.to === 'wait' || work.resting))
        fail(work, work.error ?? { code: 'deadline_exceeded' });
    }
  };

  const isOver = ({ state }: Working) => state !== 'pending' && state !== 'running';

  /** All that can follow from how things stand, until nothing more does. */
  const settle = (): void => {
    for (let before = ''; before !== print(); ) {
      before = print();
      for (const [step, work] of all) {
        if (isCancelled || isLost()) stop(step, work);
        else if (work.state === 'pending' && step.after.every((name) => isOver(of(name)[1])))
          start(step, work);
      }
    }
    if (![...all.values()].every(isOver)) return;
    if (!isCancelled && !isLost()) endState = 'succeeded';
    else if (takeBack()) endState = isCancelled ? 'cancelled' : 'failed';
  };

  const print = (): string => [...all.values()].map(({ state }) => state).join();

  /** Whether all that is to be taken back has been, or could not be. */
  const takeBack = (): boolean => {
    for (const [step, work] of all)
      if (step.undo && !work.undo && mayHaveHappened(work)) work.undo = fresh();
    const isOpen = ({ undo }: Working) => undo !== undefined && !isOver(undo);
    for (const [step, { undo }] of all) {
      if (!step.undo || undo?.state !== 'pending') continue;
      if ([...all].some(([other, work]) => isOpen(work) && isBehind(other, step.name))) continue;
      undo.state = 'running';
      attempt(step, undo, step.undo, ':undo');
    }
    return ![...all.values()].some(isOpen);
  };

  const isBehind = ({ after }: CaseStep, name: string): boolean =>
    after.some((one) => one === name || isBehind(of(one)[0], name));

  for (const [step, work] of all)
    if (!isWanted(step, input)) skip(work, 'condition');
    else if (step.to === 'unset' && !step.required) skip(work, 'not_configured');
  if (cancelAt !== undefined)
    after(
      cancelAt,
      () => {
        isCancelled = true;
      },
      disturbance.late(true),
    );
  if (deadline !== Number.POSITIVE_INFINITY) after(deadline, expire, 0);
  for (const { step, at } of signals)
    after(
      at,
      () => {
        const work = of(step)[1];
        if (work.answered || isOver(work)) return;
        work.answered = true;
        if (work.state === 'running') succeed(work);
      },
      disturbance.late(true),
    );

  settle();
  while (endState === 'running') {
    const next = events.reduce((first, event) =>
      event.at < first.at || (event.at === first.at && event.order < first.order) ? event : first,
    );
    events.splice(events.indexOf(next), 1);
    ties ||= events.some(({ at }) => at === next.at);
    now = next.at;
    next.act();
    settle();
  }
  const told = ({ state, attempts, error }: Working): ExpectedCall => ({
    state,
    attempts,
    ...(error && { error }),
  });
  return {
    state: endState,
    steps: Object.fromEntries(
      [...all].map(([{ name }, work]) => [
        name,
        {
          ...told(work),
          ...(work.reason && { reason: work.reason }),
          ...(work.undo && { undo: told(work.undo) }),
        },
      ]),
    ),
    deliveries,
    endsAt: now,
    ties,
  };
};

const isWanted = ({ when }: CaseStep, input: Case['input']): boolean => {
  if (when === undefined) return true;
  const at = typeof when === 'string' ? when : when.pointer;
  const found = input[at.slice(1)];
  if (typeof when !== 'string') return found === when.equals;
  return !['undefined', 'null', 'false', '""', '[]', '{}'].includes(String(JSON.stringify(found)));
};

/** Nobody has refused it. */
const mayHaveHappened = ({ state, attempts, error }: Working): boolean => {
  if (state === 'succeeded') return true;
  if (attempts === 0 || (state !== 'failed' && state !== 'cancelled')) return false;
  const status = error?.status;
  if (status === undefined) return error?.code !== 'not_configured';
  return isNotNow(status);
};

const isNotNow = (status: number): boolean =>
  status >= 500 || [408, 409, 425, 429].includes(status);
