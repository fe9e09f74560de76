/**
 * Carries one run through, as a durable function: Restate journals how each attempt ended, and runs the function again
 * from its journal after a crash. Attempts are made beside it, and what is journaled is how they ended, so none waits
 * for another and none is counted or made twice. Only the state machine decides, and only by what is in the journal: on
 * a second passage it finds the same.
 *
 * Fails closed: what is not journaled has not happened, and its attempt is made again under the same number and key.
 */
import type { Clock } from '../../../clock';
import { refuse } from '../../machine/refuse';
import { type RunEvent, transition } from '../../machine/transition';
import { type Activity, underway } from '../../machine/underway';
import type { Pipeline } from '../../pipeline';
import type { Progress } from '../../progress';
import { createMaking, type Ended, type Perform } from './making';
import type { Gen, ObjectContext, Operation } from './sdk';
import type { Mail } from './stored';

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
  /** Takes the states that the run comes to, in their order; of those that come at once, the last. */
  readonly save: (progress: Progress) => void;
}

interface Timer {
  readonly activity: Activity;
  readonly rings: Operation<void>;
}

/** The name of the signal that brings commands. */
export const MAIL = 'mail';

export const carry = (
  context: ObjectContext,
  { gen: fibers, clock, inlineWait }: CarrierOptions,
  { pipeline, perform, save, ...start }: Passage,
): Operation<void> => {
  const { gen, run, select, signal, sleep } = fibers;
  const making = createMaking({ perform, inlineWait });
  let { progress, now } = start;
  let saved = progress;

  /** Time never goes back, whoever tells it. `false`: it meant nothing. */
  const tell = (event: RunEvent, at: number): boolean => {
    now = Math.max(now, at);
    const next = transition(pipeline, progress, event, { now });
    if (next === progress) return false;
    progress = next;
    return true;
  };

  const keep = (): void => {
    if (progress !== saved) save(progress);
    saved = progress;
  };

  const wait = (at: number, name: string): Operation<void> =>
    sleep(Math.max(0, at - clock.now()), name);

  const answer = ({ command, at, reply }: Mail): void => {
    const refused = refuse(pipeline, progress, command);
    if (!refused) tell(command, at);
    keep();
    context.resolveAwakeable(reply, refused ? { refused } : { progress });
  };

  const learn = (all: readonly Ended[]): void => {
    for (const { id, ...rest } of all) {
      const { step, undo } = making.get(id) as Activity;
      tell({ kind: 'ended', step: step.name, undo, ...rest }, rest.at);
    }
    // The next one may have the same id: what was postponed.
    for (const { id } of all) making.end(id);
  };

  const beginAt = ({ step, undo, attempt, at: due = now }: Activity): void => {
    // What may not begin any more is late.
    if (!tell({ kind: 'begun', step: step.name, undo, attempt }, due)) tell(DUE, due);
  };

  return gen(function* () {
    const timers = new Map<string, Timer>();
    let ended: Operation<readonly Ended[]> | undefined;
    let mail = signal<Mail>(MAIL);
    let alarm: { readonly at: number; readonly rings: Operation<void> } | undefined;
    while (progress.state === 'running') {
      const { attempts, wakeAt } = underway(pipeline, progress);
      // What is waited for no longer may ring: nobody listens.
      for (const id of [...timers.keys()])
        if (!attempts.some((activity) => activity.id === id)) timers.delete(id);
      for (const activity of attempts) {
        const { id, at = now } = activity;
        if (timers.has(id) || making.get(id)) continue;
        if (at > now + inlineWait) timers.set(id, { activity, rings: wait(at, id) });
        else making.begin(activity, progress, at);
      }
      if (making.size > 0) ended ??= run(making.ended, { name: making.name() });
      if (wakeAt === undefined || isToldAnyway(progress, attempts, wakeAt)) alarm = undefined;
      else if (alarm?.at !== wakeAt) alarm = { at: wakeAt, rings: wait(wakeAt, 'due') };

      const { tag, future } = yield* select({
        ...Object.fromEntries([...timers].map(([id, { rings }]) => [id, rings])),
        ...(ended && { ended }),
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
      } else if (tag === 'ended') {
        learn((yield* future) as readonly Ended[]);
        ended = undefined;
      } else {
        const { activity } = timers.get(tag) as Timer;
        yield* future;
        // The next one has the same id.
        timers.delete(tag);
        beginAt(activity);
      }
      keep();
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
