/** A request as the event it carries, in binary or structured mode, or as plain JSON. */
import { Failure } from '../failure';
import { readBytes } from '../http/body';
import { readJson } from '../http/json';
import type { Attributes } from './attributes';
import { binaryAttributes } from './binary';
import { isStructured, openEnvelope } from './structured';

export interface Message {
  /** Absent: the request is no event, and its body alone is the data. */
  readonly attributes?: Attributes;
  /** JSON; null when an event has none. */
  readonly data: unknown;
}

/** Rejects with `invalid_event`, `invalid_json`, 413 or 415 failures. */
export const readMessage = async (request: Request): Promise<Message> => {
  const { headers } = request;
  if (isStructured(headers)) {
    if (hasFields(headers))
      throw new Failure('invalid_event', {
        detail: 'The event comes in two modes at once: ce- fields and an envelope.',
      });
    return openEnvelope(await readJson(request));
  }
  const attributes = binaryAttributes(headers);
  if (!attributes) return { data: await readJson(request) };
  // An event without data says nothing of its type.
  const isBare = headers.get('content-type') === null && (await readBytes(request)).length === 0;
  return { attributes, data: isBare ? null : await readJson(request) };
};

/** Attributes in fields; names come in lower case from every `Headers`. */
export const hasFields = (headers: Headers): boolean =>
  [...headers.keys()].some((name) => name.startsWith('ce-'));
