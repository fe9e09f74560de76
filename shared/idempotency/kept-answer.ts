/** An answer as it is kept for repeats: status, the fields that stay true, and the body to the byte. */

import { Answer } from '../http/answer';
import { HeaderPairs } from '../http/headers';

export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** In base64. */
  readonly body: string;
}

/** What is as true the second time. Dates, cookies, caching and request ids are not. */
const KEPT_HEADERS = ['content-type', 'content-language', 'location', 'preference-applied'];

/** Reads the body of the answer to its end; give it a clone. */
export const keepAnswer = async (response: Response): Promise<KeptAnswer> => {
  const headers: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = response.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  const body = Buffer.from(await response.arrayBuffer()).toString('base64');
  return { status: response.status, headers, body };
};

/** The same answer again, marked as a repeat with `idempotent-replayed: true`. */
export const replayAnswer = ({ status, headers, body }: KeptAnswer): Response =>
  new Answer(
    body === '' ? null : Buffer.from(body, 'base64'),
    status,
    HeaderPairs.of({ ...headers, 'idempotent-replayed': 'true' }),
  ) as unknown as Response;
