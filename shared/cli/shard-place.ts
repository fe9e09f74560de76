/** `faas-patterns shard place`: which shard owns each key of stdin. Sends nothing. */
import type { Shard } from '../shard/topology';
import { command } from './command';
import { forEachKey } from './shard-each';
import { configFile, loadTables } from './shard-file';
import { showJson } from './text';

export const SHARD_PLACE_USAGE = `Usage: faas-patterns shard place --config FILE [--lines] < KEYS

Reads a key from each line of stdin, { "key": "…" }, and writes { "key", "shard", "address" } for each, in the same
order, as fast as it is read. "shard" is null where the key does not decide it: there the peer itself would take
whose turn it is. The UTF-8 bytes of the key are what is hashed.

  --config FILE   the topology, or the configuration of a router
  --lines         each line is a key as it stands
  --json          mistakes of the topology as one object on stdout

A line that is no key is told in its place as { "line", "error" }.
Exit: 0 fine, 1 a line was no key, 2 a file that cannot be read, a topology with mistakes, or a wrong option.
`;

export const shardPlace = command(
  {
    name: 'shard place',
    usage: SHARD_PLACE_USAGE,
    flags: { config: 'text', lines: 'switch' },
    positionals: [],
  },
  async ({ values, io }) => {
    const loaded = await loadTables([configFile(values.config)], io, {
      json: values.json === true,
    });
    if (!loaded) return 2;
    const [{ table }] = loaded as [(typeof loaded)[number]];
    const tails = new Map(table.shards.map((shard) => [shard, tailOf(shard)]));
    const nobody = tailOf(undefined);
    return forEachKey(io, { lines: values.lines === true }, (key) => {
      const shard = table.place(key);
      return `{"key":${showJson(key)}${shard ? tails.get(shard) : nobody}`;
    });
  },
);

const tailOf = (shard: Shard | undefined): string =>
  `,"shard":${showJson(shard?.name ?? null)},"address":${showJson(shard?.address ?? null)}}\n`;
