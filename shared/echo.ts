/** A small API that answers with what reached it: stands behind a decorator where no other is set, in development. */
import type { Context, Handler } from './handler';
import { readBytes } from './http/body';
import { isJson } from './http/json';
import { text } from './http/response';
import { takeCheckedJson } from './http/with-body';
import { checkJson } from './json';

/** Fields that may be shown: no credentials, no cookies. */
const SHOWN = [
  'accept',
  'content-type',
  'content-length',
  'content-encoding',
  'idempotency-key',
  'user-agent',
];

/**
 * 200 with `{ method, path, query, headers, body }`. A JSON body stands there to the letter, so that
 * one can see what a decorator changed; any other as a string; none as null.
 */
export const echo: Handler = (request, context) => {
  const checked = takeCheckedJson(request);
  if (checked !== undefined) return answer(request, context, checked);
  const type = request.headers.get('content-type');
  return readBytes(request).then((bytes) => answer(request, context, asJson(bytes, type)));
};

const answer = ({ method, url, headers }: Request, { path }: Context, body: string): Response => {
  const shown: Record<string, string> = {};
  for (const name of SHOWN) {
    const value = headers.get(name);
    if (value !== null) shown[name] = value;
  }
  const query = /\?([^#]*)/.exec(url)?.[1] ?? '';
  const seen = JSON.stringify({ method, path, query, headers: shown });
  return text(`${seen.slice(0, -1)},"body":${body}}`, {
    headers: { 'content-type': 'application/json' },
  });
};

const asJson = (bytes: Uint8Array, contentType: string | null): string => {
  if (bytes.length === 0) return 'null';
  const body = new TextDecoder().decode(bytes);
  if (!isJson(contentType)) return JSON.stringify(body);
  checkJson(body);
  return body;
};
