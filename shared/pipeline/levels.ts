/** The steps by the length of the longest way that leads to them: what a level holds waits for nothing in it. */
import type { Step } from './pipeline';

/** In topological order, as a pipeline holds them; each level in that order too. */
export const levelsOf = <S extends Pick<Step, 'name' | 'after'>>(
  steps: readonly S[],
): readonly (readonly S[])[] => {
  const levels: S[][] = [];
  const depths = new Map<string, number>();
  for (const step of steps) {
    const depth = Math.max(-1, ...step.after.map((name) => depths.get(name) ?? -1)) + 1;
    depths.set(step.name, depth);
    if (depth === levels.length) levels.push([]);
    levels[depth]?.push(step);
  }
  return levels;
};
