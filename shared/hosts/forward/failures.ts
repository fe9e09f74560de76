/** What has become of a request that has no answer. */
import { Failure, Unforwarded } from '../../failure';

/** Nothing has gone out, unless it was tried before. */
export const unsent = (
  code: 'upstream_timeout' | 'upstream_unreachable',
  cause: unknown,
  isRepeated: boolean,
): Failure =>
  new Failure(code, {
    cause: isRepeated ? cause : new Unforwarded('no connection', { cause }),
  });

export const codeOf = (error: (Error & { code?: string }) | undefined) =>
  error?.code === 'ETIMEDOUT' ? 'upstream_timeout' : 'upstream_unreachable';
