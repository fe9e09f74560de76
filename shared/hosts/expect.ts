/**
 * `Expect: 100-continue` (RFC 9110 section 10.1.1): a client that waits with its body until somebody wants it.
 *
 * Whoever reads the body says so first; a request that is forwarded leaves that to the server behind.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

const waiting = new WeakMap<IncomingMessage, ServerResponse>();

/** Takes note of a request that waits: for the server's `checkContinue`. */
export const holdContinue = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
  waiting.set(incoming, outgoing);
};

/** Whether its client waits still. */
export const awaitsContinue = (incoming: IncomingMessage): boolean => waiting.has(incoming);

/** Lets the body come, where it waits. */
export const sendContinue = (incoming: IncomingMessage): void => {
  const outgoing = waiting.get(incoming);
  if (!outgoing) return;
  waiting.delete(incoming);
  if (!outgoing.headersSent) outgoing.writeContinue();
};
