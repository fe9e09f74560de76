/** W3C Trace Context (level 1): taken over when well formed, made when not, and sent on with a span of our own. */
import type { Random } from './random';

const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;

/** The `traceparent` for what we call: the trace that came in, else a new one, and a new span. */
export const continueTrace = (incoming: string | null | undefined, random: Random): string => {
  const [, trace = hex(random.bytes(16)), flags = '01'] = TRACEPARENT.exec(incoming ?? '') ?? [];
  return `00-${trace}-${hex(random.bytes(8))}-${flags}`;
};

export const traceId = (traceparent: string): string => traceparent.slice(3, 35);

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
