/** `faas-patterns shard diff`: which keys move when one topology takes the place of another. Sends nothing. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Diff, differ } from '../shard/diff';
import { drawRings, percent, STEPS } from '../shard/rings';
import { SAMPLE, sampleKeys } from '../shard/sample';
import { command } from './command';
import { UnusableInput, UsageError } from './flags';
import type { FullIo } from './io';
import { type LoadedTable, loadTables } from './shard-file';
import { type NoKey, readKeys } from './shard-keys';
import { table as columns, count, oneLine, showJson } from './text';

export const SHARD_DIFF_USAGE = `Usage: faas-patterns shard diff BEFORE AFTER [--keys FILE [--lines]] [--svg OUT.svg] [--json]

Counts the keys that move when the topology of the file AFTER takes the place of that of BEFORE, and those of them
that move between two shards that are the same in both (collateral). A shard is the same when its name is, or else
its address.

  --keys FILE   your keys, a line each as { "key": "…" }; - is stdin. Default: ${SAMPLE} that are made up
  --lines       each line is a key as it stands
  --svg FILE    also draw both rings
  --json        one object

Exit: 0 no key moves, 1 keys move, 2 a file that cannot be read or written, a topology or a key with a mistake, or a
wrong option.
`;

export const shardDiff = command(
  {
    name: 'shard diff',
    usage: SHARD_DIFF_USAGE,
    flags: { keys: 'text', lines: 'switch', svg: 'text' },
    positionals: ['BEFORE', 'AFTER'],
  },
  async ({ values, positionals, io }) => {
    const json = values.json === true;
    if (values.lines && values.keys === undefined)
      throw new UsageError('--lines says how the keys of --keys are read');
    const loaded = await loadTables(positionals, io, { json });
    if (!loaded) return 2;
    const [a, b] = loaded as [LoadedTable, LoadedTable];
    const counted = differ(a.table, b.table);
    const drawn: string[] = [];
    const keys = keysOf([a, b], { keys: values.keys, lines: values.lines === true }, io);
    for await (const lot of keys)
      for (const key of lot) {
        counted.add(key);
        if (drawn.length < STEPS) drawn.push(key);
      }
    if (io.signal.aborted) {
      io.stderr('interrupted\n');
      return 2;
    }
    const diff = counted.result();
    if (values.svg !== undefined)
      write(
        path.resolve(io.folder, values.svg),
        drawRings(a.table, b.table, { diff, keys: drawn }),
      );
    const source = values.keys === undefined ? 'generated' : 'given';
    io.stdout(
      json
        ? `${showJson({
            ...diff,
            source,
            warnings: { a: a.table.warnings, b: b.table.warnings },
            ...(values.svg !== undefined && { svg: values.svg }),
          })}\n`
        : textOf(diff, source),
    );
    return diff.moved > 0 ? 1 : 0;
  },
);

interface KeyFlags {
  readonly keys: string | undefined;
  readonly lines: boolean;
}

async function* keysOf(
  loaded: readonly LoadedTable[],
  { keys: source, lines }: KeyFlags,
  io: FullIo,
): AsyncGenerator<Iterable<string>> {
  if (source === undefined) {
    yield sampleKeys(loaded.map(({ topology }) => topology));
    return;
  }
  for await (const lot of readKeys(source, { lines }, io)) {
    const bad = lot.find((one): one is NoKey => typeof one !== 'string');
    if (bad) throw new UnusableInput(`line ${bad.line} of the keys: ${bad.error.detail}`);
    yield lot as readonly string[];
  }
}

const write = (file: string, text: string): void => {
  try {
    writeFileSync(file, text);
  } catch {
    throw new UnusableInput(`${oneLine(file)} cannot be written`);
  }
};

/** As many moves as one reads. */
const ROWS = 20;

const textOf = (diff: Diff, source: string): string => {
  const { keys, moved, collateral, ideal, a, b, moves } = diff;
  const part = (many: number) => [`${many}`, percent(many, keys)];
  const more = moves.length - ROWS;
  return [
    columns([
      ['keys', `${keys}`, source],
      ['moved', ...part(moved), `at best ${ideal}`],
      ['collateral', ...part(collateral)],
      ['imbalance', `${shown(a.imbalance)} -> ${shown(b.imbalance)}`],
      ['undetermined', `${a.undetermined} -> ${b.undetermined}`],
      ['digest', `${a.digest} -> ${b.digest}`],
    ]),
    ...(moves.length > 0 ? ['\n', columns([['from', 'to', 'keys'], ...rows(diff)])] : []),
    ...(more > 0 ? [`and ${count(more, 'other pair')}\n`] : []),
  ].join('');
};

const rows = ({ moves }: Diff): readonly (readonly string[])[] =>
  moves.slice(0, ROWS).map(({ from, to, keys }) => [from ?? '(none)', to ?? '(none)', `${keys}`]);

const shown = (imbalance: number | null): string =>
  imbalance === null ? 'none' : imbalance.toFixed(3);
