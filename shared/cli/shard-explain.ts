/** `faas-patterns shard explain`: why a key, or the key of a request, goes where it goes. Sends nothing. */
import { Failure } from '../failure';
import { command } from './command';
import { UsageError } from './flags';
import { forEachKey } from './shard-each';
import { explainRequest } from './shard-explain-request';
import { rowsOf, withSource } from './shard-explain-text';
import { configFile, loadTables } from './shard-file';
import { table as columns, oneLine, showJson } from './text';

export const SHARD_EXPLAIN_USAGE = `Usage: faas-patterns shard explain --config FILE [KEY] [--json]
       faas-patterns shard explain --config FILE [--lines] < KEYS
       faas-patterns shard explain --config FILE --request 'GET /users/7' [--header 'x-user: 7'] [--json]

Shows where a key came from, the bytes that are hashed, the hash as the peer computes it, the point or slot that it
finds, the owner, who comes next, epoch and digest. Without KEY: a line of JSON for each key of stdin.

  --config FILE     the topology, or the configuration of a router
  --lines           each line of stdin is a key as it stands, else { "key": "…" }
  --request TEXT    reads the key out of this request, as the configuration of the router says
  --header TEXT     one of its header lines; as often as there are
  --data JSON       its body
  --client ADDRESS  the address of its client
  --json            one object

Exit: 0 fine, 1 a line was no key, or the router would refuse the request, 2 a file that cannot be read, a topology
with mistakes, or a wrong option.
`;

export const shardExplain = command(
  {
    name: 'shard explain',
    usage: SHARD_EXPLAIN_USAGE,
    flags: {
      config: 'text',
      lines: 'switch',
      request: 'text',
      header: 'list',
      data: 'text',
      client: 'text',
    },
    positionals: ['KEY?'],
  },
  async ({ values, positionals, io }) => {
    const json = values.json === true;
    const [key] = positionals;
    const { request, header, data, client } = values;
    if (request === undefined && (header ?? data ?? client) !== undefined)
      throw new UsageError('--header, --data and --client are of a --request');
    if (request !== undefined && (key !== undefined || values.lines))
      throw new UsageError('--request has the key: there is no other');
    const loaded = await loadTables([configFile(values.config)], io, { json });
    if (!loaded) return 2;
    const [one] = loaded as [(typeof loaded)[number]];
    const { table } = one;
    if (request === undefined && key === undefined)
      return forEachKey(
        io,
        { lines: values.lines === true },
        (text) => `${showJson(withSource(table.explain(text), 'stdin'))}\n`,
      );
    const explained =
      request === undefined
        ? withSource(table.explain(key as string), 'argument')
        : await explainRequest({ request, headers: header ?? [], data, client }, one, io);
    if (explained instanceof Failure) {
      if (json)
        io.stdout(`${showJson({ error: { code: explained.code, detail: explained.message } })}\n`);
      else io.stderr(`${oneLine(`${explained.status} ${explained.code}: ${explained.message}`)}\n`);
      return 1;
    }
    io.stdout(
      json
        ? `${showJson({ ...explained, warnings: table.warnings })}\n`
        : columns(rowsOf(explained)),
    );
    return 0;
  },
);
