/** Binary mode (CloudEvents HTTP binding 1.0.2 section 3.1): attributes in `ce-` fields, the data is the body. */
import type { InputError } from '../failure';
import { type Attributes, checkAttributes } from './attributes';

/** `undefined` for a request that is no event. Throws `invalid_event` with every mistake. */
export const binaryAttributes = (headers: Headers): Attributes | undefined => {
  const given = new Map<string, string | undefined>();
  for (const [name, value] of headers.entries())
    if (name.startsWith('ce-')) given.set(name.slice(3), decode(value));
  if (given.size === 0) return undefined;
  return checkAttributes(given, given.has('datacontenttype') ? [TWICE] : []);
};

/** Section 3.1.1: content-type is this attribute; a second one could say something else. */
const TWICE: InputError = { pointer: '/datacontenttype', message: 'stands in content-type' };

/**
 * Section 3.1.3.2: first quotes are taken off, as older senders write them, then percent-encoded UTF-8 is read, once.
 * `undefined` when the encoding is broken.
 */
const decode = (raw: string): string | undefined => {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(raw)?.[1];
  try {
    return decodeURIComponent(quoted?.replace(/\\(.)/g, '$1') ?? raw);
  } catch {
    return undefined;
  }
};
