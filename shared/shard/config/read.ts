/**
 * The settings that everyone who places requests has in common: the topology, where its members come from, where the key
 * is in a request, and what becomes of one that has none. One file serves routers and the decorators of shards, so that
 * both hash the same bytes into the same table.
 *
 * Fails closed: with a mistake there are no settings.
 */
import type { InputError } from '../../failure';
import { checkKeySource } from '../key/check';
import type { KeySource } from '../key/key';
import { checkMembersSource } from '../members/check';
import type { MembersSource } from '../members/source';
import { readTopology } from '../read';
import { TOPOLOGY_SCHEMA } from '../schema';
import type { TopologyInput } from '../topology';
import { pointerToken } from '../validate';
import { checkMissing, type MissingPolicy } from './missing';

/** What only routers read; whoever else reads the file leaves these to them. */
export const ROUTER_MEMBERS = [
  'onDown',
  'retryFor',
  'answer',
  'ttl',
  'bound',
  'health',
  'timeout',
  'streams',
] as const;

export type RouterMember = (typeof ROUTER_MEMBERS)[number];

export interface ShardConfig {
  /** Without live members none or those of before the first answer, which nobody uses. */
  readonly topology: TopologyInput;
  readonly key: KeySource;
  /** @default 'reject' */
  readonly missing: MissingPolicy;
  /** @default { from: 'static' } */
  readonly members: MembersSource;
}

export type ReadShardConfig =
  | {
      readonly config: ShardConfig;
      /** What the file has for routers, as it is. */
      readonly router: Readonly<Partial<Record<RouterMember, unknown>>>;
    }
  | { readonly mistakes: readonly InputError[] };

const OWN = ['key', 'missing', 'members'] as const;
const TOPOLOGY = Object.keys(TOPOLOGY_SCHEMA.properties);

/** All mistakes at once, each with its JSON Pointer; those of the routers' own members are for them to find. */
export const readShardConfig = (value: object): ReadShardConfig => {
  const { key, missing = 'reject', members = { from: 'static' } } = value as Partial<ShardConfig>;
  const topology = pick(value, TOPOLOGY) as unknown as TopologyInput;
  const mistakes = [
    ...unknownMembers(value),
    ...mistakesOf(topology, (members as MembersSource | null)?.from === 'static'),
    ...(key === undefined
      ? [{ pointer: '/key', message: 'is required' }]
      : checkKeySource(key, '/key')),
    ...checkMissing(missing, '/missing'),
    ...checkMembersSource(members, '/members'),
  ];
  if (mistakes.length > 0) return { mistakes };
  return {
    config: { topology, key: key as KeySource, missing, members },
    router: pick(value, ROUTER_MEMBERS),
  };
};

const unknownMembers = (value: object): readonly InputError[] => {
  const known: ReadonlySet<string> = new Set([...TOPOLOGY, ...OWN, ...ROUTER_MEMBERS]);
  return Object.keys(value)
    .filter((name) => !known.has(name))
    .map((name) => ({ pointer: `/${pointerToken(name)}`, message: 'is not known here' }));
};

const pick = (value: object, names: readonly string[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(value).filter(([name]) => names.includes(name)));

/** What comes with the members can only be checked when they are there. */
const LIVE = /^\/(?:shards|pins|table|template|replicas)(?:\/|$)/;

const mistakesOf = (topology: TopologyInput, isStatic: boolean): readonly InputError[] => {
  const isWhole = isStatic || topology.shards !== undefined;
  const read = readTopology(
    isWhole ? topology : { ...topology, shards: [{ address: 'none.invalid' }] },
  );
  if (!('mistakes' in read)) return [];
  return isWhole ? read.mistakes : read.mistakes.filter(({ pointer }) => !LIVE.test(pointer));
};

/** The mistakes as one message, a line each. */
export const explainConfig = (mistakes: readonly InputError[]): string =>
  `cannot be used:\n${mistakes.map(({ pointer, message }) => `  ${pointer || '/'} ${message}`).join('\n')}`;
