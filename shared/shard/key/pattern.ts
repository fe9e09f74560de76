/**
 * Patterns that take a key out of a path. Whoever sends a path must not be able to keep us busy with it: a pattern that
 * could take more than quadratic time is refused at start, and what is matched is bounded by what the pattern may cost.
 *
 * As in PCRE without UTF, one character is a byte: beyond ASCII a pattern stands for its UTF-8.
 */

import { octetsOf } from './octets';
import { choicesOf, Unbounded } from './pattern-cost';
import { isAnchored, parsePattern, Untaken } from './pattern-syntax';

/** UTF-16 units of a pattern. */
export const MAX_PATTERN = 512;
/** Bytes that are matched, where the time is that of their number; a longer path has no key. */
const MAX_LINEAR = 8192;
/** The same, where it may be the square of it. */
const MAX_QUADRATIC = 2048;

/** What is wrong with a pattern; `undefined`: nothing. */
export const checkPattern = (pattern: string): string | undefined => {
  try {
    costOf(octetsOf(pattern));
    return undefined;
  } catch (thrown) {
    if (thrown instanceof Unbounded || thrown instanceof Untaken) return thrown.message;
    throw thrown;
  }
};

/** Gives what the first group finds, or `undefined`. Throws for a pattern that is not taken. */
export const compilePattern = (pattern: string): ((octets: string) => string | undefined) => {
  const source = octetsOf(pattern);
  const longest = costOf(source) === 'linear' ? MAX_LINEAR : MAX_QUADRATIC;
  const compiled = new RegExp(source);
  return (octets) => (octets.length > longest ? undefined : compiled.exec(octets)?.[1]);
};

const costOf = (source: string): 'linear' | 'quadratic' => {
  if (source.length > MAX_PATTERN)
    throw new Untaken(`must NOT have more than ${MAX_PATTERN} bytes`);
  try {
    new RegExp(source);
  } catch {
    throw new Untaken('is no regular expression');
  }
  const { node, groups } = parsePattern(source);
  if (groups === 0) throw new Untaken('must have a group, such as ([^/]+): that is the key');
  const factors = choicesOf(node) + (isAnchored(node) ? 0 : 1);
  if (factors > 1)
    throw new Unbounded(
      'could take too long: begin it with ^, and let what repeats end where it cannot go on, such as [^/]+/',
    );
  return factors === 0 ? 'linear' : 'quadratic';
};
