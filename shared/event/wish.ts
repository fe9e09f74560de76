/** What an event wishes for, told before the event is read: for those who must know a repeat. */
import { canonicalJson } from '../canonical';
import { Failure } from '../failure';
import { isJson } from '../http/json';
import { withBody } from '../http/with-body';
import type { Attributes } from './attributes';
import { binaryAttributes } from './binary';
import { hasFields, readMessage } from './message';
import { hasEventType } from './structured';

export interface Wish {
  /** Names the effect. */
  readonly key: string;
  /** What it asks for. JSON in one form, so that an event is the same in both modes; else the bytes. */
  readonly content: string | Uint8Array;
}

/** Source and id name an event (CloudEvents 1.0.2, source). A source holds no space, so they cannot run together. */
export const eventKey = ({ source, id }: Attributes): string => `${source} ${id}`;

/** Whether a look at the body is worth it. */
export const mayBeEvent = (headers: Headers): boolean =>
  hasFields(headers) || hasEventType(headers);

/** `undefined` for what is no event, or none that is valid: its refusal must not count as what became of the event. */
export const readWish = async (request: Request, body: Uint8Array): Promise<Wish | undefined> => {
  const { headers } = request;
  try {
    if (!hasEventType(headers) && !isJson(headers.get('content-type'))) {
      const attributes = binaryAttributes(headers);
      return attributes && { key: eventKey(attributes), content: body };
    }
    const { attributes, data } = await readMessage(withBody(request, body));
    return attributes && { key: eventKey(attributes), content: canonicalJson(data) };
  } catch (thrown) {
    if (thrown instanceof Failure) return undefined;
    throw thrown;
  }
};
