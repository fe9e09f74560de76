/** Whether what came is what the docs promise. Complaints; none: it is. */
import { readPointer } from '../../shared/pointer';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** `expected`: a status, then `/pointer=value` for what of the JSON matters. Without it anything below 400 is fine. */
export const expectAnswer = ({ status, body }: Answer, expected?: string): readonly string[] => {
  const [, code, rest = ''] = /^(\d{3})(.*)$/.exec(expected ?? '') ?? [];
  if (expected !== undefined && code === undefined)
    return [`a curl cannot be expected to ${expected}`];
  if (code === undefined ? status === 0 || status >= 400 : status !== Number(code))
    return [`answered ${status}${code ? `, not ${code}` : ''}: ${body}`];
  return [...rest.matchAll(/(\/\S*?)=("[^"]*"|\S+)/g)].flatMap(([, pointer = '', text = '']) => {
    const found = at(body, pointer);
    const value = text.replace(/^"|"$/g, '');
    return String(found) === value ? [] : [`${pointer} is ${JSON.stringify(found)}, not ${value}`];
  });
};

const at = (body: string, pointer: string): unknown => {
  try {
    return readPointer(JSON.parse(body), pointer);
  } catch {
    return undefined;
  }
};

/** Each line of the text is a line of the output. */
export const expectOutput = (text: string, output: string): readonly string[] => {
  const lines = output.split('\n').map((line) => line.trim());
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !lines.includes(line))
    .map((line) => `the output has no line ${JSON.stringify(line)}: ${output}`);
};

/** Every member of `part` is in `whole` with the same value, at every depth. */
export const includes = (whole: unknown, part: unknown): boolean =>
  typeof part === 'object' && part !== null
    ? typeof whole === 'object' &&
      whole !== null &&
      Object.entries(part).every(([key, value]) =>
        includes((whole as Readonly<Record<string, unknown>>)[key], value),
      )
    : whole === part;
