/** What a run with this input would do, by the very code that does it: decided and built, and sent nowhere. Pure. */
import type { Address, Destination } from '../pipeline/attempt';
import { buildBody } from '../pipeline/body';
import { levelsOf } from '../pipeline/levels';
import { decide } from '../pipeline/next';
import type { Call, Pipeline, Step } from '../pipeline/pipeline';
import { resultOf } from '../pipeline/progress';
import type { Results, SkipReason } from '../pipeline/run';
import { wireHeaders } from '../webhook/client';
import { buildStepCall } from '../webhook/step-call';

export interface PlannedCall {
  readonly method: 'POST';
  /** `null`: the variable that holds it is not set. */
  readonly url: string | null;
  /** As they would go out now, by their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** What an earlier step would answer stands as `<step#/pointer>`. */
  readonly body: unknown;
  /** Why there is no signature. */
  readonly unsigned?: string;
  /** Why it would not be sent. */
  readonly refused?: string;
}

export interface PlannedStep {
  readonly step: string;
  /** Steps of the same number may run at the same time; the first is 1. */
  readonly level: number;
  readonly after: readonly string[];
  readonly action: 'call' | 'wait' | 'skip';
  readonly reason?: SkipReason;
  /** The reason, in the words of this file and this input; for a wait, what it waits for. */
  readonly because?: string;
  /** ms */
  readonly timeout: number;
  /** ms */
  readonly delay?: number;
  /** How often it is tried at most. */
  readonly attempts: number;
  /** Several only for an event with several subscribers. */
  readonly calls: readonly PlannedCall[];
  /** What would take it back. */
  readonly undo?: readonly PlannedCall[];
}

export interface PlanOptions {
  readonly input: unknown;
  /** An empty key stands for one that is not known. */
  readonly destination: Destination;
  readonly runId: string;
  readonly traceparent: () => string;
  /** ms since the epoch */
  readonly now: number;
}

/** In the order in which the steps could begin. */
export const planRun = (pipeline: Pipeline, options: PlanOptions): readonly PlannedStep[] => {
  const { input, destination } = options;
  const results = decide(pipeline, input, (target) => destination(target) !== undefined);
  return levelsOf(pipeline.steps).flatMap((steps, depth) =>
    steps.map((step): PlannedStep => {
      const { name, after, timeout, delay, retry, target, undo } = step;
      const { state, reason } = resultOf(results, name);
      const isSkipped = state === 'skipped';
      const isWait = 'wait' in target;
      const because = isSkipped ? whySkipped(step, reason) : isWait ? target.wait : undefined;
      const plan = (call: Call, isUndo: boolean) =>
        isSkipped || 'wait' in call.target
          ? []
          : planCalls(pipeline, step, call, isUndo, results, options);
      return {
        step: name,
        level: depth + 1,
        after,
        action: isSkipped ? 'skip' : isWait ? 'wait' : 'call',
        ...(reason && { reason }),
        ...(because !== undefined && { because }),
        timeout,
        ...(delay !== undefined && { delay }),
        attempts: retry.attempts,
        calls: plan(step, false),
        ...(undo && !isSkipped && { undo: plan(undo, true) }),
      };
    }),
  );
};

const planCalls = (
  pipeline: Pipeline,
  step: Step,
  call: Call,
  undo: boolean,
  results: Results,
  options: PlanOptions,
): readonly PlannedCall[] => {
  const { input, destination, runId, traceparent, now } = options;
  const body = buildBody(call, {
    input,
    answers: (name) => placeholders(pipeline, name, results),
  });
  return (destination(call.target)?.addresses ?? [undefined]).map((address): PlannedCall => {
    const { keys, unsigned } = signers(call, address);
    const built = buildStepCall({
      url: address?.url ?? '',
      keys,
      pipeline: pipeline.name,
      step: step.name,
      runId,
      effect: { undo },
      ...('event' in call.target && { type: call.target.event }),
      input: body,
      unsigned: true,
      now,
      traceparent: traceparent(),
    });
    const refused = whyRefused(call, address);
    return {
      method: 'POST',
      url: address?.url ?? null,
      headers: {
        ...(address && { host: new URL(address.url).host }),
        ...Object.fromEntries(
          Object.entries(wireHeaders(built.headers, built.body)).map(([name, value]) => [
            name,
            String(value),
          ]),
        ),
      },
      body,
      ...(unsigned !== undefined && { unsigned }),
      ...(refused !== undefined && { refused }),
    };
  });
};

/** What is known now of an answer that is still to come; nothing of a step that will not run. */
const placeholders = (
  { steps }: Pipeline,
  name: string,
  results: Results,
): Readonly<Record<string, string>> | undefined => {
  if (resultOf(results, name).state === 'skipped') return undefined;
  const keep = steps.find((step) => step.name === name)?.keep ?? [];
  return Object.fromEntries(keep.map((pointer) => [pointer, `<${name}#${pointer}>`]));
};

const signers = (
  { target }: Call,
  address: Address | undefined,
): { readonly keys: Address['keys']; readonly unsigned?: string } => {
  const keys = address?.keys ?? [];
  if (keys.some(({ length }) => length === 0))
    return { keys: [], unsigned: 'SECRET_KEY is not set, and no start has made one here yet' };
  if (keys.length > 0) return { keys };
  return { keys, unsigned: `${'webhook' in target ? target.secret : 'WEBHOOK_SECRET'} is not set` };
};

const whyRefused = ({ target }: Call, address: Address | undefined): string | undefined => {
  if (!address) return 'webhook' in target ? `${target.webhook} is not set` : undefined;
  const { hostname, port, protocol } = new URL(address.url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return address.guard.resolver(host, Number(port || (protocol === 'https:' ? 443 : 80)))
    ? undefined
    : 'forbidden_target: not on the public internet, and not in WEBHOOK_ALLOW';
};

const whySkipped = ({ when, target }: Step, reason: SkipReason | undefined): string => {
  if (reason === 'condition' && typeof when === 'string')
    return `${when || 'the input'} is absent, false, null or empty`;
  if (reason === 'condition' && typeof when === 'object')
    return `${when.pointer || 'the input'} is not ${JSON.stringify(when.equals)}`;
  if ('webhook' in target) return `${target.webhook} is not set`;
  return 'event' in target ? `nobody takes ${target.event}, and K_SINK is not set` : '';
};
