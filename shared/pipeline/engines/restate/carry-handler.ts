/**
 * What Restate calls to carry a run through: begins it, or goes on with it, and writes down each state that it comes to.
 *
 * Fails closed: the end of a run is told to those who wait here when Restate has recorded it, and not before.
 */
import type { Clock } from '../../../clock';
import type { Progress, RunRecord } from '../../progress';
import type { Attempts } from './attempts';
import { carry } from './carrier';
import type { Hub } from './hub';
import type { ObjectContext, Restate } from './sdk';
import {
  type About,
  type GraphOf,
  type Names,
  type NewRun,
  type Shown,
  type Snapshot,
  STATE,
} from './stored';
import { summarize } from './summary';

export interface CarryHandlerOptions {
  readonly restate: Restate;
  readonly names: Names;
  readonly attempts: Attempts;
  readonly hub: Hub;
  readonly graphOf: GraphOf;
  readonly clock: Clock;
  /** As in `carry`. */
  readonly inlineWait: number;
}

export const readAbout = async (context: ObjectContext): Promise<About> =>
  (await context.get<About>(STATE.about)) as About;

/** `begun`: a run to begin; without, one that is there goes on. */
export const carryHandler =
  ({
    restate: { sdk, gen },
    names,
    attempts,
    hub,
    graphOf,
    clock,
    inlineWait,
  }: CarryHandlerOptions) =>
  async (context: ObjectContext, begun: NewRun | null): Promise<void> => {
    const known = await context.get<Snapshot>(STATE.snapshot);
    // Forgotten, or ended.
    if (known ? known.progress.state !== 'running' : !begun) return;
    const { about, input, progress } =
      known || !begun
        ? {
            about: await readAbout(context),
            input: await context.get(STATE.input),
            ...(known as Snapshot),
          }
        : begun;
    const pipeline = await graphOf(about.graph);
    const record: RunRecord = { ...about, pipeline, input };
    const { id: carrier, attemptCompletedSignal: lost } = context.request();
    let version = known?.version ?? 0;
    let listed = '';
    let latest: Shown | undefined;
    const here = hub.enter(about.id);
    lost.addEventListener('abort', here.leave, { once: true });
    const save = (next: Progress): void => {
      version += 1;
      const snapshot: Snapshot = { version, carrier, progress: next };
      context.set(STATE.snapshot, snapshot);
      const summary = summarize(about, next);
      if (JSON.stringify(summary) !== listed) context.set(STATE.summary, summary);
      listed = JSON.stringify(summary);
      latest = { about, snapshot };
      if (next.state === 'running') here.publish(latest);
    };
    try {
      if (!known) {
        context.set(STATE.about, about);
        context.set(STATE.input, input);
      }
      save(progress);
      const now = Date.parse(progress.replays?.at(-1)?.at ?? about.createdAt);
      const passage = { pipeline, progress, now, perform: attempts.of(record), save };
      await gen.execute(context, carry(context, { gen, clock, inlineWait }, passage));
      // What is journaled after it comes back when it has been recorded. Request by request that would be one more.
      if (inlineWait === 0) {
        await context.run('recorded', () => true);
        if (latest) here.publish(latest);
      }
      context.genericSend({
        service: names.runs,
        key: about.id,
        method: 'forget',
        parameter: { endedAt: latest?.snapshot.progress.endedAt },
        inputSerde: sdk.serde.json,
        delay: about.retention,
      });
    } finally {
      here.leave();
      lost.removeEventListener('abort', here.leave);
    }
  };
