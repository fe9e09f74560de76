/** The steps of a run as a table, and what was asked of it as a list: what the script beside it carries on from. */
import { escapeHtml } from '../html';
import type { Step } from '../pipeline/pipeline';
import type { Results } from '../pipeline/run';
import { placeOf } from './run-graph';
import type { RunTexts, StepTexts } from './run-texts';
import { timeElement } from './run-times';

/** With roles, since on a narrow screen the style takes the table apart. */
export const stepTable = (steps: readonly Step[], results: Results, texts: RunTexts): string =>
  `<table class="steps" role="table" aria-labelledby="steps-heading">
<thead role="rowgroup"><tr role="row">${['Step', 'State', 'Attempts', 'Time', 'What came of it']
    .map((heading) => `<th role="columnheader" scope="col">${heading}</th>`)
    .join('')}</tr></thead>
<tbody role="rowgroup">${steps
    .map((step) =>
      row(step, results[step.name] as Results[string], texts.steps[step.name] as StepTexts),
    )
    .join('')}</tbody></table>`;

/** Every place is there, also an empty one, so that a change only fills in texts. */
const row = (step: Step, { state, startedAt }: Results[string], texts: StepTexts): string =>
  `<tr role="row" data-step="${escapeHtml(step.name)}" data-state="${state}">
<th role="rowheader" scope="row"><span class="name">${escapeHtml(step.name)}</span>${slot('place', placeOf(step))}</th>
<td role="cell"><span class="sign" aria-hidden="true"></span>${slot('state', texts.state)}${slot('why', texts.why)}</td>
<td role="cell" data-label="Attempts">${slot('attempts', texts.attempts)}<span class="next"${texts.next ? '' : ' hidden'}>${slot('next-text', texts.next?.text ?? '')} ${timeElement(texts.next?.at, 'countdown')}</span></td>
<td role="cell" data-label="Time">${slot('took', texts.took)}${timeElement(startedAt, 'clock', 'began')}</td>
<td role="cell"><div class="came">${slot('error', texts.error)}${slot('meaning', texts.meaning)}${slot('undo', texts.undo)}${slot('generation', texts.generation)}<pre class="output">${escapeHtml(texts.output)}</pre><button type="button" class="second small" hidden></button></div></td>
</tr>
`;

const slot = (name: string, text: string): string =>
  `<span class="${name}">${escapeHtml(text)}</span>`;

export const history = (texts: RunTexts): string =>
  `<ol class="history" id="history">${texts.history.map(deed).join('')}</ol>
<template id="deed">${deed({ what: '', by: '', at: '', reason: '' })}</template>`;

const deed = ({ what, by, at, reason }: RunTexts['history'][number]): string =>
  `<li><p class="what">${escapeHtml(what)}</p><p class="reason">${escapeHtml(reason)}</p><p class="quiet">by ${slot('by', by)}, ${timeElement(at || undefined, 'moment')}</p></li>`;
