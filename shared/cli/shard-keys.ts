/** Keys as they come, a line each, in lots: millions of lines want no promise each, and no more memory than a few. */
import { Failure } from '../failure';
import { MAX_BODY } from '../http/body';
import { parseJson } from '../json';
import { UnusableInput } from './flags';
import { nameOf, readText } from './input';
import type { FullIo } from './io';

/** A line that is no key. */
export interface NoKey {
  /** The first is 1. */
  readonly line: number;
  readonly error: { readonly code: 'invalid_json' | 'invalid_key'; readonly detail: string };
}

export interface KeyOptions {
  /** Each line is a key as it stands, the empty one too; else it is JSON, `{ "key": "…" }`, and blank lines count for nothing. */
  readonly lines: boolean;
}

/**
 * In the order of the lines, until the command is to end. Lines end with LF or CRLF. Throws an UnusableInput for what
 * cannot be read, and for a line that is larger than a key can be.
 */
export async function* readKeys(
  source: string,
  { lines: isPlain }: KeyOptions,
  io: FullIo,
): AsyncGenerator<readonly (string | NoKey)[]> {
  let rest = '';
  let number = 0;
  const read = (lines: readonly string[]): readonly (string | NoKey)[] => {
    const keys: (string | NoKey)[] = [];
    for (const line of lines) {
      number += 1;
      const text = line.endsWith('\r') ? line.slice(0, -1) : line;
      if (isPlain) keys.push(text);
      else if (text.trim() !== '') keys.push(USUAL.exec(text)?.[1] ?? keyOf(text, number));
    }
    return keys;
  };
  for await (const chunk of readText(source, io)) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_BODY)
      throw new UnusableInput(
        `line ${number + lines.length + 1} of ${nameOf(source)} is larger than ${MAX_BODY} bytes`,
      );
    if (lines.length > 0) yield read(lines);
  }
  if (rest !== '' && !io.signal.aborted) yield read([rest]);
}

/** What needs no parser, as it says the same to all: nothing escaped, no other member. */
const USUAL = /^\{ ?"key": ?"([ !#-[\]-~]*)" ?\}$/;

const keyOf = (text: string, line: number): string | NoKey => {
  try {
    const value = parseJson(text) as { readonly key?: unknown } | null;
    if (typeof value === 'object' && value !== null && typeof value.key === 'string')
      return value.key;
    return { line, error: { code: 'invalid_key', detail: 'must be an object with a text, key' } };
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    return { line, error: { code: 'invalid_json', detail: thrown.message } };
  }
};
