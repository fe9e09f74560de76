/**
 * An event as the request that brings it to its function: a CloudEvent in binary mode (HTTP binding 1.0.2 section 3.1), or
 * plain JSON under the id of the message that holds it.
 *
 * What the events mean: `detail-type` is the type, `detail` the data; id, source and time are those of EventBridge. The key
 * of the effect is source and id, as on every host, so an event that comes twice is the same wish.
 */
import type { GatewayRequest } from './gateway';
import { isBusEvent, isCloudEvent, isObject, type Members, type QueueRecord } from './kind';

/** What to send to the function, without its address. */
export interface Delivery {
  /** Name and value in turn. */
  readonly fields: readonly string[];
  readonly body: string;
  readonly id: string | undefined;
}

export const deliveryOf = (event: Members): Delivery =>
  isBusEvent(event) ? ofBus(event) : ofEnvelope(event);

/** Whatever stands in a queue: an event in its own form, else plain JSON, or what the function will say is none. */
export const recordDelivery = ({ messageId, body }: QueueRecord): Delivery => {
  const content = parse(body);
  if (isObject(content) && (isBusEvent(content) || isCloudEvent(content)))
    return isBusEvent(content) ? ofBus(content) : ofEnvelope(content, body);
  const fields = ['content-type', 'application/json', 'idempotency-key', messageId];
  return { fields, body, id: messageId };
};

/** To the function's own address, where its events go. */
export const toRequest = (target: string, { fields, body, id }: Delivery): GatewayRequest => ({
  form: 'v2',
  method: 'POST',
  target: `/${target}`,
  fields,
  body: Buffer.from(body),
  peer: undefined,
  id,
});

const ofBus = (event: Members): Delivery => {
  const { id, source, time, detail } = event;
  const attributes = { specversion: '1.0', id, source, type: event['detail-type'], time };
  const fields = Object.entries(attributes).flatMap(([name, value]) =>
    typeof value === 'string' ? [`ce-${name}`, encode(reference(name, value))] : [],
  );
  return {
    fields: [...fields, 'content-type', 'application/json'],
    body: JSON.stringify(detail ?? null),
    id: String(id),
  };
};

const ofEnvelope = (event: Members, body = JSON.stringify(event)): Delivery => ({
  fields: ['content-type', 'application/cloudevents+json'],
  body,
  id: typeof event.id === 'string' ? event.id : undefined,
});

/** A source of EventBridge may be any text; that of a CloudEvent is a URI reference. */
const reference = (name: string, value: string): string =>
  name === 'source' ? value.replace(/[^\w.~:/?#[\]@!$&'()*+,;=-]+/g, encodeURIComponent) : value;

/** Section 3.1.3.2. */
const encode = (value: string): string =>
  value.replace(/[^\x21\x23\x24\x26-\x7e]+/g, encodeURIComponent);

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
