/** What an invocation is for: a request of somebody who waits, a batch out of a queue, or one event. */
import { type GatewayRequest, readGateway } from './gateway';

/** A message of SQS. */
export interface QueueRecord {
  readonly messageId: string;
  readonly body: string;
  /** Its order is kept where the queue is FIFO. */
  readonly group: string | undefined;
}

export type Kind =
  | { readonly is: 'request'; readonly request: GatewayRequest }
  | { readonly is: 'batch'; readonly records: readonly QueueRecord[] }
  | { readonly is: 'event'; readonly event: Members };

export type Members = Readonly<Record<string, unknown>>;

/** Throws a TypeError for what is none of them: whoever sends it has been set up wrong. */
export const kindOf = (event: unknown): Kind => {
  if (!isObject(event)) throw new TypeError('an invocation must hold a JSON object');
  const request = readGateway(event);
  if (request) return { is: 'request', request };
  const { Records: records } = event;
  if (Array.isArray(records) && records.length > 0 && records.every(isQueued))
    return { is: 'batch', records: records.map(readRecord) };
  if (isBusEvent(event) || isCloudEvent(event)) return { is: 'event', event };
  const names = Object.keys(event).slice(0, 10).join(', ');
  throw new TypeError(
    `this is no request of API Gateway, a function URL or a load balancer, no batch of SQS, no event of EventBridge and no CloudEvent; it has ${names || 'no members'}`,
  );
};

export const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** As EventBridge sends it, itself or by way of a queue. */
export const isBusEvent = (event: Members): boolean =>
  ['id', 'source', 'detail-type'].every((name) => typeof event[name] === 'string') &&
  'detail' in event;

/** In structured mode. */
export const isCloudEvent = (event: Members): boolean => typeof event.specversion === 'string';

const isQueued = (record: unknown): record is Members =>
  isObject(record) &&
  record.eventSource === 'aws:sqs' &&
  typeof record.messageId === 'string' &&
  typeof record.body === 'string';

/** Queues of other kinds have groups, too, and promise no order. */
const readRecord = ({ messageId, body, attributes, eventSourceARN }: Members): QueueRecord => {
  const isFifo = typeof eventSourceARN === 'string' && eventSourceARN.endsWith('.fifo');
  const group = isObject(attributes) ? attributes.MessageGroupId : undefined;
  return {
    messageId: messageId as string,
    body: body as string,
    group: isFifo ? String(group ?? '') : undefined,
  };
};
