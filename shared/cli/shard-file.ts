/** Files of a shard command: read, checked, and what is wrong with them told, all at once. */
import type { ShardConfig } from '../shard/config/read';
import type { Warning } from '../shard/placer';
import { type ShardTable, shardTable } from '../shard/table';
import type { Topology } from '../shard/topology';
import { UnusableInput, UsageError } from './flags';
import { readText } from './input';
import type { FullIo } from './io';
import { type Described, type FileMistake, readConfigFile } from './shard-config';
import { oneLine, showJson } from './text';

export interface LoadedTable {
  readonly file: string;
  readonly topology: Topology;
  readonly table: ShardTable;
  /** `undefined`: the file is a topology alone. */
  readonly config: ShardConfig | undefined;
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
  const found: (Described & { readonly file: string })[] = [];
  for (const file of files) {
    const read = await readConfigFile(file, (name) => readFile(name, io));
    if ('mistakes' in read) mistakes.push(...read.mistakes);
    else found.push({ file, ...read });
  }
  if (mistakes.length > 0) {
    if (json) io.stdout(`${showJson({ valid: false, errors: mistakes })}\n`);
    else io.stderr(mistakes.map(explain).join(''));
    return undefined;
  }
  return found.map(({ file, topology, epoch, config, warnings }) => {
    const table = shardTable(topology, { epoch });
    for (const { code, message } of [...warnings, ...table.warnings] as readonly Warning[])
      io.stderr(`${oneLine(`${file}: warning ${code}: ${message}`)}\n`);
    return { file, topology, table, config };
  });
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
