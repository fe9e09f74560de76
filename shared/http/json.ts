/** A JSON request body: checked media type, bounded, strict UTF-8, strict JSON. */
import { Failure } from '../failure';
import { parseChecked, parseJson } from '../json';
import { readBytes } from './body';
import { takeCheckedJson } from './with-body';

/** Rejects with `unsupported_media_type`, `invalid_json`, `body_too_large` or `unsupported_encoding`. */
export const readJson = async (request: Request): Promise<unknown> => {
  const checked = takeCheckedJson(request);
  return checked === undefined ? parseJson(await readJsonText(request)) : parseChecked(checked);
};

/** The same body as text, for those who must pass it on to the letter, byte order mark included. Not yet checked to be JSON. */
export const readJsonText = async (request: Request): Promise<string> => {
  if (!isJson(request.headers.get('content-type')))
    throw new Failure('unsupported_media_type', { headers: { accept: 'application/json' } });
  return decodeUtf8(await readBytes(request));
};

/** `application/json` and `application/*+json`, in UTF-8 (RFC 8259 section 8.1); other parameters mean nothing here. */
export const isJson = (contentType: string | null): boolean => {
  if (contentType === 'application/json') return true;
  const [type = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim());
  return (
    /^application\/(?:[\w.!#$&^-]+\+)?json$/i.test(type) &&
    parameters.every((part) => !/^charset=/i.test(part) || /^charset="?utf-8"?$/i.test(part))
  );
};

/** Keeps a byte order mark: the text must give the same bytes again. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Keeps a byte order mark. Throws `invalid_json` for bytes that are not UTF-8. */
export const decodeUtf8 = (bytes: Uint8Array): string => {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new Failure('invalid_json', { detail: 'The body is not valid UTF-8.' });
  }
};
