/** A JSON request body: checked media type, bounded, strict UTF-8, strict JSON. */
import { Failure } from '../failure';
import { parseJson } from '../json';
import { readBytes } from './body';

/** Rejects with `unsupported_media_type`, `invalid_json`, `body_too_large` or `unsupported_encoding`. */
export const readJson = async (request: Request): Promise<unknown> =>
  parseJson(await readJsonText(request));

/** The same body as text, for those who must pass it on to the letter. Not yet checked to be JSON. */
export const readJsonText = async (request: Request): Promise<string> => {
  if (!isJson(request.headers.get('content-type')))
    throw new Failure('unsupported_media_type', { headers: { accept: 'application/json' } });
  return decodeUtf8(await readBytes(request));
};

/** `application/json` and `application/*+json`, in UTF-8 (RFC 8259 section 8.1). */
export const isJson = (contentType: string | null): boolean =>
  /^application\/(?:json|[\w.-]+\+json)\s*(?:;\s*charset="?utf-8"?\s*)?(?:;.*)?$/i.test(
    contentType?.trim() ?? '',
  ) && !/charset="?(?!utf-8)[\w-]+/i.test(contentType ?? '');

const decodeUtf8 = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Failure('invalid_json', { detail: 'The body is not valid UTF-8.' });
  }
};
