/** From a checked document to a pipeline: every default filled in, steps in topological order, a digest over all. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical';
import type { Callers } from '../define';
import { parseDuration } from '../duration';
import type { Schema } from '../schema';
import { sortGraph } from './graph';
import { DEFAULT_SECRET, type Pipeline, type Retry, STEP_DEFAULTS, type Step } from './pipeline';

/** What the JSON Schema lets through. */
interface Document {
  readonly name: string;
  readonly summary: string;
  readonly callers?: Callers;
  readonly steps: Readonly<Record<string, StepDocument>>;
}

interface StepDocument
  extends Partial<Pick<Step, 'after' | 'when' | 'required' | 'input' | 'expose'>> {
  readonly function?: string;
  readonly webhook?: string;
  readonly secret?: string;
  readonly timeout?: string;
  readonly retry?: {
    readonly attempts?: number;
    readonly backoff?: string;
    readonly maxBackoff?: string;
  };
}

/** The document has been checked; without that, the result means nothing. */
export const fill = (checked: unknown, input: Schema): Pipeline => {
  const { name, summary, callers = 'backend', steps } = checked as Document;
  const after = Object.entries(steps).map(([step, fields]) => [step, fields.after ?? []] as const);
  const filled = {
    name,
    summary,
    callers,
    input,
    steps: sortGraph(new Map(after)).order.map((step) => fillStep(step, steps[step] ?? {})),
  };
  return { ...filled, hash: createHash('sha256').update(canonicalJson(filled)).digest('hex') };
};

const fillStep = (name: string, fields: StepDocument): Step => ({
  name,
  target:
    fields.webhook === undefined
      ? { function: fields.function ?? '' }
      : { webhook: fields.webhook, secret: fields.secret ?? DEFAULT_SECRET },
  after: fields.after ?? [],
  ...(fields.when !== undefined && { when: fields.when }),
  required: fields.required ?? true,
  ...(fields.input !== undefined && { input: fields.input }),
  expose: fields.expose ?? [],
  timeout: readDuration(fields.timeout, STEP_DEFAULTS.timeout),
  retry: fillRetry(fields.retry),
});

const fillRetry = ({
  attempts,
  backoff,
  maxBackoff,
}: NonNullable<StepDocument['retry']> = {}): Retry => ({
  attempts: attempts ?? STEP_DEFAULTS.retry.attempts,
  backoff: readDuration(backoff, STEP_DEFAULTS.retry.backoff),
  maxBackoff: readDuration(maxBackoff, STEP_DEFAULTS.retry.maxBackoff),
});

const readDuration = (text: string | undefined, otherwise: number): number =>
  (text === undefined ? undefined : parseDuration(text)) ?? otherwise;
