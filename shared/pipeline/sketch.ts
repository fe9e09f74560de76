/** A document read as far as it can be, so that every rule can speak even where another one has found a mistake. */
import { pointerToken } from '../schema';
import { isRecord } from './finding';

export interface StepSketch {
  readonly name: string;
  /** JSON Pointer to it. */
  readonly pointer: string;
  /** Only texts; each with its place in the list. */
  readonly after: readonly { readonly name: string; readonly index: number }[];
  readonly required: boolean;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Sketch {
  readonly name: string | undefined;
  readonly input: string | undefined;
  readonly steps: readonly StepSketch[];
}

export const sketch = (value: unknown): Sketch => {
  const fields = isRecord(value) ? value : {};
  const steps = isRecord(fields.steps) ? fields.steps : {};
  return {
    name: textOf(fields.name),
    input: textOf(fields.input),
    steps: Object.entries(steps).map(([name, step]) => sketchStep(name, step)),
  };
};

const sketchStep = (name: string, value: unknown): StepSketch => {
  const fields = isRecord(value) ? value : {};
  const after = Array.isArray(fields.after) ? fields.after : [];
  return {
    name,
    pointer: `/steps/${pointerToken(name)}`,
    after: after.flatMap((other, index) =>
      typeof other === 'string' ? [{ name: other, index }] : [],
    ),
    required: fields.required !== false,
    fields,
  };
};

export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;
