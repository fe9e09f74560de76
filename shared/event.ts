/**
 * Events: CloudEvents 1.0 over HTTP in binary or structured mode, and plain JSON taken for one.
 *
 * The host's own CloudEvent mode accepts anything (no id, any specversion), so the rules of the specification are
 * checked here, before a function sees the event. Fails closed: what is not exactly one valid event is refused.
 */

import { readMessage } from './event/message';
import { eventKey } from './event/wish';
import type { Context, Handler } from './handler';
import { idempotencyKeyOf } from './http/idempotency-key';
import { empty } from './http/response';
import { assertValid, type Check } from './schema';

export interface CloudEvent<T = unknown> {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  readonly time?: string;
  /** An event without data has null here. */
  readonly data: T;
  /**
   * Names the effect: the `idempotency-key` field, else source and id of a CloudEvent, else `undefined`:
   * the caller gave no way to tell a repeat from a second wish.
   */
  readonly key: string | undefined;
}

/** Resolving acknowledges the event; rejecting asks for redelivery. */
export type EventHandler<T = unknown> = (event: CloudEvent<T>, context: Context) => Promise<void>;

export interface ReadEventOptions {
  /** The function's name: gives source and type of a plain JSON request. */
  readonly name: string;
  /** Of the data. */
  readonly check: Check;
}

/** The event of a request. Rejects with `invalid_event`, `invalid_input`, `invalid_json`, 413 or 415 failures. */
export const readEvent = async <T>(
  request: Request,
  context: Context,
  { name, check }: ReadEventOptions,
): Promise<CloudEvent<T>> => {
  const { attributes, data } = await readMessage(request);
  assertValid(check, data);
  const given = idempotencyKeyOf(request);
  return attributes
    ? { ...attributes, data: data as T, key: given ?? eventKey(attributes) }
    : {
        id: given ?? context.id,
        source: `/${name}`,
        type: `${name}.request`,
        data: data as T,
        key: given,
      };
};

/** An event handler as a handler: 204 acknowledges. */
export const onEvent =
  <T>(options: ReadEventOptions, handle: EventHandler<T>): Handler =>
  async (request, context) => {
    await handle(await readEvent<T>(request, context, options), context);
    return empty();
  };
