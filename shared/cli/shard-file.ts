/** Topology files of a command: read, checked, and what is wrong with them told, all at once. */
import { Failure } from '../failure';
import { parseJson } from '../json';
import type { Warning } from '../shard/placer';
import { readTopology } from '../shard/read';
import { type ShardTable, shardTable } from '../shard/table';
import type { Topology } from '../shard/topology';
import { UnusableInput, UsageError } from './flags';
import { readText } from './input';
import type { FullIo } from './io';
import { oneLine, showJson } from './text';

export interface LoadedTable {
  readonly file: string;
  readonly topology: Topology;
  readonly table: ShardTable;
}

interface FileMistake {
  readonly file: string;
  /** Into the file (RFC 6901); the empty one is all of it. */
  readonly pointer: string;
  readonly message: string;
}

/** Of a lookup table with a million keys. */
const LARGEST = 64 * 2 ** 20;

/** Throws a UsageError when it is not given. */
export const configFile = (file: string | undefined): string => {
  if (file === undefined) throw new UsageError('--config FILE is missing');
  return file;
};

/**
 * The tables in the order of the files, once their warnings are told on stderr; or `undefined` once the mistakes are:
 * on stderr a line each, with `json` on stdout. Throws an UnusableInput for a file that cannot be read.
 */
export const loadTables = async (
  files: readonly string[],
  io: FullIo,
  { json }: { readonly json: boolean },
): Promise<readonly LoadedTable[] | undefined> => {
  const mistakes: FileMistake[] = [];
  const topologies: Topology[] = [];
  for (const file of files) {
    const read = check(await readFile(file, io));
    if ('topology' in read) topologies.push(read.topology);
    else mistakes.push(...read.mistakes.map((mistake) => ({ file, ...mistake })));
  }
  if (mistakes.length > 0) {
    if (json) io.stdout(`${showJson({ valid: false, errors: mistakes })}\n`);
    else io.stderr(mistakes.map(explain).join(''));
    return undefined;
  }
  const loaded = topologies.map((topology, i) => ({
    file: files[i] as string,
    topology,
    table: shardTable(topology),
  }));
  for (const { file, table } of loaded)
    for (const { code, message } of table.warnings as readonly Warning[])
      io.stderr(`${oneLine(`${file}: warning ${code}: ${message}`)}\n`);
  return loaded;
};

const check = (text: string): ReturnType<typeof readTopology> => {
  try {
    return readTopology(parseJson(text));
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    return { mistakes: [{ pointer: '', message: thrown.message }] };
  }
};

const readFile = async (file: string, io: FullIo): Promise<string> => {
  if (file === '-') throw new UsageError('a topology is a file: stdin is for keys');
  let text = '';
  for await (const part of readText(file, io)) {
    text += part;
    if (text.length > LARGEST)
      throw new UnusableInput(`${oneLine(file)} is larger than ${LARGEST} bytes`);
  }
  return text;
};

const explain = ({ file, pointer, message }: FileMistake): string =>
  `${oneLine(`${file}: ${pointer === '' ? '' : `${pointer} `}${message}`)}\n`;
