/** Which options a mode looks at. */
import type { Mode, Topology } from './topology';

export type Option = Exclude<keyof Topology, 'mode' | 'shards' | 'pins' | 'template' | 'replicas'>;

/** Changes when the same topology would place other keys than before, and with it every digest. */
export const FORM = 1;

const of = (...options: readonly Option[]): ReadonlySet<Option> => new Set(options);

export const USED: Readonly<Record<Mode, ReadonlySet<Option>>> = {
  'nginx-consistent': of(),
  'nginx-hash': of(),
  'twemproxy-ketama': of('hash', 'hashTag'),
  'twemproxy-modula': of('hash', 'hashTag'),
  'envoy-ring': of('hash', 'minimumRingSize', 'maximumRingSize'),
  'envoy-maglev': of('tableSize'),
  'haproxy-consistent': of('hash', 'avalanche'),
  jump: of('hash'),
  modulo: of('hash'),
  ordinal: of('hash'),
  lookup: of('table'),
  prefix: of('table'),
  range: of('table'),
  native: of(),
};

const ALL: readonly Option[] = [
  'hash',
  'avalanche',
  'hashTag',
  'minimumRingSize',
  'maximumRingSize',
  'tableSize',
  'table',
];

/** Those that are given for nothing; `template` and `replicas` too. */
export const unusedOptions = (topology: Topology): readonly string[] => [
  ...ALL.filter((name) => topology[name] !== undefined && !USED[topology.mode].has(name)),
  ...(['template', 'replicas'] as const).filter(
    (name) => topology[name] !== undefined && topology.mode !== 'ordinal',
  ),
];
