/**
 * Carries one run through, as a durable function: Restate journals how each attempt ended, and runs the function again
 * from its journal after a crash. Each attempt is a future of its own that never fails, so none waits for another and
 * none is counted or made twice. Only the state machine decides, and only by what is in the journal: on a second
 * passage it finds the same.
 *
 * Fails closed: what is not journaled has not happened, and its attempt is made again under the same number and key.
 */
import type { Clock } from '../../../clock';
import type { AttemptOutcome } from '../../attempt';
import { refuse } from '../../machine/refuse';
import { type RunEvent, transition } from '../../machine/transition';
import { type Activity, underway } from '../../machine/underway';
import type { Pipeline } from '../../pipeline';
import type { Progress } from '../../progress';
import type { Gen, ObjectContext, Operation } from './sdk';
import type { Mail } from './stored';

/** How an attempt ended, and when, ms since the epoch. */
export interface Ended {
  readonly attempt: number;
  readonly outcome: AttemptOutcome;
  readonly at: number;
}

/**
 * Makes an attempt when it is due, and those that follow shortly. Rejects when it was cut, and then nothing has become
 * of any.
 */
export type Perform = (
  activity: Activity,
  progress: Progress,
  options: {
    readonly notBefore: number;
    /** How soon an attempt must follow to be made as well, ms. */
    readonly inlineWait: number;
    readonly signal: AbortSignal;
  },
) => Promise<readonly Ended[]>;

export interface CarrierOptions {
  readonly gen: Gen;
  readonly clock: Clock;
  /**
   * An attempt that is due within so many ms is made together with the one before it. Without an open connection to
   * Restate nothing is heard of one attempt before all that are under way have ended. 0 where the connection is open.
   */
  readonly inlineWait: number;
}

export interface Passage {
  readonly pipeline: Pipeline;
  readonly progress: Progress;
  /** When that was so, ms since the epoch. */
  readonly now: number;
  readonly perform: Perform;
  /** Takes each state, in their order. */
  readonly save: (progress: Progress) => void;
}

interface Open {
  readonly activity: Activity;
  readonly ending: Operation<readonly Ended[] | undefined>;
}

/** The name of the signal that brings commands. */
export const MAIL = 'mail';

export const carry = (
  context: ObjectContext,
  { gen: fibers, clock, inlineWait }: CarrierOptions,
  { pipeline, perform, save, ...start }: Passage,
): Operation<void> => {
  const { gen, run, select, signal, sleep } = fibers;
  let { progress, now } = start;

  /** Time never goes back, whoever tells it. `false`: it meant nothing. */
  const tell = (event: RunEvent, at: number): boolean => {
    now = Math.max(now, at);
    const next = transition(pipeline, progress, event, { now });
    if (next === progress) return false;
    progress = next;
    save(progress);
    return true;
  };

  /** `undefined` at its end: the time has come for the attempt, and nothing more. */
  const launch = (activity: Activity): Operation<readonly Ended[] | undefined> => {
    const { at = now, id } = activity;
    if (at > now + inlineWait) return sleep(Math.max(0, at - clock.now()), id);
    const known = progress;
    return run(({ signal }) => perform(activity, known, { notBefore: at, inlineWait, signal }), {
      name: id,
    });
  };

  const answer = ({ command, at, reply }: Mail): void => {
    const refused = refuse(pipeline, progress, command);
    if (!refused) tell(command, at);
    context.resolveAwakeable(reply, refused ? { refused } : { progress });
  };

  return gen(function* () {
    const open = new Map<string, Open>();
    let mail = signal<Mail>(MAIL);
    let alarm: { readonly at: number; readonly rings: Operation<void> } | undefined;
    while (progress.state === 'running') {
      const { attempts, wakeAt } = underway(pipeline, progress);
      // What is waited for no longer may ring: nobody listens.
      for (const id of [...open.keys()])
        if (!attempts.some((activity) => activity.id === id)) open.delete(id);
      for (const activity of attempts)
        if (!open.has(activity.id)) open.set(activity.id, { activity, ending: launch(activity) });
      if (wakeAt === undefined || isToldAnyway(progress, attempts, wakeAt)) alarm = undefined;
      else if (alarm?.at !== wakeAt)
        alarm = { at: wakeAt, rings: sleep(Math.max(0, wakeAt - clock.now()), 'due') };

      const branches = Object.fromEntries([...open].map(([id, { ending }]) => [id, ending]));
      const { tag, future } = yield* select({
        ...branches,
        mail,
        ...(alarm && { due: alarm.rings }),
      });
      if (tag === 'mail') {
        answer((yield* future) as Mail);
        mail = signal<Mail>(MAIL);
      } else if (tag === 'due') {
        // What it wakes for may have been long ago.
        tell(DUE, yield* run(async () => clock.now(), { name: 'now' }));
        alarm = undefined;
      } else {
        const { step, undo, attempt, at: due = now } = (open.get(tag) as Open).activity;
        const about = { step: step.name, undo };
        const ended = (yield* future) as readonly Ended[] | undefined;
        // The next one may have the same id: what was waited for, or postponed.
        open.delete(tag);
        // What may not begin any more is late.
        if (!ended && !tell({ kind: 'begun', ...about, attempt }, due)) tell(DUE, due);
        for (const { at, ...rest } of ended ?? []) tell({ kind: 'ended', ...about, ...rest }, at);
      }
    }
  });
};

const DUE: RunEvent = { kind: 'due' };

/** No attempt of a step outlasts the deadline, so its end tells the time as well, and costs no timer. */
const isToldAnyway = (
  { deadlineAt }: Progress,
  attempts: readonly Activity[],
  wakeAt: number,
): boolean =>
  wakeAt === Date.parse(deadlineAt) && attempts.some(({ undo, at = 0 }) => !undo && at <= wakeAt);
