/** Where boxes and lines stand: nothing overlaps, all goes from left to right, and the same graph always looks the same. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { crossings, layer } from '../../../shared/pipeline/draw/layers';
import { type Box, type Layout, layOut } from '../../../shared/pipeline/draw/layout';
import { levelsOf } from '../../../shared/pipeline/levels';

type Steps = readonly { readonly name: string; readonly after: readonly string[] }[];

const steps = (edges: Readonly<Record<string, string>>): Steps =>
  Object.entries(edges).map(([name, after]) => ({ name, after: after.split(' ').filter(Boolean) }));

const graphs: fc.Arbitrary<Steps> = fc
  .array(fc.array(fc.nat(1_000), { maxLength: 4 }), { minLength: 1, maxLength: 40 })
  .map((drafts) =>
    drafts.map((after, index) => ({
      name: `s${index}`,
      after: index === 0 ? [] : [...new Set(after.map((n) => `s${n % index}`))],
    })),
  );

/** Of all sizes, but the same for a name. */
const sizeOf = (name: string) => ({
  width: 80 + ((name.length * 37) % 120),
  height: 40 + ((Number(name.slice(1)) || 0) % 5) * 16,
});

const draw = (graph: Steps): Layout => layOut({ steps: graph, sizeOf });

const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

describe('any graph', () => {
  test('has a box for each step and a line for each edge, apart from each other and within the picture', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const { width, height, boxes, lines } = draw(graph);
        expect(boxes.map(({ name }) => name).sort()).toEqual(graph.map(({ name }) => name).sort());
        expect(lines.map(({ from, to }) => `${from} ${to}`)).toEqual(
          graph.flatMap(({ name, after }) => after.map((from) => `${from} ${name}`)),
        );
        for (const [index, box] of boxes.entries()) {
          expect(box.height).toBe(sizeOf(box.name).height);
          expect(box.width).toBeGreaterThanOrEqual(sizeOf(box.name).width);
          expect(Math.min(box.x, box.y)).toBeGreaterThan(0);
          expect(box.x + box.width).toBeLessThan(width);
          expect(box.y + box.height).toBeLessThan(height);
          for (const other of boxes.slice(index + 1))
            expect([box.name, other.name, overlap(box, other)]).toEqual([
              box.name,
              other.name,
              false,
            ]);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('has lines from the right of a box to the left of another, that pass beside all boxes between', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const { height, boxes, lines } = draw(graph);
        const boxOf = new Map(boxes.map((box) => [box.name, box]));
        for (const { from, to, points } of lines) {
          const [start, end] = [boxOf.get(from) as Box, boxOf.get(to) as Box];
          expect(points[0]).toEqual({
            x: start.x + start.width,
            y: Math.round(start.y + start.height / 2),
          });
          expect(points.at(-1)).toEqual({ x: end.x, y: Math.round(end.y + end.height / 2) });
          for (const [index, point] of points.entries()) {
            const before = points[index - 1];
            if (before) expect(point.x).toBeGreaterThan(before.x);
            expect(point.y).toBeGreaterThan(0);
            expect(point.y).toBeLessThan(height);
          }
          for (const { x, y } of points.slice(1, -1))
            for (const box of boxes)
              if (x >= box.x && x <= box.x + box.width)
                expect(Math.abs(y - (box.y + box.height / 2))).toBeGreaterThan(box.height / 2);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('looks the same every time', () => {
    fc.assert(fc.property(graphs, (graph) => expect(draw(graph)).toEqual(draw(graph))));
  });

  test('does not cross more than in the order of the file', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const { layers, slots } = layer(graph);
        const inOrder = layers.map((all) => {
          const order = [...slots.keys()];
          return [...all].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
        });
        expect(crossings(layers)).toBeLessThanOrEqual(crossings(inOrder));
      }),
    );
  });
});

test('a step stands behind the last of those that it waits for', () => {
  const graph = steps({ a: '', b: 'a', c: '', d: 'a b c' });
  expect(levelsOf(graph).map((level) => level.map(({ name }) => name))).toEqual([
    ['a', 'c'],
    ['b'],
    ['d'],
  ]);
});

test('crossings are counted pair by pair', () => {
  const { slots } = layer(steps({ a: '', b: '', c: '', x: 'a b c', y: 'a b', z: 'c' }));
  const at = (...names: readonly string[]) => names.map((name) => slots.get(name) ?? fail(name));
  expect(crossings([at('a', 'b', 'c'), at('x', 'y', 'z')])).toBe(3);
  expect(crossings([at('c', 'b', 'a'), at('z', 'x', 'y')])).toBe(1);
  expect(crossings([at('a', 'b', 'c'), at('z', 'y', 'x')])).toBe(5);
});

const fail = (name: string): never => {
  throw new Error(`there is no ${name}`);
};

test.each<[string, Readonly<Record<string, string>>]>([
  ['two that are swapped', { a: '', b: '', x: 'b', y: 'a' }],
  ['a tree in the wrong order', { r: '', a: 'r', b: 'r', c: 'r', z: 'c', y: 'b', x: 'a' }],
  ['a long way around', { a: '', b: 'a', c: 'b', d: 'c a', e: 'b' }],
  [
    'three lanes, turned around',
    { a: '', b: '', c: '', x: 'c', y: 'b', z: 'a', p: 'x', q: 'y', r: 'z' },
  ],
])('%s is drawn without a crossing', (_, edges) => {
  expect(crossings(layer(steps(edges)).layers)).toBe(0);
});

test('a sweep that makes it worse again is not kept', () => {
  const graph = steps({ a: '', b: 'a', c: 'a b', d: 'a c', e: 'a b' });
  expect(crossings(layer(graph).layers)).toBe(1);
});

test('lines of one step over several columns share their way', () => {
  const { lines } = draw(steps({ a: '', b: 'a', c: 'b', d: 'c a', e: 'd a' }));
  const [toD, toE] = ['d', 'e'].map((name) =>
    lines.find(({ from, to }) => from === 'a' && to === name),
  );
  expect(toE?.points.slice(0, 5)).toEqual(toD?.points.slice(0, 5));
});

test('100 steps, each after all before it, can be drawn', () => {
  const names = Array.from({ length: 100 }, (_, n) => `s${n}`);
  const graph = names.map((name, index) => ({ name, after: names.slice(0, index) }));
  expect(draw(graph).lines).toHaveLength(4_950);
});
