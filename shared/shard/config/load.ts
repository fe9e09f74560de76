/** The settings of shards as one JSON document: written in the variable itself, or in the file that it names. */
import type { Failure } from '../../failure';
import { parseJson } from '../../json';
import type { Files } from '../../platform';

/** The document, as it is. Throws a TypeError when it cannot be read, or is no JSON object. */
export const loadConfig = (source: string, files: Files | undefined): object => {
  const text = source.startsWith('{') ? source : textOf(source, files);
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (thrown) {
    throw new TypeError((thrown as Failure).message, { cause: thrown });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError('must be a JSON object');
  return value;
};

const textOf = (source: string, files: Files | undefined): string => {
  if (!files) throw new TypeError('there are no files here: it must be the JSON itself');
  return files.readNow(source);
};
