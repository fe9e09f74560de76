/** One attempt of a step, the same for every engine: build the call, deliver it, judge the answer. */
import type { Clock } from '../clock';
import { Failure } from '../failure';
import { isJson } from '../http/json';
import { parseJson } from '../json';
import type { Random } from '../random';
import { NO_ANSWER, nextAttemptAt, type Verdict, verdict } from '../retry';
import { continueTrace } from '../trace';
import {
  DELIVERY_FAILURE,
  type DeliverOptions,
  type Delivery,
  type DeliveryAnswer,
} from '../webhook/deliver';
import type { WebhookKey } from '../webhook/sign';
import { buildStepCall } from '../webhook/step-call';
import { buildInput, exposed } from './next';
import type { Pipeline, Step } from './pipeline';
import type { StepResult } from './run';

/** Makes one attempt of a step. Rejects with `aborted` when the signal aborts, else only by a fault of ours. */
export type Attempt = (call: {
  readonly run: {
    readonly id: string;
    readonly pipeline: Pick<Pipeline, 'name'>;
    readonly input: unknown;
    readonly traceparent: string;
  };
  readonly step: Step;
  /** Of the step; the first is 1. */
  readonly attempt: number;
  /** When the first attempt began, ms since the epoch. */
  readonly startedAt: number;
  readonly signal: AbortSignal;
}) => Promise<AttemptOutcome>;

type StepError = NonNullable<StepResult['error']>;

export type AttemptOutcome =
  | {
      readonly verdict: 'delivered';
      /** The exposed part of the answer. */
      readonly output?: unknown;
    }
  | {
      readonly verdict: 'again';
      readonly error: StepError;
      /** When to try again, ms since the epoch. */
      readonly at: number;
    }
  | { readonly verdict: 'dead'; readonly error: StepError };

/** Where a step goes and which keys sign its calls; `undefined`: it is not configured. */
export type Destination = (
  step: Pick<Step, 'target'>,
) => { readonly url: string; readonly keys: readonly WebhookKey[] } | undefined;

export interface AttemptOptions {
  readonly destination: Destination;
  readonly deliver: (options: DeliverOptions) => Promise<Delivery>;
  readonly clock: Clock;
  readonly random: Random;
}

export const attemptStep =
  ({ destination, deliver, clock, random }: AttemptOptions): Attempt =>
  async ({ run, step, attempt, startedAt, signal }) => {
    const to = destination(step);
    if (!to) return { verdict: 'dead', error: { code: 'not_configured' } };
    const call = buildStepCall({
      ...to,
      pipeline: run.pipeline.name,
      step: step.name,
      runId: run.id,
      input: buildInput(step, run.input),
      now: clock.now(),
      startedAt,
      traceparent: continueTrace(run.traceparent, random),
    });
    const delivery = await deliver({ ...call, timeout: step.timeout, signal });
    if ('error' in delivery && delivery.error === 'aborted') throw new Failure('aborted');
    return judge(step, attempt, delivery, { now: clock.now(), random });
  };

const judge = (
  step: Step,
  attempt: number,
  delivery: Delivery,
  { now, random }: { readonly now: number; readonly random: Random },
): AttemptOutcome => {
  const failed = 'error' in delivery;
  const error = failed
    ? { code: DELIVERY_FAILURE[delivery.error] }
    : { code: 'refused', status: delivery.status };
  const told = failed ? undeliverable(delivery.error) : verdict(delivery.status);
  if (told === 'failed') return { verdict: 'dead', error };
  if (told === 'delivered')
    return {
      verdict: 'delivered',
      output: failed ? undefined : exposed(step, readAnswer(delivery)),
    };
  const random01 = random.below(RESOLUTION) / RESOLUTION;
  const retryAfter = failed ? undefined : delivery.headers['retry-after'];
  const at = nextAttemptAt({ attempt, retry: step.retry, now, random01, retryAfter });
  return at === undefined ? { verdict: 'dead', error } : { verdict: 'again', error, at };
};

const RESOLUTION = 2 ** 32;

/** What was refused before it was sent will be refused again. */
const undeliverable = (error: keyof typeof DELIVERY_FAILURE): Verdict =>
  error === 'invalid_request' || error === 'too_large' ? 'failed' : verdict(NO_ANSWER);

/** The JSON of an answer, for what a step exposes; anything else exposes nothing. */
const readAnswer = ({ headers, body, truncated }: DeliveryAnswer): unknown => {
  if (truncated || !isJson(headers['content-type'] ?? null)) return undefined;
  try {
    return parseJson(body.toString('utf8'));
  } catch {
    return undefined;
  }
};
