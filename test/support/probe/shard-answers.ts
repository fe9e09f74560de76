/** What a table says of keys, as JSON: the same code asks it on Node and at the edge. */
import {
  InvalidTopology,
  type ShardTable,
  shardTable,
  type TopologyInput,
} from '../../../deploy/entry/shard';

export interface ShardQuestion {
  readonly topology: TopologyInput;
  readonly keys: readonly string[];
  /** Keys in hex, which need not be UTF-8. */
  readonly bytes?: readonly string[];
  /** Topologies that follow. */
  readonly changes?: readonly TopologyInput[];
}

/** Of each table, the first and those that it changes to; or what is wrong with the topology. */
export const shardAnswers = ({ topology, keys, bytes = [], changes = [] }: ShardQuestion) => {
  try {
    const tables = [shardTable(topology)];
    for (const next of changes)
      tables.push((tables.at(-1) as ShardTable).change(next, { epoch: tables.length }));
    const all = [...keys, ...bytes.map(fromHex)];
    return { tables: tables.map((table) => answerOf(table, all)) };
  } catch (thrown) {
    if (!(thrown instanceof InvalidTopology)) throw thrown;
    return { name: thrown.name, message: thrown.message, mistakes: thrown.mistakes };
  }
};

const answerOf = (table: ShardTable, keys: readonly (string | Uint8Array)[]) => ({
  mode: table.mode,
  epoch: table.epoch,
  digest: table.digest,
  shards: table.shards,
  warnings: table.warnings,
  owners: keys.map((key) => table.place(key)?.name ?? null),
  candidates: keys.slice(0, 100).map((key) => table.candidates(key).map(({ name }) => name)),
  explained: keys.slice(0, 100).map((key) => table.explain(key)),
});

const fromHex = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
