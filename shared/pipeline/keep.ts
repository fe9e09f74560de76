/** What of each answer is recorded: what other steps, and what undoes it, will read. */
import type { Step } from './pipeline';
import { parseReference } from './reference';

/** By the name of a step: the distinct JSON Pointers into its answer, sorted. */
export const keepOf = (
  steps: readonly Pick<Step, 'input' | 'undo'>[],
): ((step: string) => readonly string[]) => {
  const read = new Map<string, Set<string>>();
  for (const { step, pointer } of steps.flatMap(referencesOf)) {
    if (step === undefined) continue;
    const pointers = read.get(step) ?? new Set();
    read.set(step, pointers.add(pointer));
  }
  return (step) => [...(read.get(step) ?? [])].sort();
};

const referencesOf = ({ input = {}, undo }: Pick<Step, 'input' | 'undo'>) =>
  [...Object.values(input), ...Object.values(undo?.input ?? {})].flatMap((text) => {
    const reference = parseReference(text);
    return reference ? [reference] : [];
  });
