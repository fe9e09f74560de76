/** What one can ask of a run, as a form that the script beside it opens and sends: replay, cancel, answer. */
import { escapeHtml } from '../html';
import type { Step } from '../pipeline/pipeline';

export interface OrderFormOptions {
  readonly steps: readonly Pick<Step, 'name'>[];
  /** Asks for a token: these routes are not open. */
  readonly production: boolean;
}

export const orderForm = ({ steps, production }: OrderFormOptions): string =>
  `<dialog id="order" aria-labelledby="order-title">
<form id="order-form" method="dialog" novalidate>
<h2 id="order-title"></h2>
<p class="quiet" id="order-about"></p>
<fieldset data-for="replay"><legend>What is to run again</legend>
${choice('scope', 'all', 'All that failed or was not reached')}
${choice('scope', 'step', 'One step')}
${choice('scope', 'downstream', 'One step and what comes after it')}
<div class="field"><label for="order-step">Step</label><select id="order-step" name="step">${steps
    .map(({ name }) => `<option>${escapeHtml(name)}</option>`)
    .join('')}</select></div>
<div class="check"><input type="checkbox" id="order-resend" name="resend"><label for="order-resend">Also what has succeeded: it is sent once more, under a new key</label></div>
</fieldset>
<div class="field" data-for="answer"><label for="order-answer">Answer, as JSON</label>
<textarea id="order-answer" name="answer" rows="5" spellcheck="false" autocomplete="off"></textarea></div>
<div class="field" data-for="replay cancel"><label for="order-reason">Reason</label>
<input id="order-reason" name="reason" maxlength="500" autocomplete="off" aria-required="true"></div>
<div class="field" data-for="replay cancel"><label for="order-by">Your name (optional)</label>
<input id="order-by" name="by" maxlength="100" autocomplete="off"></div>
${production ? token : ''}<p class="problem" id="order-problem" role="alert"></p>
<p class="buttons"><button id="order-send"></button> <button type="button" class="second" id="order-leave">Not now</button></p>
</form>
</dialog>`;

const choice = (name: string, value: string, label: string): string =>
  `<div class="check"><input type="radio" name="${name}" id="order-${name}-${value}" value="${value}"${value === 'all' ? ' checked' : ''}><label for="order-${name}-${value}">${label}</label></div>`;

/** No password field: a browser would offer to keep it. */
const token = `<div class="field"><label for="order-token">Token</label>
<input id="order-token" name="token" class="secret" autocomplete="off" autocapitalize="none" spellcheck="false" aria-required="true" aria-describedby="order-token-hint">
<p class="quiet hint" id="order-token-hint"></p></div>
`;
