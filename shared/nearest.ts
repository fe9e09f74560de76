/** "Did you mean": the known word that a mistyped one is closest to. */

/** `undefined` when none is near: a third of the letters may differ, or one of a short word, but never all. */
export const nearest = (word: string, known: Iterable<string>): string | undefined => {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    // Lengths alone bound the distance from below, so a very long word costs nothing.
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const distance = editDistance(word, candidate);
    if (distance < least && distance < word.length) [best, least] = [candidate, distance];
  }
  return best;
};

/**
 * A sentence to put behind a message; empty when nothing is near. What is known may itself come from a file: a name with
 * a control character in it, or one that turns the writing around, is no advice.
 */
export const didYouMean = (word: string, known: Iterable<string>): string => {
  const candidate = nearest(
    word,
    [...known].filter((name) => !/[\p{C}\p{Zl}\p{Zp}]/u.test(name)),
  );
  return candidate === undefined ? '' : `; did you mean ${candidate}?`;
};

/** Levenshtein, row by row. */
const editDistance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const below = [i];
    for (let j = 1; j <= b.length; j += 1)
      below.push(
        Math.min(
          (row[j] as number) + 1,
          (below[j - 1] as number) + 1,
          (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      );
    row = below;
  }
  return row[b.length] as number;
};
