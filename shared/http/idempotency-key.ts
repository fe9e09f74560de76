/** The Idempotency-Key field (IETF draft-ietf-httpapi-idempotency-key-header), quoted or bare. */
import { Failure } from '../failure';

/** `undefined` when there is none. Throws `invalid_request` for one that is empty, too long or not printable ASCII. */
export const idempotencyKeyOf = (request: Request): string | undefined => {
  const raw = request.headers.get('idempotency-key')?.trim();
  if (raw === undefined) return undefined;
  const key = /^"(.*)"$/.exec(raw)?.[1]?.replace(/\\(["\\])/g, '$1') ?? raw;
  if (/^[\x20-\x7e]{1,255}$/.test(key)) return key;
  throw new Failure('invalid_request', {
    detail: 'Idempotency-Key must hold 1 to 255 printable ASCII characters.',
  });
};
