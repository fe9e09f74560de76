/** Keys to try a topology with when nobody has any: always the same ones, of the kind that its mode decides. */
import { hashText } from './key-hash';
import type { Range, TopologyInput } from './topology';

export const SAMPLE = 100_000;

/**
 * Texts of 12 hex digits. Where a mode takes numbers, numbers; where it has a table, the keys of the table, and what
 * begins as they do.
 */
export function* sampleKeys(
  topologies: readonly Pick<TopologyInput, 'mode' | 'table'>[],
  count = SAMPLE,
): Generator<string> {
  const stems = [...new Set(topologies.flatMap(stemsOf))];
  if (topologies.some(({ mode }) => mode === 'lookup')) {
    yield* stems.slice(0, count);
    return;
  }
  const isNumeric = topologies.some(({ mode }) => mode === 'modulo' || mode === 'ordinal');
  for (let i = 0; i < count; i += 1) {
    if (isNumeric) yield `${i}`;
    else yield `${stems[i % stems.length] ?? ''}${digits(i)}`;
  }
}

const digits = (i: number): string =>
  hashText(`${i}`).toString(16).padStart(8, '0') +
  (hashText(`${i}`, 1) >>> 16).toString(16).padStart(4, '0');

const stemsOf = ({
  mode,
  table = {},
}: Pick<TopologyInput, 'mode' | 'table'>): readonly string[] => {
  if (mode === 'lookup' || mode === 'prefix') return Object.keys(table);
  return mode === 'range' ? (table as readonly Range[]).map(({ from = '' }) => from) : [];
};
