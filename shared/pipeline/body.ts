/** What is sent to a step. Pure. */
import type { Call } from './pipeline';
import { readReference, type Sources } from './reference';

/** The whole input, or the members of the call's map; one whose reference finds nothing is left out. */
export const buildBody = ({ input: map }: Pick<Call, 'input'>, facts: Sources): unknown =>
  map === undefined
    ? facts.input
    : Object.fromEntries(
        Object.entries(map)
          .map(([name, reference]) => [name, readReference(reference, facts)] as const)
          .filter(([, value]) => value !== undefined),
      );
