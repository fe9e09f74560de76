/** Whether a request that failed may have done its work all the same. Fails closed: what is not known to be idle may have. */

/** Not the answer to a request that was read and refused: gateways say them of one that they have passed on. */
const NO_VERDICT: ReadonlySet<number> = new Set([408, 499]);

/** How node says that a TLS handshake ended with a certificate that it does not take: before the request is written. */
const UNTRUSTED: ReadonlySet<unknown> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** System calls before there is a connection. */
const CONNECTING: ReadonlySet<unknown> = new Set(['connect', 'getaddrinfo']);

/** @param status of the answer, `undefined` without one */
export const mayHaveLeft = (error: unknown, status: number | undefined): boolean =>
  status === undefined
    ? !neverConnected(error)
    : status < 400 || status >= 500 || NO_VERDICT.has(status);

interface Said {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly cause?: unknown;
  /** Of an AggregateError: one for each address that was tried. */
  readonly errors?: unknown;
}

const neverConnected = (error: unknown, depth = 0): boolean => {
  if (typeof error !== 'object' || error === null || depth > 3) return false;
  const { code, syscall, cause, errors } = error as Said;
  if (CONNECTING.has(syscall) || UNTRUSTED.has(code)) return true;
  if (Array.isArray(errors) && errors.length > 0)
    return errors.every((one) => neverConnected(one, depth + 1));
  return neverConnected(cause, depth + 1);
};
