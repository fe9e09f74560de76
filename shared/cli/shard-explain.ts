/** `faas-patterns shard explain`: why a key goes where it goes. Sends nothing. */
import type { Explanation } from '../shard/explain';
import { command } from './command';
import { forEachKey } from './shard-each';
import { configFile, loadTables } from './shard-file';
import { table as columns, showJson } from './text';

export const SHARD_EXPLAIN_USAGE = `Usage: faas-patterns shard explain --config FILE [KEY] [--json]
       faas-patterns shard explain --config FILE [--lines] < KEYS

Shows where a key came from, the bytes that are hashed, the hash as the peer computes it, the point or slot that it
finds, the owner, who comes next, epoch and digest. Without KEY: a line of JSON for each key of stdin.

  --config FILE   the topology
  --lines         each line of stdin is a key as it stands, else { "key": "…" }
  --json          one object

Exit: 0 fine, 1 a line was no key, 2 a file that cannot be read, a topology with mistakes, or a wrong option.
`;

export const shardExplain = command(
  {
    name: 'shard explain',
    usage: SHARD_EXPLAIN_USAGE,
    flags: { config: 'text', lines: 'switch' },
    positionals: ['KEY?'],
  },
  async ({ values, positionals, io }) => {
    const json = values.json === true;
    const loaded = await loadTables([configFile(values.config)], io, { json });
    if (!loaded) return 2;
    const [{ table }] = loaded as [(typeof loaded)[number]];
    const [key] = positionals;
    if (key === undefined)
      return forEachKey(
        io,
        { lines: values.lines === true },
        (one) => `${showJson(withSource(table.explain(one), 'stdin'))}\n`,
      );
    const explained = withSource(table.explain(key), 'argument');
    io.stdout(
      json
        ? `${showJson({ ...explained, warnings: table.warnings })}\n`
        : columns(rowsOf(explained)),
    );
    return 0;
  },
);

interface Sourced extends Explanation {
  /** Where the key came from. */
  readonly source: 'argument' | 'stdin';
}

const withSource = ({ key, ...rest }: Explanation, source: Sourced['source']): Sourced => ({
  key,
  source,
  ...rest,
});

const rowsOf = (explained: Sourced): readonly (readonly string[])[] => {
  const { key, source, bytes, hash, point, pinned, shard, address, candidates } = explained;
  const owner =
    shard === null
      ? 'none: the key does not decide it'
      : `${shard === address ? shard : `${shard}  ${address}`}${pinned ? '  (pinned)' : ''}`;
  return [
    ['key', `${key}`],
    ['source', source],
    ['bytes', bytes],
    ['hash', hash],
    ['point', point ?? 'none'],
    ['shard', owner],
    ['next', candidates.filter((name) => name !== shard).join(', ') || 'nobody'],
    ['epoch', `${explained.epoch}`],
    ['digest', explained.digest],
  ];
};
