/** A case: a graph, an input, how every receiver answers, and what somebody does to the run meanwhile. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../../shared/canonical';
import {
  DEFAULT_SECRET,
  type Equality,
  PIPELINE_DEFAULTS,
  type Pipeline,
  STEP_DEFAULTS,
  type Target,
} from '../../../../shared/pipeline/pipeline';

/** How a receiver answers one attempt. */
export interface Answer {
  /** `drop`: the connection is cut without an answer. */
  readonly status: number | 'drop';
  /** How long it takes, ms. */
  readonly takes: number;
  /** Seconds. @default no such field */
  readonly retryAfter?: number;
}

/** One thing that is called: a step, or what undoes it. */
export interface Called {
  /** The n-th answers the n-th call; all later ones are well. */
  readonly answers: readonly Answer[];
  readonly attempts: number;
  readonly backoff: number;
  readonly maxBackoff: number;
  /** Of one attempt, or of a wait; ms. */
  readonly timeout: number;
}

export interface CaseStep extends Called {
  readonly name: string;
  /** `unset`: a webhook without a URL. */
  readonly to: 'function' | 'webhook' | 'unset' | 'wait';
  readonly after: readonly string[];
  readonly required: boolean;
  readonly when?: string | Equality;
  readonly delay?: number;
  readonly undo?: Called;
}

/** Times are ms from the acceptance of the run. */
export interface Case {
  readonly steps: readonly CaseStep[];
  readonly input: Readonly<Record<string, unknown>>;
  /** @default none that matters */
  readonly deadline?: number;
  readonly signals: readonly { readonly step: string; readonly at: number }[];
  readonly cancelAt?: number;
}

/** What a receiver takes when the script has no more. */
export const WELL: Answer = { status: 200, takes: 100 };

export const answerOf = ({ answers }: Called, attempt: number): Answer =>
  answers[attempt - 1] ?? WELL;

/** Each step goes to a target of its own, so that no case disturbs another one. */
export const toPipeline = (name: string, { steps, deadline }: Case): Pipeline => {
  const called = ({ attempts, backoff, maxBackoff, timeout }: Called) => ({
    timeout,
    retry: { attempts, backoff, maxBackoff, jitter: 0 },
  });
  const targetOf = ({ to, name: step }: CaseStep): Target => {
    if (to === 'wait') return { wait: `${name}.${step}` };
    if (to === 'function') return { function: `${name}/${step}` };
    return { webhook: `${name}/${step}${to === 'unset' ? '/unset' : ''}`, secret: DEFAULT_SECRET };
  };
  const pipeline = {
    name,
    summary: 'A case.',
    callers: 'backend' as const,
    input: { type: 'object' },
    ...PIPELINE_DEFAULTS,
    ...(deadline !== undefined && { deadline }),
    steps: steps.map((step) => ({
      name: step.name,
      target: targetOf(step),
      after: step.after,
      required: step.required,
      expose: [],
      keep: [],
      ...STEP_DEFAULTS,
      ...called(step),
      ...(step.when !== undefined && { when: step.when }),
      ...(step.delay !== undefined && { delay: step.delay }),
      ...(step.undo && {
        undo: { target: { function: `${name}/${step.name}/undo` }, ...called(step.undo) },
      }),
    })),
  };
  return { ...pipeline, hash: createHash('sha256').update(canonicalJson(pipeline)).digest('hex') };
};

/** For a reader: as a pipeline file would have it, with the script of each receiver beside it. */
export const describeCase = ({ steps, input, deadline, signals, cancelAt }: Case): string =>
  [
    `input: ${JSON.stringify(input)}`,
    ...(deadline === undefined ? [] : [`deadline: ${deadline}ms`]),
    ...(cancelAt === undefined ? [] : [`# cancelled after ${cancelAt}ms`]),
    ...signals.map(({ step, at }) => `# ${step} is signalled after ${at}ms`),
    'steps:',
    ...steps.map((step) => {
      const { name, to, after, required, when, delay, undo } = step;
      const fields = [
        `to: ${to}`,
        ...(after.length > 0 ? [`after: [${after.join(', ')}]`] : []),
        ...(required ? [] : ['required: false']),
        ...(when === undefined ? [] : [`when: ${JSON.stringify(when)}`]),
        ...(delay === undefined ? [] : [`delay: ${delay}ms`]),
        describeCalled(step, to === 'wait'),
        ...(undo ? [`undo: { ${describeCalled(undo, false)} }`] : []),
      ];
      return `  ${name}: { ${fields.join(', ')} }`;
    }),
  ].join('\n');

const describeCalled = (called: Called, waits: boolean): string => {
  const { timeout, attempts, backoff, maxBackoff, answers } = called;
  const told = answers.map(
    ({ status, takes, retryAfter }) =>
      `${status} after ${takes}ms${retryAfter === undefined ? '' : `, retry-after ${retryAfter}s`}`,
  );
  return [
    `timeout: ${timeout}ms`,
    ...(waits ? [] : [`retry: { attempts: ${attempts}, ${backoff}..${maxBackoff}ms }`]),
    ...(told.length > 0 ? [`answers: [${told.join('; ')}]`] : []),
  ].join(', ');
};
