/**
 * Events: CloudEvents 1.0 in HTTP binary mode, and plain JSON taken for one.
 *
 * The host's own CloudEvent mode accepts anything (no id, any specversion), so the rules of the specification are
 * checked here, before a function sees the event.
 */
import { Failure } from './failure';
import type { Context, Handler } from './handler';
import { idempotencyKeyOf } from './http/idempotency-key';
import { readJson } from './http/json';
import { empty } from './http/response';
import { assertValid, type Check, isDateTime } from './schema';

export interface CloudEvent<T = unknown> {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  readonly time?: string;
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
  const attributes = readAttributes(request.headers);
  const data = await readJson(request);
  assertValid(check, data);
  const given = idempotencyKeyOf(request);
  return attributes
    ? { ...attributes, data: data as T, key: given ?? `${attributes.source} ${attributes.id}` }
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

type Attributes = Pick<CloudEvent, 'id' | 'source' | 'type' | 'subject' | 'time'>;

/** Binary mode (CloudEvents HTTP binding 3.1); `undefined` for a request that is no event at all. */
const readAttributes = (headers: Headers): Attributes | undefined => {
  const names = [...headers.keys()].filter((name) => name.startsWith('ce-'));
  const media = headers.get('content-type')?.trim().toLowerCase() ?? '';
  if (media.startsWith('application/cloudevents'))
    throw new Failure('unsupported_media_type', {
      detail:
        'CloudEvents are taken in binary mode: attributes in ce- fields, data as application/json.',
    });
  if (names.length === 0) return undefined;
  const errors: { pointer: string; message: string }[] = [];
  const read = (
    attribute: string,
    isValid: (value: string) => boolean,
    message: string,
    required = true,
  ) => {
    const raw = headers.get(`ce-${attribute}`);
    if (raw === null && !required) return undefined;
    const value = raw === null ? undefined : decode(raw);
    if (value !== undefined && isValid(value)) return value;
    errors.push({ pointer: `/${attribute}`, message: raw === null ? 'is required' : message });
    return undefined;
  };
  read('specversion', (value) => value === '1.0', 'must be 1.0');
  const id = read('id', isName, 'must be 1 to 255 characters without control characters');
  const source = read('source', isUriReference, 'must be a URI-reference');
  const type = read('type', isName, 'must be 1 to 255 characters without control characters');
  const subject = read('subject', isName, 'must not be empty', false);
  const time = read('time', isDateTime, 'must be a time of RFC 3339', false);
  for (const name of names)
    if (!/^ce-[a-z0-9]{1,64}$/.test(name))
      errors.push({
        pointer: `/${name.slice(3)}`,
        message: 'extension names hold a-z and 0-9 only',
      });
  if (errors.length > 0) throw new Failure('invalid_event', { errors });
  return {
    id: id as string,
    source: source as string,
    type: type as string,
    ...(subject !== undefined && { subject }),
    ...(time !== undefined && { time }),
  };
};

/** HTTP binding 3.1.3.2: field values are percent-encoded UTF-8; `undefined` when the encoding is broken. */
const decode = (raw: string): string | undefined => {
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
};

const isName = (value: string): boolean => /^[^\p{Cc}\p{Cs}]{1,255}$/u.test(value);

/** RFC 3986 section 4.1, by its character set: no spaces, controls, quotes or broken escapes. */
const isUriReference = (value: string): boolean =>
  /^(?:[\w.~:/?#[\]@!$&'()*+,;=-]|%[\da-f]{2}){1,1024}$/i.test(value);
