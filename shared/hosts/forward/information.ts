/** Answers of status 1xx on their way to the client (RFC 9110 section 15.2), as far as node:http can write them. */
import type { ServerResponse } from 'node:http';
import { sendContinue } from '../expect';

export const sendInformation = (
  outgoing: ServerResponse,
  status: number,
  fields: readonly string[],
): void => {
  const { req: incoming } = outgoing;
  // HTTP/1.0 knows none of them.
  if (incoming.httpVersion !== '1.1' || outgoing.headersSent) return;
  if (status === 100) sendContinue(incoming);
  else if (status === 102) outgoing.writeProcessing();
  else if (status === 103) sendHints(outgoing, fields);
};

const sendHints = (outgoing: ServerResponse, fields: readonly string[]): void => {
  const hints: Record<string, string | string[]> = {};
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    if (name === 'link') hints.link = [...((hints.link as string[]) ?? []), value];
    else if (name !== '__proto__') hints[name] = value;
  }
  try {
    outgoing.writeEarlyHints(hints);
  } catch {
    // Node takes fewer links than there may be; a hint is no more than that.
  }
};
