/** What may be sent again without asking what became of it (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PUT',
  'DELETE',
]);

export const isIdempotent = (method: string): boolean => IDEMPOTENT.has(method);
