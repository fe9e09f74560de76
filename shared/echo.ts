/** A small API that answers with what reached it: stands behind a decorator where no other is set, in development. */
import type { Handler } from './handler';
import { readBytes } from './http/body';
import { isJson } from './http/json';
import { text } from './http/response';
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
export const echo: Handler = async (request, context) => {
  const bytes = await readBytes(request);
  const { headers } = request;
  const shown: Record<string, string> = {};
  for (const name of SHOWN) {
    const value = headers.get(name);
    if (value !== null) shown[name] = value;
  }
  const seen = JSON.stringify({
    method: request.method,
    path: context.path,
    query: /\?([^#]*)/.exec(request.url)?.[1] ?? '',
    headers: shown,
  });
  return text(`${seen.slice(0, -1)},"body":${asJson(bytes, headers.get('content-type'))}}`, {
    headers: { 'content-type': 'application/json' },
  });
};

const UTF8 = new TextDecoder();

const asJson = (bytes: Uint8Array, contentType: string | null): string => {
  if (bytes.length === 0) return 'null';
  const body = UTF8.decode(bytes);
  if (!isJson(contentType)) return JSON.stringify(body);
  checkJson(body);
  return body;
};
