/** W3C Trace Context (level 1): taken over when well formed, made when not, and sent on with a span of our own. */
import { toHex } from './bytes';
import type { Random } from './random';

const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;

/** The `traceparent` for what we call: the trace that came in, else a new one, and a new span. */
export const continueTrace = (incoming: string | null | undefined, random: Random): string => {
  const [, trace = toHex(random.bytes(16)), flags = '01'] = TRACEPARENT.exec(incoming ?? '') ?? [];
  return `00-${trace}-${toHex(random.bytes(8))}-${flags}`;
};

/** The same for many requests: random digits are made a hundred traces at a time. */
export const traceContinuer = (
  random: Random,
): ((incoming: string | null | undefined) => string) => {
  let text = '';
  let at = 0;
  const digits = (count: number): string => {
    if (at + count > text.length) {
      text = toHex(random.bytes(24 * 100));
      at = 0;
    }
    at += count;
    return text.slice(at - count, at);
  };
  return (incoming) => {
    const [, trace = digits(32), flags = '01'] = TRACEPARENT.exec(incoming ?? '') ?? [];
    return `00-${trace}-${digits(16)}-${flags}`;
  };
};

export const traceId = (traceparent: string): string => traceparent.slice(3, 35);
