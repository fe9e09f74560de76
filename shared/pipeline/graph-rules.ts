/** What a graph of steps must be: no step waits for itself, for nobody, or for what may be missing. */
import { didYouMean } from '../nearest';
import { type Finding, quote } from './finding';
import { findKnots, type Graph, sortGraph } from './graph';
import type { StepSketch } from './sketch';

export const checkGraph = (steps: readonly StepSketch[]): readonly Finding[] => {
  const byName = new Map(steps.map((step) => [step.name, step]));
  return [...steps.flatMap((step) => checkAfter(step, byName)), ...checkCycles(steps, byName)];
};

type Steps = ReadonlyMap<string, StepSketch>;

const checkAfter = (step: StepSketch, steps: Steps): readonly Finding[] =>
  step.after.flatMap(({ name, index }): Finding[] => {
    const pointer = `${step.pointer}/after/${index}`;
    const other = steps.get(name);
    if (name === step.name)
      return [
        {
          pointer,
          code: 'step_after_itself',
          message: `${quote(name)} waits for itself: take it out of after`,
        },
      ];
    if (!other) {
      const others = [...steps.keys()].filter((known) => known !== step.name);
      return [
        {
          pointer,
          code: 'unknown_step',
          message: `there is no step ${quote(name)}${didYouMean(name, others)}`,
        },
      ];
    }
    // What is not required may have failed, and then a run that cannot go on would go on.
    if (step.required && !other.required)
      return [
        {
          pointer,
          code: 'required_after_optional',
          message: `${quote(step.name)} is required and waits for ${quote(name)}, which is not: make both so, or neither`,
        },
      ];
    return [];
  });

const checkCycles = (steps: readonly StepSketch[], byName: Steps): readonly Finding[] => {
  const graph: Graph = new Map(
    steps.map(({ name, after }) => [
      name,
      after.map((other) => other.name).filter((other) => other !== name),
    ]),
  );
  const { stuck } = sortGraph(graph);
  const knots = findKnots(new Map(stuck.map((name) => [name, graph.get(name) ?? []])));
  const turning = new Set(knots.flatMap(({ names }) => names));
  return [
    ...knots.map(({ cycle }): Finding => {
      const [first, second] = cycle as [string, string];
      const step = byName.get(first) as StepSketch;
      const index = step.after.find(({ name }) => name === second)?.index ?? 0;
      return {
        pointer: `${step.pointer}/after/${index}`,
        code: 'cycle',
        message: `these steps wait for each other: ${cycle.toReversed().join(' -> ')}`,
      };
    }),
    ...stuck
      .filter((name) => !turning.has(name))
      .map((name): Finding => {
        const { pointer } = byName.get(name) as StepSketch;
        return {
          pointer,
          part: 'name',
          code: 'unreachable_step',
          message: `${quote(name)} can never start: it waits for steps that wait for each other`,
        };
      }),
  ];
};
