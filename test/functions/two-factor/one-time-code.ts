/** Reads a message as browsers do: WICG sms-one-time-codes, section "Parsing", step by step. */

export interface OneTimeCode {
  readonly topLevelOrigin: string;
  readonly embeddedOrigin: string | undefined;
  readonly code: string;
}

/** `undefined`: failure. */
export const parseOneTimeCode = (message: string): OneTimeCode | undefined => {
  const line = lastLine(message);
  const at = { position: 0 };
  const host = markedToken(line, at, '@');
  if (host === undefined) return undefined;
  if (line[at.position] !== ' ') return undefined;
  at.position += 1;
  const code = markedToken(line, at, '#');
  if (code === undefined) return undefined;
  let embedded: string | undefined;
  if (line[at.position] === ' ') {
    at.position += 1;
    embedded = markedToken(line, at, '%');
  }
  return {
    topLevelOrigin: `https://${host}`,
    embeddedOrigin: embedded === undefined ? undefined : `https://${embedded}`,
    code,
  };
};

const lastLine = (text: string): string =>
  text.replace(/\r\n?/g, '\n').split('\n').at(-1) as string;

const markedToken = (
  text: string,
  at: { position: number },
  marker: string,
): string | undefined => {
  if (text[at.position] !== marker) return undefined;
  at.position += 1;
  const start = at.position;
  while (at.position < text.length && !'\t\n\f\r '.includes(text[at.position] as string))
    at.position += 1;
  return at.position === start ? undefined : text.slice(start, at.position);
};
