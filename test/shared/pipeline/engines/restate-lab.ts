/** A restate engine on a real server, with steps that end as the test says. */
import { systemClock } from '../../../../shared/clock';
import { Failure } from '../../../../shared/failure';
import type { Attempt, AttemptOutcome, GoneTargets } from '../../../../shared/pipeline/attempt';
import {
  type RestateEngine,
  restateEngine,
} from '../../../../shared/pipeline/engines/restate/engine';
import type { Activity } from '../../../../shared/pipeline/machine/underway';
import type { Pipeline, Target } from '../../../../shared/pipeline/pipeline';
import type { Run } from '../../../../shared/pipeline/run';
import { systemRandom } from '../../../../shared/random';
import type { Signal } from '../../../../shared/signal';
import { type Line, testContext } from '../../../support/invoke';
import { loadPeer, type RestateServer } from '../../../support/restate';
import { DELIVERED, never, now, TRACEPARENT } from './lab';

export interface RestateCall {
  readonly run: string;
  /** `create-user#1`: step and attempt; `create-user!1`: what undoes it. */
  readonly label: string;
  readonly at: number;
  readonly signal: Signal;
}

export interface RestateLab {
  readonly engine: RestateEngine;
  readonly gone: GoneTargets;
  readonly calls: RestateCall[];
  readonly lines: Line[];
  labels(run?: string): string[];
  /** Ends an attempt that the script leaves open. */
  end(label: string, outcome: AttemptOutcome): void;
  start(input?: unknown, key?: string): Promise<Run>;
  find(run: Run): Promise<Run>;
  until(condition: () => boolean | Promise<boolean>): Promise<void>;
  ended(run: Run): Promise<Run>;
  close(): Promise<void>;
}

export interface RestateLabOptions {
  readonly server: RestateServer;
  readonly pipeline: Pipeline;
  /** How an attempt ends; `undefined` leaves it open until `end` or the signal. @default delivered */
  readonly script?: (call: RestateCall) => AttemptOutcome | Promise<AttemptOutcome> | undefined;
  /** Where Restate calls, request by request. @default a port of its own, in both directions at once */
  readonly ownUrl?: () => string;
  /** A port that was used before. @default a free one */
  readonly port?: number;
  readonly scope?: string;
  readonly identityKeys?: readonly string[];
  readonly startTimeout?: number;
  readonly isConfigured?: (target: Target) => boolean;
  /** Told of every attempt. */
  readonly seen?: (activity: Activity) => void;
}

export const createRestateLab = async (options: RestateLabOptions): Promise<RestateLab> => {
  const { server, pipeline, script = () => DELIVERED, ownUrl, port = 0, scope } = options;
  const { isConfigured = () => true, seen, identityKeys, startTimeout } = options;
  const { log, lines } = testContext();
  const calls: RestateCall[] = [];
  const open = new Map<string, (outcome: AttemptOutcome) => void>();
  const attempt: Attempt = async ({ run, activity, signal }) => {
    const { step, undo, attempt } = activity;
    seen?.(activity);
    const label = `${step.name}${undo ? '!' : '#'}${attempt}`;
    const call = { run: run.id, label, at: Date.now(), signal };
    calls.push(call);
    return (
      script(call) ??
      new Promise((resolve, reject) => {
        open.set(label, resolve);
        signal.addEventListener('abort', () => reject(new Failure('aborted')));
      })
    );
  };
  let gone: GoneTargets | undefined;
  const engine = restateEngine({
    ingressUrl: server.ingressUrl,
    adminUrl: server.adminUrl,
    ...(ownUrl ? { ownUrl } : { ownUrl: () => '', listen: { port, host: '127.0.0.1' } }),
    ...(scope !== undefined && { scope }),
    ...(identityKeys && { identityKeys }),
    ...(startTimeout !== undefined && { startTimeout }),
    createAttempt: (targets) => {
      gone = targets;
      return attempt;
    },
    isConfigured,
    clock: systemClock,
    random: systemRandom,
    log,
    load: loadPeer,
  });
  engine.register(pipeline);
  await engine.open();
  if (!ownUrl) await engine.resume();
  const find = async ({ pipeline: name, id }: Run): Promise<Run> =>
    (await engine.find(name, id)) as Run;
  const until: RestateLab['until'] = async (condition) => {
    const end = performance.now() + 20_000;
    while (!(await condition())) {
      if (performance.now() > end) throw new Error('this should have happened by now');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  return {
    engine,
    gone: gone as unknown as GoneTargets,
    calls,
    lines,
    labels: (run) => calls.filter((call) => !run || call.run === run).map(({ label }) => label),
    end: (label, outcome) => {
      const resolve = open.get(label);
      if (!resolve) throw new Error(`nothing is open: ${label}`);
      open.delete(label);
      resolve(outcome);
    },
    start: async (input = {}, key) => {
      const started = await engine.start(pipeline.name, input, {
        idempotencyKey: key,
        traceparent: TRACEPARENT,
      });
      if (started === 'mismatch') throw new Error('this should not be a mismatch');
      return started.run;
    },
    find,
    until,
    ended: async (run) => (await engine.settled(run.pipeline, run.id, never())) as Run,
    close: () => engine.close(now()),
  };
};
