/** What a member of a step's input is read from: the input of the run, or the answer of an earlier step. */
import { checkPointer, readPointer } from '../pointer';

/** Taken apart. */
export interface Reference {
  /** Whose answer. Absent: the input of the run. */
  readonly step?: string;
  /** JSON Pointer (RFC 6901) into it; the empty one is all of it. */
  readonly pointer: string;
}

/** What references read from. */
export interface Sources {
  /** Of the run. */
  readonly input: unknown;
  /** What was kept of a step's answer, by JSON Pointer to the letter; `undefined` while there is none. */
  readonly answers: (step: string) => Readonly<Record<string, unknown>> | undefined;
}

const OF_STEP = /^([a-z][a-z0-9-]{0,62})#(.*)$/s;

/** `/email` and `create-user#/id` taken apart; `undefined` when the text is neither. */
export const parseReference = (text: string): Reference | undefined => {
  const [, step, within = text] = OF_STEP.exec(text) ?? [];
  if (checkPointer(within) !== undefined) return undefined;
  return { ...(step !== undefined && { step }), pointer: within };
};

/** What is wrong with a reference; `undefined`: nothing. */
export const checkReference = (text: string): string | undefined => {
  const [, , within = text] = OF_STEP.exec(text) ?? [];
  const wrong = checkPointer(within);
  return wrong === undefined || within.startsWith('/')
    ? wrong
    : 'a reference is a JSON Pointer into the input, such as /email, or into the answer of a step, such as create-user#/id';
};

/**
 * What a reference finds; `undefined`: nothing. Of an answer only what was kept under this very pointer.
 * Throws a TypeError when it is not a reference.
 */
export const readReference = (text: string, { input, answers }: Sources): unknown => {
  const reference = parseReference(text);
  if (!reference) throw new TypeError(`not a reference: ${JSON.stringify(text)}`);
  const { step, pointer } = reference;
  if (step === undefined) return readPointer(input, pointer);
  const kept = answers(step);
  return kept && Object.hasOwn(kept, pointer) ? kept[pointer] : undefined;
};
