/** What stands in the box of a step: its rows of text, and the size that they need. */
import type { Step } from '../pipeline';
import type { StepResult } from '../run';
import type { Size } from './layout';
import { cut, flow, measure } from './text';
import { detailWords, resultWords, STATE_WORDS, targetWords } from './words';

export interface Row {
  readonly kind: 'name' | 'target' | 'detail' | 'state';
  readonly text: string;
  /** What stands quiet behind it. */
  readonly note?: string;
  /** Of the baseline, from the upper edge of the box. */
  readonly y: number;
}

export interface Card extends Size {
  readonly rows: readonly Row[];
  /** Where the rows begin, from the left edge. */
  readonly indent: number;
}

/** Line height, and how much of it lies above the baseline; px. */
const FONTS = {
  name: { size: 14, bold: true, line: 20, ascent: 14.5 },
  target: { size: 12, line: 18, ascent: 13 },
  detail: { size: 12, line: 18, ascent: 13 },
  state: { size: 12, bold: true, line: 18, ascent: 13 },
} as const;

export const PADDING = 12;
/** The mark of a state and the space behind it. */
const MARK = 26;
const NARROWEST = 104;
/** A row that would be wider is cut or broken. */
const WIDEST = 216;
/** A state and its note. */
const BETWEEN = 7;
/** So that a state that changes finds room, with a short note. */
const STATE_WIDTH = 132;

export const card = (step: Step, result?: StepResult): Card => {
  const rows: Row[] = [];
  let y = PADDING - 2;
  const add = (kind: Row['kind'], text: string, note?: string): void => {
    rows.push({ kind, text, y: y + FONTS[kind].ascent, ...(note !== undefined && { note }) });
    y += FONTS[kind].line;
  };
  add('name', cut(step.name, WIDEST, FONTS.name));
  add('target', cut(targetWords(step.target, step.name), WIDEST, FONTS.target));
  for (const row of flow(detailWords(step), WIDEST, FONTS.detail)) add('detail', row);
  if (result) {
    y += 4;
    const state = STATE_WORDS[result.state];
    const room = WIDEST - measure(state, FONTS.state) - BETWEEN;
    add('state', state, cut(resultWords(result).join(' · '), room, FONTS.detail));
  }
  const widths = rows.map(
    ({ kind, text, note }) =>
      measure(text, FONTS[kind]) + (note ? BETWEEN + measure(note, FONTS.detail) : 0),
  );
  const indent = PADDING + (result ? MARK : 0);
  return {
    rows,
    indent,
    width: Math.ceil(
      Math.max(NARROWEST - PADDING, result ? STATE_WIDTH : 0, ...widths) + indent + PADDING,
    ),
    // Even, so that its middle and its edges stand on whole pixels.
    height: 2 * Math.ceil((y + PADDING - 3) / 2),
  };
};
