/** The explanation of a request: whose it is, by its key, or by what the settings say of one that has none. */
import { Failure } from '../failure';
import { UnusableInput } from './flags';
import type { FullIo } from './io';
import { type Explained, withSource } from './shard-explain-text';
import type { LoadedTable } from './shard-file';
import { findKey, type RequestFlags } from './shard-request';
import { oneLine } from './text';

/**
 * A Failure is what the router answers instead. Throws an UnusableInput for a file that does not say where the key is, and
 * a UsageError for what is no request.
 */
export const explainRequest = async (
  flags: RequestFlags,
  { file, config, table }: LoadedTable,
  io: Pick<FullIo, 'random' | 'stderr'>,
): Promise<Explained | Failure> => {
  if (!config)
    throw new UnusableInput(
      `${oneLine(file)} has no "key": it does not say where a request has one`,
    );
  const { found, warnings } = await findKey(flags, { config, random: io.random });
  for (const { code, message } of warnings)
    io.stderr(`${oneLine(`${file}: warning ${code}: ${message}`)}\n`);
  if (found instanceof Failure) return found;
  if (!('missing' in found)) return withSource(table.explain(found), found.source);
  const { missing } = config;
  if (missing === 'reject') return new Failure('key_missing');
  if (missing !== 'spread' && 'fallback' in missing)
    return withSource(table.explain(missing.fallback), 'fallback');
  const fixed = missing === 'spread' ? undefined : missing.fixed;
  const owner = table.shards.find(({ name }) => name === fixed);
  if (fixed !== undefined && !owner) return new Failure('table_unavailable');
  const { epoch, digest, shards } = table;
  const used = owner ? [owner] : shards.filter(({ down, ejected }) => !down && !ejected);
  return {
    key: null,
    source: owner ? 'fixed' : 'spread',
    bytes: null,
    hash: null,
    point: null,
    pinned: false,
    shard: owner?.name ?? null,
    address: owner?.address ?? null,
    candidates: used.map(({ name }) => name),
    epoch,
    digest,
  };
};
