/**
 * Structured mode (CloudEvents HTTP binding 1.0.2 section 3.2): attributes and data in one JSON envelope.
 *
 * Fails closed: of two data, or attributes both here and in fields, none is chosen.
 */
import { Failure, type InputError } from '../failure';
import { decodeUtf8, isJson } from '../http/json';
import { parseJson } from '../json';
import { type Attributes, checkAttributes } from './attributes';

/** The media type without its parameters. */
const essenceOf = (headers: Headers): string => {
  const [type = ''] = (headers.get('content-type') ?? '').split(';');
  return type.trim().toLowerCase();
};

/** Whether the body is one event or more, in whatever format (section 3). */
export const hasEventType = (headers: Headers): boolean =>
  essenceOf(headers).startsWith('application/cloudevents');

/** Whether the body is an envelope. Throws `unsupported_media_type` for batches and for formats other than JSON. */
export const isStructured = (headers: Headers): boolean => {
  if (!hasEventType(headers)) return false;
  const essence = essenceOf(headers);
  if (essence === 'application/cloudevents+json') return true;
  const isBatch = essence.startsWith('application/cloudevents-batch');
  throw new Failure('unsupported_media_type', {
    detail: isBatch
      ? 'Events are taken one at a time: send each of the batch by itself.'
      : 'CloudEvents are taken in binary mode, or as application/cloudevents+json.',
    headers: { accept: 'application/json, application/cloudevents+json' },
  });
};

export interface Envelope {
  readonly attributes: Attributes;
  /** As JSON says it; null when there is none. */
  readonly data: unknown;
}

/**
 * From strict JSON (JSON event format 1.0.2 sections 2 and 3). An attribute that is null counts as absent (section 2.2).
 *
 * Throws `invalid_event`, `unsupported_media_type` for data that is not JSON, and `invalid_json` for data in base64
 * that says it is JSON and is not.
 */
export const openEnvelope = (envelope: unknown): Envelope => {
  if (typeof envelope !== 'object' || envelope === null || Array.isArray(envelope))
    throw new Failure('invalid_event', {
      errors: [{ pointer: '', message: 'must be an object' }],
    });
  const members = new Map<string, unknown>(Object.entries(envelope));
  const data = members.get('data') ?? null;
  const encoded = members.get('data_base64');
  const bytes = typeof encoded === 'string' ? decodeBase64(encoded) : undefined;
  const mistakes: InputError[] = [];
  if (members.has('data_base64')) {
    if (members.has('data'))
      mistakes.push({ pointer: '/data_base64', message: 'cannot come together with data' });
    else if (!bytes) mistakes.push({ pointer: '/data_base64', message: 'must be base64' });
  }
  members.delete('data');
  members.delete('data_base64');
  for (const [name, value] of members) if (value === null) members.delete(name);
  const attributes = checkAttributes(members, mistakes);
  const type = members.get('datacontenttype') as string | undefined;
  // Section 3.1.2: only what stands there as JSON is taken for it when no type is named.
  if (!isJson(type ?? (bytes ? null : 'application/json')))
    throw new Failure('unsupported_media_type', {
      detail: 'The data of an event must be application/json.',
    });
  return { attributes, data: bytes ? parseJson(decodeUtf8(bytes)) : data };
};

/** RFC 4648 section 4. Written back it must be the same text: decoders differ in what they skip. */
const decodeBase64 = (text: string): Uint8Array | undefined => {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
};
