/** A document read as far as it can be, so that every rule can speak even where another one has found a mistake. */
import { parseDuration } from '../duration';
import { pointerToken } from '../schema';
import { isRecord, quote } from './finding';
import { EMITS, PIPELINE_DEFAULTS } from './pipeline';

/** Something that is sent: by a step, by what undoes it, or at the end of a run. */
export interface CallSketch {
  readonly kind: 'step' | 'undo' | 'emits';
  /** Of the step. */
  readonly name: string;
  /** As messages name it. */
  readonly title: string;
  /** JSON Pointer to it. */
  readonly pointer: string;
  readonly required: boolean;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface StepSketch extends CallSketch {
  /** Only texts; each with its place in the list. */
  readonly after: readonly { readonly name: string; readonly index: number }[];
  readonly undo?: CallSketch;
}

export interface Sketch {
  readonly name: string | undefined;
  readonly input: string | undefined;
  /** The type of the events that start a run. */
  readonly on: string | undefined;
  /** ms; `undefined` when what stands there is none. */
  readonly deadline: number | undefined;
  readonly steps: readonly StepSketch[];
  readonly emits: CallSketch | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
}

export const sketch = (value: unknown): Sketch => {
  const fields = isRecord(value) ? value : {};
  const steps = isRecord(fields.steps) ? fields.steps : {};
  const on = isRecord(fields.on) ? fields.on : {};
  return {
    name: textOf(fields.name),
    input: textOf(fields.input),
    on: textOf(on.type),
    deadline: 'deadline' in fields ? durationOf(fields.deadline) : PIPELINE_DEFAULTS.deadline,
    steps: Object.entries(steps).map(([name, step]) => sketchStep(name, step)),
    emits: isRecord(fields.emits) ? sketchEmits(fields.emits) : undefined,
    fields,
  };
};

/** Everything that a document sends, in the order of the text but for `emits`. */
export const callsOf = ({ steps, emits }: Sketch): readonly CallSketch[] => [
  ...steps.flatMap((step) => (step.undo ? [step, step.undo] : [step])),
  ...(emits ? [emits] : []),
];

const sketchStep = (name: string, value: unknown): StepSketch => {
  const fields = isRecord(value) ? value : {};
  const after = Array.isArray(fields.after) ? fields.after : [];
  const pointer = `/steps/${pointerToken(name)}`;
  const required = fields.required !== false;
  return {
    kind: 'step',
    name,
    title: quote(name),
    pointer,
    after: after.flatMap((other, index) =>
      typeof other === 'string' ? [{ name: other, index }] : [],
    ),
    required,
    fields,
    ...(isRecord(fields.undo) && {
      undo: {
        kind: 'undo',
        name,
        title: `the undo of ${quote(name)}`,
        pointer: `${pointer}/undo`,
        required,
        fields: fields.undo,
      },
    }),
  };
};

const sketchEmits = (fields: CallSketch['fields']): CallSketch => ({
  kind: 'emits',
  name: EMITS,
  title: 'the event at the end',
  pointer: `/${EMITS}`,
  required: true,
  fields,
});

export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;

/** ms */
export const durationOf = (value: unknown): number | undefined =>
  typeof value === 'string' ? parseDuration(value) : undefined;
