/** A topology as somebody wrote it, checked, and with every default filled in. Fails closed: with a mistake there is none. */
import type { InputError } from '../failure';
import { complete } from './complete';
import { findMistakes } from './mistakes';
import { TOPOLOGY_SCHEMA } from './schema';
import type { Topology, TopologyInput } from './topology';
import { validate } from './validate';

export type ReadTopology =
  | { readonly topology: Topology }
  | { readonly mistakes: readonly InputError[] };

/** All mistakes at once, each with its JSON Pointer. */
export const readTopology = (value: unknown): ReadTopology => {
  const wrong = validate(TOPOLOGY_SCHEMA, value);
  if (wrong.length > 0) return { mistakes: wrong };
  const input = value as TopologyInput;
  const topology = complete(input);
  const mistakes = findMistakes(topology, input);
  return mistakes.length > 0 ? { mistakes } : { topology };
};

/** A topology cannot be used; each mistake is a line of the message. */
export class InvalidTopology extends TypeError {
  override readonly name = 'InvalidTopology';

  constructor(readonly mistakes: readonly InputError[]) {
    super(`the topology cannot be used:\n${mistakes.map(explain).join('\n')}`);
  }
}

const explain = ({ pointer, message }: InputError): string => `  ${pointer || '/'} ${message}`;
