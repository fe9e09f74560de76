import fc from 'fast-check';

/** The text as UTF-8 can hold it: without lone surrogates. */
export const wellFormed = (text: string): string => Buffer.from(text).toString();

/** One change: at a place given as a part of the whole, so that shrinking the text leaves it where it was. */
type Change = (bytes: Buffer) => Buffer;

const at = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

const change = (snippets: readonly string[]): fc.Arbitrary<Change> => {
  const place = (bytes: Buffer, part: number) => Math.floor(part * (bytes.length + 1));
  return fc.oneof<fc.Arbitrary<Change>[]>(
    fc.tuple(at, fc.constantFrom(...snippets)).map(
      ([where, snippet]): Change =>
        (bytes) =>
          Buffer.concat([
            bytes.subarray(0, place(bytes, where)),
            Buffer.from(snippet),
            bytes.subarray(place(bytes, where)),
          ]),
    ),
    fc.tuple(at, at).map(
      ([one, other]): Change =>
        (bytes) => {
          const [from, to] = [
            place(bytes, Math.min(one, other)),
            place(bytes, Math.max(one, other)),
          ];
          return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
        },
    ),
    fc.tuple(at, at).map(
      ([one, other]): Change =>
        (bytes) => {
          const [from, to] = [
            place(bytes, Math.min(one, other)),
            place(bytes, Math.max(one, other)),
          ];
          return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
        },
    ),
    fc.tuple(at, fc.integer({ min: 0, max: 255 })).map(
      ([where, byte]): Change =>
        (bytes) => {
          const changed = Buffer.from(bytes);
          if (changed.length > 0) changed[Math.floor(where * changed.length)] = byte;
          return changed;
        },
    ),
  );
};

/** One of the seeds after up to `most` changes; among them the seed as it is. */
export const mutated = (
  seeds: readonly (string | Uint8Array)[],
  snippets: readonly string[],
  most = 4,
): fc.Arbitrary<Buffer> =>
  fc
    .tuple(fc.constantFrom(...seeds), fc.array(change(snippets), { maxLength: most }))
    .map(([seed, changes]) =>
      changes.reduce<Buffer>(
        (bytes, next) => next(bytes).subarray(0, 2_000_000),
        Buffer.from(seed as Uint8Array),
      ),
    );

/** What breaks parsers of JSON, of URLs, of headers. */
export const JSON_SNIPPETS = [
  '"__proto__":{"admin":true},',
  '"constructor":{"prototype":{}},',
  '"toString":1,',
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '\\',
  '\\u0000',
  '\\ud800',
  'null',
  '1e400',
  '-0',
  '12345678901234567890',
  '\u0000',
  '\ufeff',
  '\u2028',
  '\r\n',
  '['.repeat(40),
  '{"a":'.repeat(40),
  'x'.repeat(70_000),
];
