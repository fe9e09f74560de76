/** What a Redis server, or the way to it, may refuse; each is `store_unavailable`, the cause for the log only. */
import { Failure } from '../failure';

/** By the code that an error reply begins with; older servers quote it from inside a script. */
const DETAILS: readonly (readonly [RegExp, string])[] = [
  [/\bOOM\b/, 'The server has no memory left.'],
  [/\bREADONLY\b/, 'The server is a read-only replica.'],
  [/\bLOADING\b/, 'The server is loading its data.'],
  [/\bMISCONF\b/, 'The server cannot write to its disk.'],
  [/\b(?:WRONGPASS|NOAUTH)\b/, 'The server refuses the credentials.'],
  // So Redis 7.0 says it from inside a script.
  [
    /\bNOPERM\b|The user executing the script can't/,
    'The server does not let this user do what the store needs.',
  ],
  [/\bWRONGTYPE\b/, 'Something else is in the place of the store.'],
];

export const unavailable = (cause: unknown): Failure => {
  if (cause instanceof Failure) return cause;
  const message = cause instanceof Error ? cause.message : '';
  const [, detail] = DETAILS.find(([code]) => code.test(message)) ?? [];
  return new Failure('store_unavailable', { detail, cause });
};

export const closedFailure = (): Failure =>
  new Failure('store_unavailable', { detail: 'The store is closed.' });
