/** The runs of a pipeline, newest first, for operators: by state, page by page. */
import { escapeHtml } from '../html';
import type { RunState, RunSummary } from '../pipeline/run';
import runStyle from './assets/run-page.css' with { type: 'text' };
import timesScript from './assets/run-times.client.js' with { type: 'text' };
import suiteStyle from './assets/suite.css' with { type: 'text' };
import { htmlDocument } from './document';
import { timeElement } from './run-times';

export interface RunListPageOptions {
  readonly pipeline: string;
  readonly runs: readonly RunSummary[];
  /** Where the next page begins. @default this is the last */
  readonly next?: string;
  /** What was asked for. */
  readonly query: URLSearchParams;
  readonly deadLetters: { readonly count: number; readonly more: boolean };
}

const STATES: readonly RunState[] = ['running', 'succeeded', 'failed', 'cancelled'];

export const runListPage = ({
  pipeline,
  runs,
  next,
  query,
  deadLetters: { count, more },
}: RunListPageOptions): Response => {
  const base = `/${pipeline}`;
  const at = (changes: Readonly<Record<string, string | undefined>>): string => {
    const changed = new URLSearchParams(query);
    for (const [name, value] of Object.entries(changes))
      if (value === undefined) changed.delete(name);
      else changed.set(name, value);
    return escapeHtml(`${base}/runs${changed.size > 0 ? `?${changed}` : ''}`);
  };
  const chosen = query.get('state') ?? undefined;
  const view = (state: RunState | undefined, label: string): string =>
    `<a href="${at({ state, after: undefined })}"${state === chosen ? ' aria-current="page"' : ''}>${label}</a>`;
  const isFirst = query.get('after') === null;
  return htmlDocument({
    title: `Runs of ${pipeline}`,
    headers: { vary: 'accept' },
    style: suiteStyle + runStyle,
    scripts: [timesScript],
    body: `<header class="bar"><a href="/">Functions</a></header>
<main class="run">
<div class="title"><h1>Runs of ${escapeHtml(pipeline)}</h1>
<p class="lead">${count === 0 ? 'No dead letters.' : `<a href="${escapeHtml(base)}/dead-letters">${count}${more ? ' and more dead letters' : count === 1 ? ' dead letter' : ' dead letters'}</a>`}</p></div>
<nav class="views" aria-label="By state">${view(undefined, 'All')} ${STATES.map((state) => view(state, state)).join(' ')}</nav>
${runs.length === 0 ? '<p class="quiet">No such runs.</p>' : table(base, runs)}
${isFirst && next === undefined ? '' : `<nav class="pages" aria-label="Pages">${isFirst ? '' : `<a href="${at({ after: undefined })}">Newest</a>`} ${next === undefined ? '' : `<a href="${at({ after: next })}">Older</a>`}</nav>`}
</main>`,
  });
};

const table = (base: string, runs: readonly RunSummary[]): string =>
  `<div class="card"><table class="runs" role="table" aria-label="Runs">
<thead role="rowgroup"><tr role="row">${['Run', 'State', 'Began', 'Ended'].map((heading) => `<th role="columnheader" scope="col">${heading}</th>`).join('')}</tr></thead>
<tbody role="rowgroup">${runs.map((run) => row(base, run)).join('')}</tbody></table></div>`;

const row = (base: string, { id, state, createdAt, endedAt }: RunSummary): string =>
  `<tr role="row" data-state="${state}"><th role="rowheader" scope="row"><a href="${escapeHtml(`${base}/runs/${id}`)}"><code>${escapeHtml(id)}</code></a></th>
<td role="cell"><span class="sign" aria-hidden="true"></span><span class="state">${state}</span></td>
<td role="cell" data-label="Began">${timeElement(createdAt, 'moment')}</td>
<td role="cell" data-label="Ended">${endedAt === undefined ? '' : timeElement(endedAt, 'moment')}</td></tr>
`;
