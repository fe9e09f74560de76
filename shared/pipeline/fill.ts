/** From a checked document to a pipeline: every default filled in, steps in topological order, a digest over all. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical';
import type { Callers } from '../define';
import { parseDuration } from '../duration';
import type { Schema } from '../schema';
import { sortGraph } from './graph';
import { keepOf } from './keep';
import {
  type Call,
  DEFAULT_SECRET,
  EMITS,
  PIPELINE_DEFAULTS,
  type Pipeline,
  type Retry,
  STEP_DEFAULTS,
  type Step,
  type Target,
} from './pipeline';

/** What the JSON Schema lets through. */
interface Document {
  readonly name: string;
  readonly summary: string;
  readonly callers?: Callers;
  readonly on?: { readonly type: string };
  readonly emits?: CallDocument & { readonly type: string };
  readonly deadline?: string;
  readonly retention?: string;
  readonly steps: Readonly<Record<string, StepDocument>>;
}

interface CallDocument extends Partial<Pick<Call, 'input'>> {
  readonly function?: string;
  readonly webhook?: string;
  readonly secret?: string;
  readonly timeout?: string;
  readonly retry?: {
    readonly attempts?: number;
    readonly backoff?: string;
    readonly maxBackoff?: string;
    readonly jitter?: number;
  };
}

interface StepDocument
  extends CallDocument,
    Partial<Pick<Step, 'after' | 'when' | 'required' | 'expose' | 'rate'>> {
  readonly wait?: { readonly for: string; readonly timeout?: string };
  readonly delay?: string;
  readonly undo?: CallDocument;
}

/** The document has been checked; without that, the result means nothing. */
export const fill = (checked: unknown, input: Schema): Pipeline => {
  const document = checked as Document;
  const { name, summary, callers = 'backend', on } = document;
  const deadline = readDuration(document.deadline, PIPELINE_DEFAULTS.deadline);
  const steps = fillSteps(document, deadline);
  const keep = keepOf(steps);
  const filled = {
    name,
    summary,
    callers,
    input,
    ...(on !== undefined && { on: on.type }),
    deadline,
    retention: readDuration(document.retention, PIPELINE_DEFAULTS.retention),
    steps: steps.map((step) => ({ ...step, keep: keep(step.name) })),
  };
  return { ...filled, hash: createHash('sha256').update(canonicalJson(filled)).digest('hex') };
};

/** A step before it is known what others read of its answer. */
type Unread = Omit<Step, 'keep'>;

const fillSteps = ({ steps, emits }: Document, deadline: number): readonly Unread[] => {
  const after = Object.entries(steps).map(([step, fields]) => [step, fields.after ?? []] as const);
  const filled = sortGraph(new Map(after)).order.map((step) =>
    fillStep(step, steps[step] ?? {}, deadline),
  );
  const shared = shareRates(filled);
  if (!emits) return shared;
  const target = { event: emits.type };
  const last: Unread = {
    name: EMITS,
    after: filled
      .map(({ name }) => name)
      .filter((name) => !filled.some((other) => other.after.includes(name))),
    required: true,
    expose: [],
    ...fillCall(emits, target),
  };
  return [...shared, last];
};

const fillStep = (name: string, fields: StepDocument, deadline: number): Unread => ({
  name,
  after: fields.after ?? [],
  ...(fields.when !== undefined && { when: fields.when }),
  required: fields.required ?? true,
  expose: fields.expose ?? [],
  ...(fields.delay !== undefined && { delay: readDuration(fields.delay, 0) }),
  ...(fields.rate !== undefined && { rate: fields.rate }),
  ...(fields.wait ? fillWait(fields.wait, deadline) : fillCall(fields)),
  ...(fields.undo && { undo: fillCall({ ...inputOf(fields), ...fields.undo }) }),
});

const inputOf = ({ input }: CallDocument): Pick<Call, 'input'> =>
  input === undefined ? {} : { input };

const fillCall = (fields: CallDocument, target: Target = targetOf(fields)): Call => ({
  target,
  ...inputOf(fields),
  timeout: readDuration(fields.timeout, STEP_DEFAULTS.timeout),
  retry: fillRetry(fields.retry),
});

/** Whoever answers does so once. */
const fillWait = (wait: NonNullable<StepDocument['wait']>, deadline: number): Call => ({
  target: { wait: wait.for },
  timeout: readDuration(wait.timeout, deadline),
  retry: { ...STEP_DEFAULTS.retry, attempts: 1 },
});

const targetOf = (fields: CallDocument): Target =>
  fields.webhook === undefined
    ? { function: fields.function ?? '' }
    : { webhook: fields.webhook, secret: fields.secret ?? DEFAULT_SECRET };

/** A rate is the target's: a step that leaves it out has that of another with the same target. */
const shareRates = (steps: readonly Unread[]): readonly Unread[] => {
  const rates = new Map(
    steps.flatMap((step) => (step.rate === undefined ? [] : [[placeOf(step), step.rate] as const])),
  );
  return steps.map((step) => {
    const rate = rates.get(placeOf(step));
    return rate === undefined ? step : { ...step, rate };
  });
};

const placeOf = ({ target }: Unread): string =>
  'webhook' in target ? `webhook ${target.webhook}` : canonicalJson(target);

const fillRetry = (retry: NonNullable<CallDocument['retry']> = {}): Retry => ({
  attempts: retry.attempts ?? STEP_DEFAULTS.retry.attempts,
  backoff: readDuration(retry.backoff, STEP_DEFAULTS.retry.backoff),
  maxBackoff: readDuration(retry.maxBackoff, STEP_DEFAULTS.retry.maxBackoff),
  jitter: retry.jitter ?? STEP_DEFAULTS.retry.jitter,
});

const readDuration = (text: string | undefined, otherwise: number): number =>
  (text === undefined ? undefined : parseDuration(text)) ?? otherwise;
