/** How Restate treats our handlers. Durations in ms. */
import type { HandlerOptions, ServiceOptions } from './sdk';

export const SERVICE_OPTIONS: ServiceOptions = {
  // The longest attempt, and what a pipeline that calls several subscribers with it may take; then it counts as hung.
  abortTimeout: 3_600_000,
  // A host may be away for days; the server's own limit would park its runs until somebody comes.
  retryPolicy: {
    initialInterval: 50,
    exponentiationFactor: 2,
    maxInterval: 5_000,
    maxAttempts: 1_000_000_000,
  },
};

/** Nothing of a call stays once it has ended: what is to be known is in the state, and goes with it. */
export const UNKEPT: HandlerOptions = { idempotencyRetention: 0, journalRetention: 0 };

/** Who sends it again, since the answer was lost, finds it for so long. */
export const SHORT: HandlerOptions = { idempotencyRetention: 60_000 };
