/** What a client is told when nobody may be asked, or nobody knows whom. */
import { Failure } from '../../shared/failure';

/** 503 `shard_unavailable`; `retryAfter` in ms, told in whole seconds (RFC 9110 section 10.2.3). */
export const refusal = (retryAfter: number, cause?: unknown): Failure =>
  new Failure('shard_unavailable', {
    headers: { 'retry-after': `${Math.max(1, Math.ceil(retryAfter / 1000))}` },
    cause,
  });

/** 503 `shard_unavailable`: the owner is set down, or the table names none. It heals by another table. */
export const nobody = (): Failure =>
  new Failure('shard_unavailable', {
    detail: 'No shard that is in use owns the key of this request.',
    headers: { 'retry-after': '5' },
  });
