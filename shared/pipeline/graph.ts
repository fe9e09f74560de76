/** A graph of names: an order that respects it, its cycles, and what lies behind them. */

/** Each name with the names it waits for, in the order of the file. Names that are not in it are not waited for. */
export type Graph = ReadonlyMap<string, readonly string[]>;

export interface Order {
  /** Each after all it waits for; among those that could be next, the first of the file. */
  readonly order: readonly string[];
  /** Those that can never be next: on a cycle, or behind one. */
  readonly stuck: readonly string[];
}

export const sortGraph = (graph: Graph): Order => {
  const placed = new Set<string>();
  const isReady = (name: string) =>
    !placed.has(name) &&
    (graph.get(name) ?? []).every((other) => placed.has(other) || !graph.has(other));
  for (;;) {
    const ready = [...graph.keys()].find(isReady);
    if (ready === undefined) break;
    placed.add(ready);
  }
  return { order: [...placed], stuck: [...graph.keys()].filter((name) => !placed.has(name)) };
};

/** All that a name waits for, directly or not; itself only on a cycle. */
export const ancestorsOf = (graph: Graph, name: string): ReadonlySet<string> => {
  const found = new Set<string>();
  const open = [name];
  for (let next = open.pop(); next !== undefined; next = open.pop())
    for (const other of graph.get(next) ?? [])
      if (graph.has(other) && !found.has(other)) {
        found.add(other);
        open.push(other);
      }
  return found;
};

export interface Knot {
  /** Names that wait for each other, all of them. */
  readonly names: readonly string[];
  /** The shortest cycle through the first of them, along the edges: `[a, b, a]` says that a waits for b and b for a. */
  readonly cycle: readonly string[];
}

export const findKnots = (graph: Graph): readonly Knot[] => {
  const knots: Knot[] = [];
  for (const name of graph.keys()) {
    if (knots.some(({ names }) => names.includes(name))) continue;
    const cycle = pathBetween(graph, name, name);
    if (!cycle) continue;
    const names = [...graph.keys()].filter(
      (other) => pathBetween(graph, name, other) && pathBetween(graph, other, name),
    );
    knots.push({ names, cycle });
  }
  return knots;
};

/** The shortest way of one edge or more, both ends included. */
const pathBetween = (graph: Graph, from: string, to: string): string[] | undefined => {
  const seen = new Set<string>();
  let paths = [[from]];
  while (paths.length > 0) {
    const longer: string[][] = [];
    for (const path of paths)
      for (const name of graph.get(path.at(-1) as string) ?? []) {
        if (name === to) return [...path, name];
        if (seen.has(name)) continue;
        seen.add(name);
        longer.push([...path, name]);
      }
    paths = longer;
  }
  return undefined;
};
