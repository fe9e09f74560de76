/** What a step reads of the answers of others: it must be there by then. */
import { canonicalJson } from '../canonical';
import { didYouMean } from '../nearest';
import { pointerToken } from '../schema';
import { type Finding, isRecord, quote } from './finding';
import { ancestorsOf, type Graph } from './graph';
import { parseReference } from './reference';
import { type CallSketch, callsOf, type Sketch, type StepSketch } from './sketch';

export const checkReferences = (document: Sketch): readonly Finding[] => {
  const steps = new Map(document.steps.map((step) => [step.name, step]));
  const graph: Graph = new Map(
    document.steps.map(({ name, after }) => [name, after.map((other) => other.name)]),
  );
  return callsOf(document).flatMap((call) => {
    // The end waits for every step.
    const before = call.kind === 'emits' ? new Set(steps.keys()) : ancestorsOf(graph, call.name);
    return referencesOf(call).flatMap(({ pointer, step }): readonly Finding[] => {
      if (step === call.name && call.kind === 'undo') return [];
      const source = steps.get(step);
      const finding = source
        ? (explainOrder(call, source, before) ?? explainGap(call, source, steps))
        : unknownStep(step, steps);
      return finding ? [{ pointer, ...finding }] : [];
    });
  });
};

type Steps = ReadonlyMap<string, StepSketch>;
type Explained = Omit<Finding, 'pointer'>;

/** Only what is a reference; the shape has told of the others. */
const referencesOf = ({ pointer, fields }: CallSketch) => {
  const map = isRecord(fields.input) ? fields.input : {};
  return Object.entries(map).flatMap(([member, text]) => {
    const { step } = (typeof text === 'string' && parseReference(text)) || {};
    return step === undefined
      ? []
      : [{ pointer: `${pointer}/input/${pointerToken(member)}`, step }];
  });
};

const unknownStep = (name: string, steps: Steps): Explained => ({
  code: 'unknown_step',
  message: `there is no step ${quote(name)}${didYouMean(name, steps.keys())}`,
});

const explainOrder = (
  call: CallSketch,
  { name }: StepSketch,
  before: ReadonlySet<string>,
): Explained | undefined => {
  const code = 'reference_not_before';
  if (name === call.name && call.kind === 'step')
    return { code, message: `${call.title} reads its own answer, which its undo alone can` };
  if (before.has(name)) return undefined;
  return {
    code,
    message: `${call.title} reads the answer of ${quote(name)} and does not wait for it: add ${name} to after of ${quote(call.name)}`,
  };
};

/** Whoever is not required may go wrong over it, and the run goes on. */
const explainGap = (call: CallSketch, source: StepSketch, steps: Steps): Explained | undefined => {
  if (!call.required) return undefined;
  const { when } = source.fields;
  const isShared = when === undefined || isSame(when, steps.get(call.name)?.fields.when);
  if (source.required && isShared) return undefined;
  const why = source.required ? 'may be skipped by its when' : 'is not required';
  return {
    code: 'reference_may_be_missing',
    severity: 'warning',
    message: `${call.title} reads the answer of ${source.title}, which ${why}: without an answer the member is left out`,
  };
};

const isSame = (a: unknown, b: unknown): boolean => canonicalJson([a]) === canonicalJson([b]);
