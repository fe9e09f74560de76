/** Whether a request that came to nothing may go out again: pure decisions over what is known of it. */
import { Failure, type FailureCode, isUnforwarded } from '../../shared/failure';
import { isIdempotent } from '../../shared/http/methods';
import type { Outcome } from './choice';

/** How often one request goes out at most, all servers together. */
export const MAX_TRIES = 3;

/** The largest body that is kept for another try, in bytes. */
export const MAX_KEPT = 65_536;

/** The server's own doing, and no word of the client. */
const SERVER_FAILURES: ReadonlySet<FailureCode> = new Set([
  'upstream_unreachable',
  'upstream_timeout',
  'upstream_invalid',
] as const);

/** What health is told of a forward that has failed. */
export const outcomeOf = (thrown: unknown): Outcome =>
  thrown instanceof Failure && SERVER_FAILURES.has(thrown.code) ? 'failed' : 'left';

export interface RetryFacts {
  /** How often it has gone out. */
  readonly tries: number;
  readonly method: string;
  /** Whether its body can be sent again: there is none, or it was kept. */
  readonly isKept: boolean;
}

/**
 * Whether a request may go to a server once more after a forward that failed: at once when nothing of it had gone out; one
 * that was sent, and may have been executed, only when doing it twice is as doing it once.
 */
export const mayRetry = (thrown: unknown, { tries, method, isKept }: RetryFacts): boolean => {
  if (tries >= MAX_TRIES || outcomeOf(thrown) !== 'failed') return false;
  return isUnforwarded(thrown) || (isKept && isIdempotent(method));
};

/** Whether it may go out once more after a shard has refused it as not its own: that shard has not executed it. */
export const mayRedirect = ({ tries, isKept }: Omit<RetryFacts, 'method'>): boolean =>
  tries < MAX_TRIES && isKept;
