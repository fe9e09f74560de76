/** What of an answer is recorded: what a reader of the run may see, and what other steps read. */
import { pointerTokens, readPointer } from '../pointer';
import type { Step } from './pipeline';

/** Bytes of JSON that a step's answer may take in the journal: what is exposed and what is kept, each. */
export const MAX_KEPT = 4_096;

/**
 * The part of an answer that a reader of the run may see, nested as in the answer: `/challenge` gives
 * `{ challenge }`, `/items/0/id` gives `{ items: { 0: { id } } }`, and the empty pointer all of it.
 * `undefined` when nothing is exposed or found, or when it is more than `MAX_KEPT`.
 */
export const exposed = ({ expose }: Pick<Step, 'expose'>, answer: unknown): unknown => {
  const shown = expose
    // `/a` holds `/a/b` already.
    .filter((pointer) => !expose.some((outer) => pointer.startsWith(`${outer}/`)))
    .map((pointer) => [pointer, readPointer(answer, pointer)] as const)
    .filter(([, value]) => value !== undefined)
    .reduce<unknown>(
      (whole, [pointer, value]) => place(whole, pointerTokens(pointer), value),
      undefined,
    );
  return fits(shown) ? shown : undefined;
};

/** What other steps read of an answer, by pointer; `undefined` when there is nothing, or more than `MAX_KEPT`. */
export const kept = (
  { keep }: Pick<Step, 'keep'>,
  answer: unknown,
): Readonly<Record<string, unknown>> | undefined => {
  const found = keep
    .map((pointer) => [pointer, readPointer(answer, pointer)] as const)
    .filter(([, value]) => value !== undefined);
  if (found.length === 0) return undefined;
  const values = Object.fromEntries(found);
  return fits(values) ? values : undefined;
};

const fits = (value: unknown): boolean =>
  value === undefined || Buffer.byteLength(JSON.stringify(value)) <= MAX_KEPT;

/** A computed name is always an own member, `__proto__` too. */
const place = (shown: unknown, [token, ...rest]: readonly string[], value: unknown): unknown => {
  if (token === undefined) return value;
  const members = (shown ?? {}) as Readonly<Record<string, unknown>>;
  const inner = Object.hasOwn(members, token) ? members[token] : undefined;
  return { ...members, [token]: place(inner, rest, value) };
};
