/**
 * Where the boxes and lines of a drawing stand: layers from left to right, what is in one below each other.
 *
 * Pure and deterministic; lengths in px. For the 100 steps that a pipeline has at most.
 */
import type { Step } from '../pipeline';
import { type Layers, layer, type Slot } from './layers';
import { place } from './place';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** From its upper left corner. */
export interface Box extends Size {
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

export interface Line {
  readonly from: string;
  readonly to: string;
  /** From the right of one box to the left of the other; between them each column that it crosses, both its edges. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Layout extends Size {
  readonly boxes: readonly Box[];
  readonly lines: readonly Line[];
}

export interface LayoutOptions {
  /** In topological order. */
  readonly steps: readonly Pick<Step, 'name' | 'after'>[];
  /** What a step needs; all in a column are as wide as the widest of them. */
  readonly sizeOf: (name: string) => Size;
}

/** Between columns, and around all. */
const GAP = 56;
const MARGIN = 16;
/** What a passing line has above and below it. */
const BEND = 8;

export const layOut = ({ steps, sizeOf }: LayoutOptions): Layout => {
  const graph = layer(steps);
  const columns = columnsOf(graph, sizeOf);
  const middles = place(graph, MARGIN, (slot) =>
    slot.step === undefined ? BEND : sizeOf(slot.step).height,
  );
  const heightOf = (name: string) => sizeOf(name).height;
  const boxes = graph.layers.flatMap((all, depth) =>
    all.flatMap(({ step }): Box[] => {
      if (step === undefined) return [];
      const { x, width } = columns[depth] as Column;
      const height = heightOf(step);
      return [{ name: step, x, y: (middles.get(step) as number) - height / 2, width, height }];
    }),
  );
  const last = columns.at(-1);
  return {
    width: (last ? last.x + last.width : 0) + MARGIN,
    height:
      Math.max(0, ...boxes.map(({ y, height }) => y + height), ...bottoms(graph, middles)) + MARGIN,
    boxes,
    lines: steps.flatMap(({ name, after }) =>
      after.map((from) => ({ from, to: name, points: trace(from, name, graph, columns, middles) })),
    ),
  };
};

interface Column {
  readonly x: number;
  readonly width: number;
}

const columnsOf = ({ layers }: Layers, sizeOf: LayoutOptions['sizeOf']): readonly Column[] => {
  let x = MARGIN;
  return layers.map((all) => {
    const width = Math.max(...all.map(({ step }) => (step === undefined ? 0 : sizeOf(step).width)));
    const column = { x, width };
    x += width + GAP;
    return column;
  });
};

/** The bends along the way lie on the line of the step that it comes from. */
const trace = (
  from: string,
  to: string,
  { layers, slots }: Layers,
  columns: readonly Column[],
  middles: ReadonlyMap<string, number>,
): Line['points'] => {
  const depthOf = (id: string) => layers.findIndex((all) => all.some((slot) => slot.id === id));
  const [start, end] = [depthOf(from), depthOf(to)];
  const points = [{ x: right(columns[start] as Column), y: middles.get(from) as number }];
  for (let depth = start + 1; depth < end; depth += 1) {
    const { id } = slots.get(`${from} ${depth}`) as Slot;
    const column = columns[depth] as Column;
    const y = middles.get(id) as number;
    points.push({ x: column.x, y }, { x: right(column), y });
  }
  points.push({ x: (columns[end] as Column).x, y: middles.get(to) as number });
  return points;
};

const right = ({ x, width }: Column): number => x + width;

const bottoms = ({ layers }: Layers, middles: ReadonlyMap<string, number>): readonly number[] =>
  layers.flatMap((all) =>
    all.flatMap(({ id, step }) => (step === undefined ? [(middles.get(id) as number) + BEND] : [])),
  );
