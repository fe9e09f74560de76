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
  type GraphOf,
  type Kept,
  type Names,
  type NewRun,
  type Snapshot,
  STATE,
  summaryName,
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

/** A run as it stands; `undefined`: it has not begun, or is forgotten. */
export const readKept = async (context: ObjectContext): Promise<Kept | undefined> => {
  const run = await context.get<Kept>(STATE.run);
  if (!run) return undefined;
  const snapshot = await context.get<Snapshot>(STATE.snapshot);
  return snapshot ? { ...run, snapshot } : run;
};

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
    const known = await readKept(context);
    // Forgotten, or ended.
    if (known ? known.snapshot.progress.state !== 'running' : !begun) return;
    const { about, input, progress } = known
      ? { ...known, progress: known.snapshot.progress }
      : (begun as NewRun);
    const pipeline = await graphOf(about.graph);
    const record: RunRecord = { ...about, pipeline, input };
    const { id: carrier, attemptCompletedSignal: lost } = context.request();
    let snapshot: Snapshot = { version: known?.snapshot.version ?? 0, carrier, progress };
    let listed = '';
    const here = hub.enter(about.id);
    lost.addEventListener('abort', here.leave, { once: true });
    const save = (next: Progress): void => {
      snapshot = { version: snapshot.version + 1, carrier, progress: next };
      if (known || snapshot.version > 1) context.set(STATE.snapshot, snapshot);
      else context.set(STATE.run, { about, input, snapshot } satisfies Kept);
      const summary = summarize(about, next);
      const text = JSON.stringify(summary);
      if (text !== listed) context.set(summaryName(about), summary);
      listed = text;
      if (next.state === 'running') here.publish({ about, snapshot });
    };
    try {
      save(progress);
      const now = Date.parse(progress.replays?.at(-1)?.at ?? about.createdAt);
      const passage = { pipeline, progress, now, perform: attempts.of(record, lost), save };
      await gen.execute(context, carry(context, { gen, clock, inlineWait }, passage));
      const { invocationId } = context.genericSend({
        service: names.runs,
        key: about.id,
        method: 'forget',
        parameter: { endedAt: snapshot.progress.endedAt },
        inputSerde: sdk.serde.json,
        delay: about.retention,
      });
      // It comes back when all before it has been recorded. Request by request that would be one more.
      if (inlineWait === 0) {
        await invocationId;
        here.publish({ about, snapshot });
      }
    } finally {
      here.leave();
      lost.removeEventListener('abort', here.leave);
    }
  };
