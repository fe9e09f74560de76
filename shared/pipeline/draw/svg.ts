/**
 * A pipeline as one SVG that needs nothing else: for a file, or inside of a page of ours.
 *
 * No script, no reference, no style attribute: a Content-Security-Policy that names the hash of `GRAPH_STYLE` is enough.
 * A group a step, with `data-step` and `data-state`; in a drawing with results, the texts of class `state` and
 * `note` are always there, so that a page can carry on from what it was drawn with.
 */
import { escapeHtml } from '../../html';
import type { Pipeline, Step } from '../pipeline';
import type { Results, StepResult } from '../run';
import { type Card, card, PADDING, type Row } from './card';
import style from './graph.css' with { type: 'text' };
import { type Box, type Layout, type Line, layOut } from './layout';
import { detailWords, resultWords, STATE_WORDS, targetWords } from './words';

/** The text of the one style element. */
export const GRAPH_STYLE: string = style;

export interface DrawSvgOptions {
  /** The states of a run; a step without one is waiting. @default the pipeline alone */
  readonly results?: Results;
  /** Whether the style stands in it; false where the page around has it. @default true */
  readonly withStyle?: boolean;
}

type Drawn = Pick<Pipeline, 'name' | 'summary' | 'steps'>;

export const drawSvg = (pipeline: Drawn, options: DrawSvgOptions = {}): string => {
  const { results, withStyle = true } = options;
  const resultOf = (name: string): StepResult | undefined =>
    results && (Object.hasOwn(results, name) ? results[name] : { state: 'pending', attempts: 0 });
  const cards = new Map(
    pipeline.steps.map((step) => [step.name, card(step, resultOf(step.name))] as const),
  );
  const layout = layOut({ steps: pipeline.steps, sizeOf: (name) => cards.get(name) as Card });
  const boxes = new Map(layout.boxes.map((box) => [box.name, box]));
  const { width, height } = layout;
  return `<svg xmlns="http://www.w3.org/2000/svg" class="pipeline-graph" role="img" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" data-pipeline="${escapeXml(pipeline.name)}">
<title>${escapeXml(`Pipeline ${pipeline.name}`)}</title>
<desc>${escapeXml(describe(pipeline, resultOf))}</desc>
${withStyle ? `<style>${GRAPH_STYLE}</style>\n` : ''}${drawLines(layout)}
${pipeline.steps
  .map((step) =>
    drawStep(step, boxes.get(step.name) as Box, cards.get(step.name) as Card, resultOf(step.name)),
  )
  .join('\n')}
</svg>
`;
};

/** All that can be seen, for those who cannot. */
const describe = (
  { summary, steps }: Drawn,
  resultOf: (name: string) => StepResult | undefined,
): string =>
  [
    summary,
    ...steps.map((step) => {
      const { name, target, after } = step;
      const result = resultOf(name);
      const details = [
        targetWords(target, name),
        ...(after.length > 0 ? [`after ${after.join(', ')}`] : []),
        ...detailWords(step),
        ...(result ? [[STATE_WORDS[result.state], ...resultWords(result)].join(', ')] : []),
      ];
      return `${name}: ${details.join('; ')}.`;
    }),
  ].join(' ');

const HEAD = 7;

const drawLines = ({ lines }: Layout): string =>
  lines.length === 0
    ? ''
    : `<g class="lines">${lines.map(drawLine).join('')}</g>
<g class="heads">${headsOf(lines)}</g>`;

const drawLine = ({ from, to, points }: Line): string => {
  const [first, ...rest] = points as [Line['points'][0], ...Line['points'][0][]];
  let at = first;
  let path = `M${at.x} ${at.y}`;
  for (const [index, next] of rest.entries()) {
    // The last piece ends where the arrow head begins.
    const x = index === rest.length - 1 ? next.x - HEAD : next.x;
    const half = Math.round((x - at.x) / 2);
    path +=
      at.y === next.y ? `H${x}` : `C${at.x + half} ${at.y} ${x - half} ${next.y} ${x} ${next.y}`;
    at = next;
  }
  return `<path data-from="${escapeXml(from)}" data-to="${escapeXml(to)}" d="${path}"/>`;
};

/** One for all lines that end at a step. */
const headsOf = (lines: readonly Line[]): string =>
  [
    ...new Map(
      lines.map(({ to, points }) => [to, points.at(-1) as { x: number; y: number }]),
    ).values(),
  ]
    .map(({ x, y }) => `<path d="M${x - 1} ${y}l-${HEAD} -4v8z"/>`)
    .join('');

const drawStep = (step: Step, box: Box, { rows, indent }: Card, result?: StepResult): string => {
  const { x, y, width, height } = box;
  const state = result ? ` data-state="${result.state}"` : '';
  const full = [targetWords(step.target, step.name), ...detailWords(step)].join('; ');
  return `<g class="step${step.required ? '' : ' optional'}" data-step="${escapeXml(step.name)}"${state} transform="translate(${x} ${y})"><title>${escapeXml(`${step.name}: ${full}`)}</title><rect class="box" width="${width}" height="${height}" rx="9"/>${
    result ? MARK : ''
  }${rows.map((row) => drawRow(row, indent)).join('')}</g>`;
};

const drawRow = ({ kind, text, note, y }: Row, x: number): string =>
  kind === 'state'
    ? `<text x="${x}" y="${y}"><tspan class="state">${escapeXml(text)}</tspan> <tspan class="note" dx="2">${escapeXml(note ?? '')}</tspan></text>`
    : `<text class="${kind}" x="${x}" y="${y}">${escapeXml(text)}</text>`;

/** Every mark of a state; the style shows the one that holds. */
const MARK = `<g class="mark" transform="translate(${PADDING + 8} ${PADDING + 8})"><circle class="ring" r="8"/><circle class="dot" r="2.5"/><path class="check" d="M-3.5 .5-1 3 3.5-2.5"/><path class="cross" d="M-3-3 3 3M-3 3 3-3"/><path class="dash" d="M-3 0H3"/></g>`;

/** What XML cannot hold at all is shown as the mark of a letter that is missing. */
const escapeXml = (text: string): string =>
  escapeHtml(text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd'));
