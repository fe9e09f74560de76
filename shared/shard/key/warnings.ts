/** What a runtime or a mode makes of a source that the peer would not: said at start, since no request shows it. */
import type { Warning } from '../placer';
import type { Mode } from '../topology';
import type { KeySource } from './key';
import { isHaproxy, isNginx, type Wire, wireOf } from './wire';

/** `edge`: workerd, which joins the lines of a header and reads headers as UTF-8. */
export type Runtime = 'node' | 'edge';

/** Each once, however often a source gives cause to it. */
export const warningsOf = (source: KeySource, mode: Mode, runtime: Runtime): readonly Warning[] => {
  const found = [...leavesOf(source)].flatMap((leaf) => [...ofLeaf(leaf, mode, runtime)]);
  return [...new Map(found.map((one) => [one.message, one])).values()];
};

function* leavesOf(source: KeySource): Generator<KeySource> {
  if ('all' in source) for (const one of source.all) yield* leavesOf(one);
  else if ('first' in source) for (const one of source.first) yield* leavesOf(one);
  else yield source;
}

function* ofLeaf(source: KeySource, mode: Mode, runtime: Runtime): Generator<Warning> {
  const wire = wireOf(mode);
  if ('header' in source) yield* ofHeader(source, { mode, runtime, wire });
  if ('cookie' in source && runtime === 'edge')
    yield {
      code: 'lines_joined',
      message: `Several lines of cookies arrive joined by commas at the edge: of these ${source.cookie} may not be told apart.`,
    };
  if (!isHaproxy(mode)) return;
  if ('client' in source)
    yield {
      code: 'client_hash',
      message:
        'The bytes of the address are hashed, as by "balance hash src"; "balance source" has a hash of its own, which is not offered.',
    };
  if ('body' in source)
    yield {
      code: 'json_numbers',
      message:
        'Numbers and booleans of a body are hashed as they are written; HAProxy writes those that are not whole anew.',
    };
  if ('query' in source || 'cookie' in source || 'path' in source)
    yield {
      code: 'empty_value',
      message: `An empty ${'query' in source ? `parameter ${source.query}` : 'cookie' in source ? `cookie ${source.cookie}` : 'part of the path'} is no key; HAProxy hashes it like any other.`,
    };
}

interface Situation {
  readonly mode: Mode;
  readonly runtime: Runtime;
  readonly wire: Wire;
}

function* ofHeader(
  { header, duplicates }: Extract<KeySource, { header: string }>,
  { mode, runtime, wire }: Situation,
): Generator<Warning> {
  const way = duplicates ?? wire.duplicates;
  if (way === 'chain' && !wire.combines)
    yield {
      code: 'chain_unused',
      message: `Only Envoy's modes chain: several lines of ${header} are joined.`,
    };
  if (isNginx(mode)) {
    if (duplicates === undefined)
      yield {
        code: 'duplicates_by_version',
        message: `Several lines of ${header} are joined, as by nginx from 1.23 on; up to 1.22 it takes the first. "duplicates" says which, and ends this warning.`,
      };
    yield {
      code: 'header_tabs',
      message: `A tab before or behind the value of ${header} does not reach us; nginx hashes it.`,
    };
  }
  if (runtime !== 'edge') return;
  if (way === 'first' || (way === 'chain' && wire.combines))
    yield {
      code: 'lines_joined',
      message: `Several lines of ${header} arrive joined at the edge: they are one there, and ${way === 'first' ? 'the first cannot be told' : 'cannot be chained'}.`,
    };
  yield {
    code: 'header_bytes',
    message: `Bytes of ${header} that are not UTF-8 arrive as U+FFFD at the edge: keys that differ in them only become one.`,
  };
}
