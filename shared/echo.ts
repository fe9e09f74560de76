/** A small API that answers with what reached it: stands behind a decorator where no other is set, in development. */
import type { Handler } from './handler';
import { readBytes } from './http/body';
import { isJson } from './http/json';
import { text } from './http/response';
import { parseJson } from './json';

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
export const echo: Handler = async (request, context) => {
  const bytes = await readBytes(request);
  const { headers } = request;
  const seen = JSON.stringify({
    method: request.method,
    path: context.path,
    query: /\?([^#]*)/.exec(request.url)?.[1] ?? '',
    headers: Object.fromEntries(
      SHOWN.filter((name) => headers.has(name)).map((name) => [name, headers.get(name)]),
    ),
  });
  return text(`${seen.slice(0, -1)},"body":${asJson(bytes, headers.get('content-type'))}}`, {
    headers: { 'content-type': 'application/json' },
  });
};

const asJson = (bytes: Uint8Array, contentType: string | null): string => {
  if (bytes.length === 0) return 'null';
  const body = new TextDecoder().decode(bytes);
  if (!isJson(contentType)) return JSON.stringify(body);
  parseJson(body);
  return body;
};
