/** Defaults: what a topology means where it says nothing. */
import type { Mode, Shard, ShardInput, Topology, TopologyInput } from './topology';

/** What is the same whether it is said or not is always said: two that place alike have one digest. */
const DEFAULTS: Partial<Record<Mode, Partial<Topology>>> = {
  'twemproxy-ketama': { hash: 'fnv1a_64' },
  'twemproxy-modula': { hash: 'fnv1a_64' },
  'envoy-ring': { hash: 'xx_hash', minimumRingSize: 1024, maximumRingSize: 8_388_608 },
  'envoy-maglev': { tableSize: 65_537 },
};

/** Nothing is checked here. */
export const complete = ({ $schema: _, shards, ...rest }: TopologyInput): Topology => {
  const given = shards ?? [];
  const { mode, template, replicas } = rest;
  const isMade = mode === 'ordinal' && given.length === 0 && template !== undefined;
  return {
    ...DEFAULTS[mode],
    ...(mode === 'haproxy-consistent' && { hash: 'sdbm', avalanche: rest.hash === undefined }),
    ...rest,
    shards: (isMade ? replicasOf(template, replicas ?? 0) : given).map(completeShard),
  };
};

/** By their numbers, from 0. */
export const replicasOf = (template: string, replicas: number): readonly ShardInput[] =>
  Array.from({ length: replicas }, (_, n) => ({ address: template.replaceAll('{n}', `${n}`) }));

const completeShard = ({ address, name, weight, id, urls, down, ejected }: ShardInput): Shard => ({
  address,
  name: name ?? address,
  weight: weight ?? 1,
  ...(id !== undefined && { id }),
  ...(urls !== undefined && { urls }),
  down: down ?? false,
  ejected: ejected ?? false,
});
