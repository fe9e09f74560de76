/** Requests in a text, by the letter of RFC 9112: whatever bends a rule is not one. */

export interface Message {
  readonly line: string;
  /** Names in lower case, in their order. */
  readonly fields: readonly (readonly [string, string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
}

export interface Messages {
  readonly messages: readonly Message[];
  /** What is not part of a whole one. */
  readonly rest: string;
}

const LINE = /^[A-Z]+ \/[\x21-\x7e\x80-\xff]* HTTP\/1\.1$/;
const FIELD =
  /^([\w!#$%&'*+.^`|~-]+): ?((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)$/;

export const readMessages = (text: string): Messages => {
  const messages: Message[] = [];
  let rest = text;
  for (;;) {
    const found = readMessage(rest);
    if (!found) return { messages, rest };
    messages.push(found.message);
    rest = found.rest;
  }
};

const readMessage = (text: string): { message: Message; rest: string } | undefined => {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  const fields = readFields(lines);
  const value = (name: string) => fields?.filter(([field]) => field === name) ?? [];
  const lengths = value('content-length');
  const codings = value('transfer-encoding');
  if (!LINE.test(line) || !fields || value('host').length !== 1) return undefined;
  if (lengths.length + codings.length > 1) return undefined;
  const rest = text.slice(end + 4);
  if (codings.length > 0)
    return codings[0]?.[1] === 'chunked' ? readChunks(line, fields, rest) : undefined;
  const length = lengths[0]?.[1] ?? '0';
  if (!/^(?:0|[1-9]\d*)$/.test(length) || rest.length < Number(length)) return undefined;
  const body = rest.slice(0, Number(length));
  return { message: { line, fields, body, trailers: [] }, rest: rest.slice(body.length) };
};

const readFields = (lines: readonly string[]): [string, string][] | undefined => {
  const fields: [string, string][] = [];
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    fields.push([name.toLowerCase(), value]);
  }
  return fields;
};

const readChunks = (line: string, fields: Message['fields'], text: string) => {
  let body = '';
  let rest = text;
  for (;;) {
    const [head, size = ''] = /^([\da-f]+)\r\n/.exec(rest) ?? [];
    if (head === undefined) return undefined;
    const length = Number.parseInt(size, 16);
    rest = rest.slice(head.length);
    if (length === 0) break;
    if (rest.slice(length, length + 2) !== '\r\n') return undefined;
    body += rest.slice(0, length);
    rest = rest.slice(length + 2);
  }
  if (rest.startsWith('\r\n'))
    return { message: { line, fields, body, trailers: [] }, rest: rest.slice(2) };
  const end = rest.indexOf('\r\n\r\n');
  const trailers = end < 0 ? undefined : readFields(rest.slice(0, end).split('\r\n'));
  if (!trailers) return undefined;
  return { message: { line, fields, body, trailers }, rest: rest.slice(end + 4) };
};
