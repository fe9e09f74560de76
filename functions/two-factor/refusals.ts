/** How two-factor says "not now". */
import { Failure } from '../../shared/failure';

/** Somebody is at it; after so many ms they are done, or taken for dead. */
export const inProgress = (ms: number): Failure =>
  new Failure('in_progress', { headers: { 'retry-after': seconds(ms) } });

/** Not before so many ms have passed. */
export const rateLimited = (ms: number): Failure =>
  new Failure('rate_limited', { headers: { 'retry-after': seconds(ms) } });

const seconds = (ms: number): string => String(Math.max(1, Math.ceil(ms / 1_000)));
