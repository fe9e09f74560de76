/** The `idempotent` decorator as a function of the suite wears it: over the platform's store, with keyed fingerprints. */
import type { Decorator } from '../handler';
import { type IdempotentOptions, idempotent } from '../idempotent';
import type { Platform } from '../platform';

/** Needs `store` and `secret` of the declaration. */
export const idempotentFunction = (
  { store, clock, keys }: Pick<Platform, 'store' | 'clock' | 'keys'>,
  name: string,
  options: Pick<IdempotentOptions, 'lockFor' | 'keepFor'> = {},
): Decorator => idempotent({ store, clock, name, fingerprintKeys: keys('idempotent'), ...options });
