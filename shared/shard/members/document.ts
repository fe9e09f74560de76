/**
 * Members as a file or an entry of the store holds them: in a topology they take the place of what has the same name.
 * Fails closed: with a mistake there are none.
 */
import type { InputError } from '../../failure';
import { complete } from '../complete';
import { readTopology } from '../read';
import { TOPOLOGY_SCHEMA } from '../schema';
import type { Shard, Topology, TopologyInput } from '../topology';
import { type PlainSchema, validate } from '../validate';

/** What changes while a router runs; all else of a topology stays what the configuration says. */
export interface MembersInput {
  readonly shards: NonNullable<TopologyInput['shards']>;
  /** @default those of the configuration */
  readonly pins?: NonNullable<Topology['pins']>;
  /** @default that of the configuration */
  readonly table?: NonNullable<Topology['table']>;
  /** For editors. */
  readonly $schema?: string;
}

/** A file has no version, so whoever writes it may number it. */
export interface MembersFile extends MembersInput {
  /** Which of the tables that follow each other it is: a whole number that only grows. @default 0 */
  readonly epoch?: number;
}

const { $schema, shards, pins, table } = TOPOLOGY_SCHEMA.properties;

/** The JSON Schema (draft 7) of an entry of the store. */
export const MEMBERS_ENTRY_SCHEMA = {
  $schema: TOPOLOGY_SCHEMA.$schema,
  title: 'The members of a topology of shards',
  type: 'object',
  required: ['shards'],
  additionalProperties: false,
  properties: { $schema, shards, pins, table },
} as const;

/** The JSON Schema (draft 7) of a file. */
export const MEMBERS_FILE_SCHEMA = {
  ...MEMBERS_ENTRY_SCHEMA,
  properties: {
    ...MEMBERS_ENTRY_SCHEMA.properties,
    epoch: {
      type: 'integer',
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Which of the tables that follow each other it is. Default 0.',
    },
  },
} as const;

export type ReadMembers =
  | { readonly topology: TopologyInput; readonly epoch: number }
  | { readonly mistakes: readonly InputError[] };

/** What whoever uses the shards cannot do with them, such as reach one; each with its pointer. */
export type CheckShards = (shards: readonly Shard[]) => Iterable<InputError>;

/** The same, or the mistakes that `check` finds in its shards. */
export const checked = (read: ReadMembers, check: CheckShards | undefined): ReadMembers => {
  if ('mistakes' in read || !check) return read;
  const mistakes = [...check(complete(read.topology).shards)];
  return mistakes.length > 0 ? { mistakes } : read;
};

/** The topology that these members make, and the epoch that a file has; all mistakes at once, each with its pointer. */
export const readMembersDocument = (
  topology: TopologyInput,
  value: unknown,
  schema: PlainSchema = MEMBERS_ENTRY_SCHEMA,
): ReadMembers => {
  const wrong = validate(schema, value);
  if (wrong.length > 0) return { mistakes: wrong };
  const { $schema: _, epoch = 0, ...members } = value as MembersFile;
  const whole = { ...topology, ...members };
  const read = readTopology(whole);
  return 'mistakes' in read ? read : { topology: whole, epoch };
};
