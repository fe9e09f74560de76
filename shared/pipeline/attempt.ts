/**
 * One attempt of a step, or of what undoes it, the same for every engine: build the call, deliver it, judge the answer.
 *
 * Fails closed: what has no address, goes to a target that said it is gone, or would begin after the run's deadline,
 * is not sent.
 */
import type { Clock } from '../clock';
import { Failure } from '../failure';
import { isJson } from '../http/json';
import { parseJson } from '../json';
import type { Random } from '../random';
import type { Signal } from '../signal';
import { continueTrace } from '../trace';
import type { CallOutcome } from '../webhook/breaker';
import type { DeliverOptions, Delivery, DeliveryAnswer } from '../webhook/deliver';
import type { Guard } from '../webhook/guard';
import { callOutcome, type Ended, judge } from '../webhook/law';
import type { WebhookKey } from '../webhook/sign';
import { buildStepCall } from '../webhook/step-call';
import type { Targets } from '../webhook/targets';
import { exposed, kept } from './answer';
import { buildBody } from './body';
import type { Activity } from './machine/underway';
import type { Step, Target } from './pipeline';
import { type Progress, type RunRecord, resultOf } from './progress';
import type { StepError } from './run';

/** Makes one attempt. Rejects with `aborted` when the signal aborts, else only by a fault of ours. */
export type Attempt = (call: {
  readonly run: RunRecord;
  readonly progress: Pick<Progress, 'results' | 'deadlineAt'>;
  readonly activity: Activity;
  /** Ends the wait for a place to make it. @default the signal */
  readonly entering?: Signal;
  readonly signal: Signal;
}) => Promise<AttemptOutcome>;

export type AttemptOutcome =
  | {
      readonly verdict: 'delivered';
      /** The exposed part of the answer. */
      readonly output?: unknown;
      /** What other steps read of it, by pointer. */
      readonly kept?: Readonly<Record<string, unknown>>;
    }
  | {
      readonly verdict: 'again';
      readonly error: StepError;
      /** When to try again, ms since the epoch. */
      readonly at: number;
    }
  /** Not made, and not counted: its target is resting, or takes no more just now. */
  | { readonly verdict: 'postponed'; readonly at: number }
  | { readonly verdict: 'dead'; readonly error: StepError };

export interface Address {
  readonly url: string;
  /** Each signs. */
  readonly keys: readonly WebhookKey[];
  /** Whom it may call. */
  readonly guard: Guard;
}

export interface Resolved {
  /** The same for all that is one receiver: what is limited, rested and disabled together. */
  readonly name: string;
  /** One, but for an event that has several subscribers. */
  readonly addresses: readonly Address[];
  /** Whether 410 disables it until somebody enables it again. */
  readonly canBeGone: boolean;
}

/** Where a target is and which keys sign; `undefined`: it is not configured. */
export type Destination = (target: Target) => Resolved | undefined;

/** Targets that have said they are gone (410), durably. */
export interface GoneTargets {
  has(name: string): boolean;
  add(name: string): Promise<void>;
}

export interface AttemptOptions {
  readonly destination: Destination;
  readonly deliver: (options: DeliverOptions) => Promise<Delivery>;
  readonly targets: Targets;
  readonly gone: GoneTargets;
  readonly clock: Clock;
  readonly random: Random;
}

const dead = (code: string): AttemptOutcome => ({ verdict: 'dead', error: { code } });

export const attemptStep = (options: AttemptOptions): Attempt => {
  const { destination, deliver, targets, gone, clock } = options;
  return async (call) => {
    const { step, call: made, undo } = call.activity;
    const to = destination(made.target);
    if (!to) return dead('not_configured');
    if (gone.has(to.name)) return dead('target_disabled');
    const deadline = undo ? undefined : Date.parse(call.progress.deadlineAt);
    const entered = targets.enter(to.name, {
      ...(step.rate !== undefined && !undo && { rate: step.rate }),
      signal: call.entering ?? call.signal,
    });
    const place = 'then' in entered ? await entered : entered;
    if ('at' in place) return { verdict: 'postponed', at: place.at };
    let told: CallOutcome = 'unmade';
    try {
      // It may have waited for its place.
      if (gone.has(to.name)) return dead('target_disabled');
      const body = buildBody(made, {
        input: call.run.input,
        answers: (name) => resultOf(call.progress.results, name).kept,
      });
      let outcome: AttemptOutcome | undefined;
      // One after the other; the first that has not taken it decides, and whoever has will know it again by its key.
      for (const address of to.addresses) {
        if (deadline !== undefined && clock.now() >= deadline) return dead('deadline_exceeded');
        const delivery = await deliver(deliveryOf(options, call, address, body, deadline));
        if (isCut(delivery)) throw new Failure('aborted');
        told = callOutcome(delivery);
        outcome = outcomeOf(options, call.activity, delivery, deadline);
        if (outcome.verdict !== 'delivered') break;
      }
      if (!outcome) throw new TypeError('a target has at least one address');
      if (told === 'gone') {
        // Of the whole suite, and for good: not of this door.
        told = 'answered';
        if (to.canBeGone) await gone.add(to.name);
      }
      return outcome;
    } finally {
      place.leave(told);
    }
  };
};

const deliveryOf = (
  { clock, random }: AttemptOptions,
  { run, activity, signal }: Parameters<Attempt>[0],
  { url, keys, guard }: Address,
  input: unknown,
  deadline: number | undefined,
): DeliverOptions => {
  const { step, call, undo, startedAt, generation } = activity;
  const now = clock.now();
  const built = buildStepCall({
    url,
    keys,
    pipeline: run.pipeline.name,
    step: step.name,
    runId: run.id,
    effect: { generation, undo },
    ...('event' in call.target && { type: call.target.event, unsigned: true }),
    input,
    now,
    startedAt,
    traceparent: continueTrace(run.traceparent, random),
  });
  // What begins in time must also end in time.
  const timeout = Math.max(1, Math.min(call.timeout, (deadline ?? Infinity) - now));
  return { ...built, timeout, signal, guard };
};

const outcomeOf = (
  { clock, random }: AttemptOptions,
  { step, call, undo, attempt }: Activity,
  delivery: Ended,
  deadline: number | undefined,
): AttemptOutcome => {
  const judgement = judge(delivery, {
    attempt,
    retry: call.retry,
    now: clock.now(),
    // Drawn when there is another attempt to be put off.
    get random01() {
      return random.below(RESOLUTION) / RESOLUTION;
    },
    deadline,
  });
  return judgement.verdict === 'delivered' && !undo ? delivered(step, delivery) : judgement;
};

const isCut = (delivery: Delivery): delivery is Exclude<Delivery, Ended> =>
  'error' in delivery && delivery.error === 'aborted';

const delivered = (step: Step, delivery: Ended): AttemptOutcome => {
  const answer = 'error' in delivery ? undefined : readAnswer(delivery);
  const values = kept(step, answer);
  return { verdict: 'delivered', output: exposed(step, answer), ...(values && { kept: values }) };
};

const RESOLUTION = 2 ** 32;

/** The JSON of an answer, for what a step exposes; anything else exposes nothing. */
const readAnswer = ({ headers, body, truncated }: DeliveryAnswer): unknown => {
  if (truncated || !isJson(headers['content-type'] ?? null)) return undefined;
  try {
    return parseJson(body.toString('utf8'));
  } catch {
    return undefined;
  }
};
