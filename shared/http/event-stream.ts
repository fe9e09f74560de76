/** Event streams (WHATWG HTML section 9.2) that end before their time, alike on all hosts. */

/** By the field Content-Type. */
export const isEventStream = (contentType: string | null | undefined): boolean =>
  /^\s*text\/event-stream\s*(?:;|$)/i.test(contentType ?? '');

const LF = 0x0a;
const CR = 0x0d;

/**
 * What is sent before such an end, so that the client comes again after `retry` ms. The line that was cut off is ended
 * first; its event is thrown away by the client, as it lacks its blank line.
 *
 * `lastByte`: the last one that was sent; `undefined`: none was. Not for a stream in a content coding, which would break.
 */
export const farewellOf = (lastByte: number | undefined, retry: number | undefined): string => {
  if (retry === undefined) return '';
  const isAtLineStart = lastByte === undefined || lastByte === LF || lastByte === CR;
  return `${isAtLineStart ? '' : '\n'}retry: ${Math.max(0, Math.round(retry))}\n`;
};
