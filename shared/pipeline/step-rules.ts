/** Where calls go, and how often. */
import { didYouMean } from '../nearest';
import { type Finding, quote } from './finding';
import { type CallSketch, type StepSketch, textOf } from './sketch';

export interface Targets {
  /** The pipeline's own name. */
  readonly name: string | undefined;
  /** All that a step may call. @default any */
  readonly known: readonly string[] | undefined;
}

const KINDS = {
  step: { fields: ['function', 'webhook', 'wait'], any: 'a function, a webhook or a wait' },
  undo: { fields: ['function', 'webhook'], any: 'a function or a webhook' },
} as const;

/** The event at the end needs no look: its one target has its shape. */
export const checkTarget = (call: CallSketch, targets: Targets): readonly Finding[] => {
  if (call.kind === 'emits') return [];
  const { pointer, title, fields } = call;
  const kind = KINDS[call.kind];
  const given = kind.fields.filter((field) => field in fields);
  if (given.length === 1) return checkFunction(call, targets);
  const message =
    given.length === 0
      ? `${title} must have ${kind.any}`
      : `${title} must have one target: ${given.join(' or ')}`;
  return [{ pointer, part: 'name', code: 'bad_target', message }];
};

const checkFunction = (
  { pointer, fields }: CallSketch,
  { name, known }: Targets,
): readonly Finding[] => {
  const target = textOf(fields.function);
  if (target === undefined) return [];
  const at = `${pointer}/function`;
  if (target === name)
    return [
      {
        pointer: at,
        code: 'calls_itself',
        message: `${quote(target)} calls itself, for ever: call another function`,
      },
    ];
  if (known === undefined || known.includes(target)) return [];
  const hint = didYouMean(target, known) || `; there are ${[...known].sort().join(', ')}`;
  return [
    {
      pointer: at,
      code: 'unknown_function',
      message: `there is no function ${quote(target)}${hint}`,
    },
  ];
};

/** A rate is the target's, so two that differ cannot both hold. */
export const checkRates = (steps: readonly StepSketch[]): readonly Finding[] => {
  const rated = steps.flatMap((step) => {
    const { rate, function: name, webhook } = step.fields;
    const target = textOf(webhook) ?? textOf(name);
    return typeof rate === 'number' && target !== undefined ? [{ step, rate, target }] : [];
  });
  return rated.flatMap(({ step, rate, target }): readonly Finding[] => {
    const first = rated.find((other) => other.target === target);
    if (!first || first.rate === rate) return [];
    return [
      {
        pointer: `${step.pointer}/rate`,
        code: 'rate_differs',
        message: `${first.step.title} calls ${quote(target)} at a rate of ${first.rate}: give ${step.title} the same, or none`,
      },
    ];
  });
};
