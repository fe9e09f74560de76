/** How far OPTIONS and TRACE may go on (RFC 9110 section 7.6.2). */
import { Failure } from '../../failure';

/** Whether Max-Forwards means anything for a method. */
export const isBounded = (method: string): boolean => method === 'OPTIONS' || method === 'TRACE';

/**
 * What is left of Max-Forwards; `undefined`: there is no limit; negative: the request ends here.
 *
 * TRACE does not go on at all, since its answer shows what proxies have added: throws `method_not_allowed`.
 */
export const forwardsLeft = (method: string, value: string | null): number | undefined => {
  if (method === 'TRACE') throw new Failure('method_not_allowed', { headers: { allow: '' } });
  if (method !== 'OPTIONS' || value === null || !/^\d{1,9}$/.test(value)) return undefined;
  return Number(value) - 1;
};
