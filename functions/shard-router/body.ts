/**
 * The body of a request that may have to go out twice. What is small is kept, so that a shard may refuse it and another
 * take it; what is large, or of unknown length, is never held here: it streams, and goes out once.
 */
import type { ForwardOptions } from '../../shared/handler';
import { readRaw } from '../../shared/http/body';
import { forwardOptionsOf } from '../../shared/http/with-body';
import { MAX_KEPT } from './retry';

export interface Outgoing {
  /** Whether it can go out again. */
  readonly isKept: boolean;
  /** What `forward` must be told; `undefined`: it takes the body of the request. */
  readonly body: ForwardOptions['body'];
  /** Fields that a decorator in front has changed. */
  readonly headers: ForwardOptions['headers'];
}

const NOTHING: Outgoing = { isKept: true, body: undefined, headers: undefined };
const STREAM: Outgoing = { isKept: false, body: undefined, headers: undefined };

/**
 * At once, where nothing has to be read. `read` is what was read already, for the key.
 *
 * Rejects as a body does that does not arrive: `request_timeout`, `aborted`.
 */
export const outgoingOf = (
  request: Request,
  read: Uint8Array | undefined,
): Outgoing | Promise<Outgoing> => {
  const derived = forwardOptionsOf(request);
  const whole = read ?? derived?.body;
  if (whole !== undefined) return { isKept: true, body: whole, headers: derived?.headers };
  const outgoing = ownOf(request);
  if (!derived) return outgoing;
  const changed = (own: Outgoing): Outgoing => ({ ...own, headers: derived.headers });
  return 'then' in outgoing ? outgoing.then(changed) : changed(outgoing);
};

/** As it comes from the network. */
const ownOf = (request: Request): Outgoing | Promise<Outgoing> => {
  const { headers } = request;
  const length = headers.get('content-length');
  if (length === null)
    return headers.has('transfer-encoding') || mayHaveBody(request) ? STREAM : NOTHING;
  if (length === '0') return NOTHING;
  // Who waits for 100 (Continue) is told by the shard whether to send at all.
  return Number(length) <= MAX_KEPT && !headers.has('expect')
    ? readRaw(request, MAX_KEPT).then(kept)
    : STREAM;
};

/** HTTP/1.1 tells of a body by its fields; elsewhere there may be one all the same. */
const mayHaveBody = (request: Request): boolean =>
  !('readUpTo' in request) && request.body !== null;

const kept = (body: Uint8Array): Outgoing => ({ isKept: true, body, headers: undefined });
