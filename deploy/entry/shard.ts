/** `require('faas-patterns/shard')`: the placement of the shard router for its clients, on Node and at the edge. */
export type { Explanation } from '../../shared/shard/explain';
export type { Warning } from '../../shared/shard/placer';
export { InvalidTopology } from '../../shared/shard/read';
export { TOPOLOGY_SCHEMA } from '../../shared/shard/schema';
export { type ShardTable, type ShardTableOptions, shardTable } from '../../shared/shard/table';
export type { Mode, Range, Shard, ShardInput, TopologyInput } from '../../shared/shard/topology';
