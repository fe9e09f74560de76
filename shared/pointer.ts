/** JSON Pointer (RFC 6901): reads own members and array elements, nothing inherited. */

/** Every token is empty or holds no bare `~`; a pointer that is not empty begins with a slash. */
const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;

/** What is wrong with a pointer; `undefined`: nothing. */
export const checkPointer = (text: string): string | undefined => {
  if (POINTER.test(text)) return undefined;
  return text.startsWith('/')
    ? 'in a JSON Pointer ~ is written ~0 (and / inside a name ~1)'
    : 'a JSON Pointer begins with /, such as /phoneNumber';
};

/** Its tokens, unescaped: none for the whole document. Throws a TypeError when it is not a pointer. */
export const pointerTokens = (pointer: string): readonly string[] => {
  if (checkPointer(pointer) !== undefined)
    throw new TypeError(`not a JSON Pointer: ${JSON.stringify(pointer)}`);
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
};

/** An index has no sign and no leading zero (section 4); `-`, the element behind the last, never exists. */
const INDEX = /^(?:0|[1-9]\d*)$/;

/** What the pointer finds in a JSON value; `undefined`: nothing. Throws a TypeError when it is not a pointer. */
export const readPointer = (value: unknown, pointer: string): unknown => {
  let found = value;
  for (const token of pointerTokens(pointer)) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, token))
      return undefined;
    if (Array.isArray(found) && !INDEX.test(token)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[token];
  }
  return found;
};
