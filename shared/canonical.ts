/** JSON in one form: equal values give equal texts, whatever the order of their members. */

/** Members sorted by their names' UTF-16 units, no space, numbers as ECMAScript writes them (RFC 8785 section 3.2). */
export const canonicalJson = (value: unknown): string => JSON.stringify(sorted(value));

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  // A pair list keeps `__proto__` an own member; integer-like names come first either way, in the same order.
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
};
