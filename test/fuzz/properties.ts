/** What no answer may be, whatever was asked. */
import os from 'node:os';
import path from 'node:path';
import { asFailure } from '../../shared/failure';
import { problem } from '../../shared/http/response';
import { PATIENCE } from './settings';

const ROOT = path.resolve(__dirname, '../..');
const LEAKS: readonly (readonly [string, RegExp | string])[] = [
  ['a stack', /\n\s+at .*[:(]/],
  ['a path of the sources', ROOT],
  ['a path of the data', os.tmpdir() + path.sep],
  ['a path of a package', 'node_modules'],
  ['a place in a file', /[\w-]+\.(?:ts|[cm]?js):\d+/],
];

/** What the text tells that it must not; `undefined`: nothing. */
export const leakIn = (text: string): string | undefined =>
  LEAKS.find(([, leak]) => (typeof leak === 'string' ? text.includes(leak) : leak.test(text)))?.[0];

/** Rejects when the work has not settled in time. */
export const inTime = async <T>(work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not settled in ${PATIENCE} ms`)), PATIENCE);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};

/** The answer or, of what was thrown, the problem that a host makes of it; throws when neither comes in time. */
export const settle = (ask: () => Response | Promise<Response>): Promise<Response> =>
  inTime(
    (async () => ask())().catch((thrown: unknown) => {
      const failure = asFailure(thrown);
      if (failure.status === 500) throw new Error('not a failure', { cause: failure.cause });
      return problem(failure, 'request-1');
    }),
  );

/** Throws with what is wrong with the answer. `pages`: whether a page of HTML may refuse, too. */
export const checkAnswer = async (
  response: Response,
  { pages }: { readonly pages: boolean },
): Promise<void> => {
  const { status, headers } = response;
  const text = await response.text();
  const told = `${status} ${[...headers.entries()].join(' ')} ${text}`;
  const leak = leakIn(told);
  if (leak !== undefined) throw new Error(`the answer tells ${leak}: ${told.slice(0, 500)}`);
  if (status === 500) throw new Error(`a 500: ${told.slice(0, 500)}`);
  if (status < 400) return;
  const type = headers.get('content-type') ?? '';
  if (pages && /^text\/html\b/.test(type)) return;
  if (type !== 'application/problem+json') throw new Error(`no problem: ${told.slice(0, 500)}`);
  const body = JSON.parse(text) as Record<string, unknown>;
  const { code, detail, title, ...rest } = body;
  if (body.status !== status || ![code, detail, title].every((part) => typeof part === 'string'))
    throw new Error(`not a whole problem: ${text.slice(0, 500)}`);
  const unknown = Object.keys(rest).filter(
    (name) => !['type', 'status', 'instance', 'errors'].includes(name),
  );
  if (unknown.length > 0) throw new Error(`a problem with ${unknown.join(', ')}`);
};
