import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ancestorsOf, findKnots, type Graph, sortGraph } from '../../../shared/pipeline/graph';

/** Any graph, cycles and edges to oneself included. */
const graphs: fc.Arbitrary<Graph> = fc
  .array(fc.array(fc.nat({ max: 11 }), { maxLength: 3 }), { maxLength: 10 })
  .map((rows) => new Map(rows.map((row, i) => [`s${i}`, row.map((n) => `s${n}`)])));

/** By the definition: all that can be reached in one edge or more, until nothing is added. */
const reach = (graph: Graph, from: string): ReadonlySet<string> => {
  const found = new Set<string>();
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const name of [from, ...found])
      for (const other of graph.get(name) ?? []) if (graph.has(other)) found.add(other);
  }
  return found;
};

describe('sortGraph', () => {
  test('puts each name behind all it waits for, and finds those that can never be next', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const { order, stuck } = sortGraph(graph);
        expect([...order, ...stuck].sort()).toEqual([...graph.keys()].sort());
        order.forEach((name, i) => {
          for (const other of graph.get(name) ?? [])
            if (graph.has(other)) expect(order.slice(0, i)).toContain(other);
        });
        const turning = (name: string) => reach(graph, name).has(name);
        const isStuck = (name: string) => turning(name) || [...reach(graph, name)].some(turning);
        expect(stuck).toEqual([...graph.keys()].filter(isStuck));
      }),
      { numRuns: 1_000 },
    );
  });

  test('keeps the order of the file where it can', () => {
    expect(
      sortGraph(
        new Map([
          ['c', []],
          ['b', ['a']],
          ['a', []],
          ['d', ['c']],
        ]),
      ).order,
    ).toEqual(['c', 'a', 'b', 'd']);
  });
});

test('ancestorsOf finds all that a name waits for, and nothing that is not there', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      for (const name of graph.keys())
        expect([...ancestorsOf(graph, name)].sort()).toEqual([...reach(graph, name)].sort());
    }),
    { numRuns: 500 },
  );
});

describe('findKnots', () => {
  test('finds each knot once, with a cycle that is one', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const knots = findKnots(graph);
        const turning = [...graph.keys()].filter((name) => reach(graph, name).has(name));
        expect(knots.flatMap(({ names }) => names).sort()).toEqual(turning.sort());
        for (const { names, cycle } of knots) {
          expect(cycle[0]).toBe(names[0]);
          expect(cycle.at(-1)).toBe(names[0]);
          expect(new Set(cycle).size).toBe(cycle.length - 1);
          for (const [i, name] of cycle.slice(1).entries())
            expect(graph.get(cycle[i] as string)).toContain(name);
          for (const name of names)
            expect(names.filter((other) => !reach(graph, name).has(other))).toEqual([]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('takes no time for a hundred names that all wait for each other', () => {
    const names = Array.from({ length: 100 }, (_, i) => `s${i}`);
    const start = performance.now();
    expect(findKnots(new Map(names.map((name) => [name, names])))).toHaveLength(1);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});
