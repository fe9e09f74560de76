/**
 * The page of a run: its graph, its steps, what was asked of it; with script it follows the run and takes orders.
 *
 * For everybody who has the address. Fails closed: it is made of what a reader of the run may see, never of its input.
 */
import { escapeHtml } from '../html';
import { drawSvg, GRAPH_STYLE } from '../pipeline/draw/svg';
import type { Pipeline } from '../pipeline/pipeline';
import type { Run } from '../pipeline/run';
import graphScript from './assets/run-graph.client.js' with { type: 'text' };
import liveScript from './assets/run-live.client.js' with { type: 'text' };
import orderScript from './assets/run-order.client.js' with { type: 'text' };
import runStyle from './assets/run-page.css' with { type: 'text' };
import showScript from './assets/run-show.client.js' with { type: 'text' };
import timesScript from './assets/run-times.client.js' with { type: 'text' };
import suiteStyle from './assets/suite.css' with { type: 'text' };
import { htmlDocument } from './document';
import { page } from './page';
import { factsOf, publicGraph } from './run-graph';
import { orderForm } from './run-orders';
import { history, stepTable } from './run-rows';
import { describeRun } from './run-texts';
import { timeElement } from './run-times';

export interface RunPageOptions {
  readonly run: Run;
  /** The graph of the run. */
  readonly pipeline: Pipeline;
  /** Orders need a token, and what only development leaves open is not linked. */
  readonly production: boolean;
  /** ms since the epoch */
  readonly now: number;
}

export const runPage = ({ run, pipeline, production, now }: RunPageOptions): Response => {
  const graph = publicGraph(pipeline);
  const facts = factsOf(pipeline);
  const texts = describeRun(run, facts);
  const stands = new Date(now).toISOString();
  return htmlDocument({
    title: `${texts.state} · ${run.pipeline}`,
    headers: { vary: 'accept' },
    style: suiteStyle + GRAPH_STYLE + runStyle,
    scripts: [
      `globalThis.describeRun = ${describeRun};`,
      timesScript,
      graphScript,
      showScript,
      liveScript,
      orderScript,
    ],
    body: `<header class="bar">${production ? '' : `<a href="/">Functions</a> <a href="/${escapeHtml(run.pipeline)}/runs">Runs of ${escapeHtml(run.pipeline)}</a>`}<p class="quiet" role="status" id="connection"></p></header>
<main class="run" data-state="${run.state}">
<div class="title">
<h1 id="heading" tabindex="-1">${escapeHtml(run.pipeline)}</h1>
<p class="badge" id="state">${escapeHtml(texts.state)}</p>
<p class="buttons orders" hidden><button type="button" id="replay" class="second">Replay…</button> <button type="button" id="cancel" class="second">Cancel…</button></p>
<p class="lead" id="summary">${escapeHtml(texts.summary)}</p>
</div>
<p class="quiet" id="still">This is how it stood at ${timeElement(stands, 'moment')}; load the page again to see more.</p>
<p class="unseen" role="status" id="news"></p>
<dl class="facts">
<div><dt>Began</dt><dd>${timeElement(run.createdAt, 'moment')}</dd></div>
<div${run.endedAt === undefined ? ' hidden' : ''}><dt>Ended</dt><dd>${timeElement(run.endedAt, 'moment', 'ended')}<span class="took">${escapeHtml(texts.took)}</span></dd></div>
<div${run.endedAt === undefined ? '' : ' hidden'}><dt>Ends at the latest</dt><dd>${timeElement(run.deadlineAt, 'moment', 'deadline')}</dd></div>
<div><dt>Run</dt><dd><code>${escapeHtml(run.id)}</code></dd></div>
</dl>
<div class="card graph" role="group" aria-label="Graph" tabindex="0">${drawSvg(graph, { results: run.steps, withStyle: false })}</div>
<section class="card" aria-labelledby="steps-heading">
<h2 id="steps-heading">Steps</h2>
${stepTable(graph.steps, run.steps, texts)}
</section>
<section class="card" id="orders" aria-labelledby="history-heading"${texts.history.length === 0 ? ' hidden' : ''}>
<h2 id="history-heading">Replays and cancellation</h2>
${history(texts)}
</section>
</main>
${orderForm({ steps: graph.steps, production })}
<script type="application/json" id="facts">${asData({ ...facts, now: stands })}</script>`,
  });
};

/** JSON in a page: nothing in it ends the element that holds it. */
const asData = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');

export const noRunPage = (): Response =>
  page({
    title: 'No such run',
    status: 404,
    headers: { vary: 'accept' },
    body: '<p>There is no run at this address, or it is not kept any more.</p>',
  });
