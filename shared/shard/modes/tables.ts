/**
 * Tables that somebody keeps: by key, by its beginning, by span. Nothing is hashed; who is not in the table has no
 * shard, and neither has who belongs to one that is down or ejected.
 */

import { toBytes } from '../bytes';
import type { MakePlacer, Placer } from '../placer';
import type { Range, Topology } from '../topology';
import { ignoredWeights, membersOf } from './members';

/** The whole key. */
export const lookup: MakePlacer = (topology) => {
  const entries = entriesOf(topology);
  return placerOf(topology, (key) => {
    const text = binary(key);
    const shard = entries.get(text);
    return shard === undefined ? undefined : { shard, point: text };
  });
};

/** The longest beginning that is in the table; the empty one is that of every key. */
export const prefix: MakePlacer = (topology) => {
  const entries = entriesOf(topology);
  const lengths = [...new Set([...entries.keys()].map(({ length }) => length))].sort(
    (a, b) => b - a,
  );
  return placerOf(topology, (key) => {
    const text = binary(key);
    for (const length of lengths) {
      if (length > text.length) continue;
      const point = text.slice(0, length);
      const shard = entries.get(point);
      if (shard !== undefined) return { shard, point };
    }
    return undefined;
  });
};

/** Spans compare by bytes: from the first key up to, but without, the one that ends it. */
export const range: MakePlacer = (topology) => {
  const spans = ((topology.table ?? []) as readonly Range[])
    .map(({ from = '', to, shard }) => ({
      from: binary(toBytes(from)),
      to: to === undefined ? undefined : binary(toBytes(to)),
      shard,
    }))
    .sort((a, b) => (a.from < b.from ? -1 : 1));
  return placerOf(topology, (key) => {
    const text = binary(key);
    let low = 0;
    let high = spans.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((spans[middle]?.from as string) <= text) low = middle + 1;
      else high = middle;
    }
    const span = spans[low - 1];
    if (span === undefined || (span.to !== undefined && text >= span.to)) return undefined;
    return { shard: span.shard, point: span.from };
  });
};

interface Found {
  /** Its name. */
  readonly shard: string;
  /** What of the table was found, one character a byte. */
  readonly point: string;
}

const placerOf = ({ shards }: Topology, find: (key: Uint8Array) => Found | undefined): Placer => {
  const { usable } = membersOf(shards);
  const indexes = new Map(shards.map(({ name }, index) => [name, index]));
  const pick = (key: Uint8Array): number | undefined => {
    const index = indexes.get(find(key)?.shard as string);
    return index !== undefined && usable[index] === 1 ? index : undefined;
  };
  return {
    pick,
    candidates: (key) => {
      const index = pick(key);
      return index === undefined ? [] : [index];
    },
    trace: (key) => {
      const found = find(key);
      return { hash: 'none', ...(found && { point: text(found.point) }) };
    },
    warnings: ignoredWeights(shards),
  };
};

const entriesOf = ({ table = {} }: Topology): Map<string, string> =>
  new Map(
    Object.entries(table as Readonly<Record<string, string>>).map(([key, shard]) => [
      binary(toBytes(key)),
      shard,
    ]),
  );

/** One character a byte: it can be looked up and compared as the bytes are, whether they are UTF-8 or not. */
const binary = (bytes: Uint8Array): string => {
  let characters = '';
  for (let i = 0; i < bytes.length; i++) characters += String.fromCharCode(bytes[i] as number);
  return characters;
};

const text = (characters: string): string =>
  new TextDecoder().decode(Uint8Array.from(characters, (one) => one.charCodeAt(0)));
