/**
 * What the request for a link brings: its token, and the fields of a form. Fails open, as a form proves nothing:
 * one that cannot be read has no fields, and the token alone decides what may be done.
 */
import { readBytes } from '../../shared/http/body';
import { withBody } from '../../shared/http/with-body';

export const tokenOfQuery = (request: Request): string | null =>
  new URL(request.url).searchParams.get('token');

/** The fields of either kind of form; files are left out. Rejects with `body_too_large`. */
export const readForm = async (request: Request): Promise<ReadonlyMap<string, string>> => {
  const media = request.headers.get('content-type') ?? '';
  if (!FORM.test(media)) return new Map();
  const bytes = await readBytes(request, MAX_FORM);
  try {
    const fields = [...(await withBody(request, bytes).formData()).entries()];
    const texts = fields.filter((field): field is [string, string] => typeof field[1] === 'string');
    return new Map(texts);
  } catch {
    return new Map();
  }
};

const FORM = /^(?:application\/x-www-form-urlencoded|multipart\/form-data)\s*(?:;|$)/i;

/** Bytes of a form with a token. */
const MAX_FORM = 4096;
