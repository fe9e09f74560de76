/**
 * What a file of a shard command says: a topology alone, or the settings of a router, of which a command looks at the
 * topology, the members and the key. What only routers read stays unread here.
 *
 * Fails closed: with a mistake there is nothing, and members that only a running router sees are not made up.
 */
import { Failure, type InputError } from '../failure';
import { parseJson } from '../json';
import { ROUTER_MEMBERS, readShardConfig, type ShardConfig } from '../shard/config/read';
import { MEMBERS_FILE_SCHEMA, readMembersDocument } from '../shard/members/document';
import type { Warning } from '../shard/placer';
import { readTopology } from '../shard/read';
import type { Topology } from '../shard/topology';

export interface FileMistake extends Pick<InputError, 'pointer' | 'message'> {
  readonly file: string;
}

export interface Described {
  readonly topology: Topology;
  readonly epoch: number;
  /** `undefined`: it is a topology alone. */
  readonly config: ShardConfig | undefined;
  /** What this command sees otherwise than a router does. */
  readonly warnings: readonly Warning[];
}

export type ReadConfigFile = Described | { readonly mistakes: readonly FileMistake[] };

/** `read` gives the text of another file that this one names. */
export const readConfigFile = async (
  file: string,
  read: (file: string) => Promise<string>,
): Promise<ReadConfigFile> => {
  const found = parse(await read(file));
  if ('mistakes' in found) return inFile(file, found.mistakes);
  if (!isConfig(found.value)) return described(file, readTopology(found.value));
  const settings = readShardConfig(found.value);
  if ('mistakes' in settings) return inFile(file, settings.mistakes);
  const { config } = settings;
  const { members, topology } = config;
  if (members.from === 'static') return described(file, readTopology(topology), { config });
  if (members.from === 'file') {
    const { path } = members;
    const document = parse(await read(path));
    if ('mistakes' in document) return inFile(path, document.mistakes);
    const whole = readMembersDocument(topology, document.value, MEMBERS_FILE_SCHEMA);
    if ('mistakes' in whole) return inFile(path, whole.mistakes);
    return described(path, readTopology(whole.topology), { config, epoch: whole.epoch });
  }
  if (topology.shards === undefined && topology.template === undefined)
    return inFile(file, [
      {
        pointer: '/shards',
        message: `is required here: members from ${members.from} are not asked`,
      },
    ]);
  const code = 'members_listed';
  const message = `The shards listed here stand for the members from ${members.from}, which are not asked.`;
  return described(file, readTopology(topology), { config, warnings: [{ code, message }] });
};

const BESIDE: ReadonlySet<string> = new Set(['key', 'missing', 'members', ...ROUTER_MEMBERS]);

const isConfig = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.keys(value).some((name) => BESIDE.has(name));

const described = (
  file: string,
  read: { readonly topology: Topology } | { readonly mistakes: readonly InputError[] },
  { config, epoch = 0, warnings = [] }: Partial<Omit<Described, 'topology'>> = {},
): ReadConfigFile =>
  'mistakes' in read
    ? inFile(file, read.mistakes)
    : { topology: read.topology, epoch, config, warnings };

const inFile = (file: string, mistakes: readonly InputError[]): ReadConfigFile => ({
  mistakes: mistakes.map(({ pointer, message }) => ({ file, pointer, message })),
});

const parse = (
  text: string,
): { readonly value: unknown } | { readonly mistakes: readonly InputError[] } => {
  try {
    return { value: parseJson(text) };
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    return { mistakes: [{ pointer: '', message: thrown.message }] };
  }
};
