/**
 * The language of a message: RFC 4647 section 3.4 (lookup), from the most to the least specific tag,
 * so `de-AT` finds `de`. What is unknown or no tag at all gets the first that is available.
 */
export const chooseLocale = <L extends string>(
  wanted: string | undefined,
  available: readonly [L, ...L[]],
): L => {
  const tags = (wanted ?? '').slice(0, MAX_TAG).toLowerCase().split(/[-_]/);
  for (let length = tags.length; length > 0; length--) {
    const tag = tags.slice(0, length).join('-');
    const found = available.find((locale) => locale.toLowerCase() === tag);
    if (found !== undefined) return found;
  }
  return available[0];
};

/** RFC 5646 section 4.4.1 asks for room for 35 characters. */
const MAX_TAG = 35;
