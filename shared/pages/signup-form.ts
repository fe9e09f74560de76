/**
 * The form at `/` that signs a user up and shows the run: shown in development, when the pipeline `signup` is served.
 * The scripts beside it fill in what is empty here.
 */
import { NOTHING } from './message-list';

export const signupForm = (): string => `<section class="try" aria-labelledby="try">
<h2 id="try">Try it: sign someone up</h2>
<p class="quiet">One POST to <a href="#function-signup">signup</a> starts a run. Its steps call the functions below; you see each one advance.</p>
<noscript><p>This form needs JavaScript; the curl of <a href="#function-signup">signup</a> does the same without.</p></noscript>
<div class="columns">
<div class="card">
<form id="signup-form" novalidate hidden>
${field({ name: 'username', label: 'Username', attributes: 'autocomplete="username" aria-required="true"', rule: 'Enter a name of 1 to 100 characters that a reader can see.' })}
${field({ name: 'email', label: 'Email', attributes: 'type="email" autocomplete="email" aria-required="true"', rule: 'Enter one mail address, such as ada@example.com.' })}
${field({ name: 'phoneNumber', label: 'Phone number (optional)', attributes: 'type="tel" autocomplete="tel"', rule: 'Enter a number in international form, such as +1 202 555 0123.', hint: 'In international form. A one-time code goes to it.' })}
<div class="check"><input type="checkbox" id="newsletter" name="newsletter"><label for="newsletter">Send me the newsletter</label></div>
<p class="problem" id="signup-problem" role="alert"></p>
<p class="buttons"><button>Sign up</button> <button type="button" class="second" id="example">Fill in an example</button></p>
</form>
<div id="run" class="run">
<h3 id="run-heading" hidden>The run</h3>
<p id="run-state" role="status"></p>
<ol class="steps" id="steps" aria-labelledby="run-heading" hidden></ol>
<template id="step"><li><span class="mark" aria-hidden="true"></span><span class="name"></span> <span class="state"></span> <span class="note quiet"></span></li></template>
<form id="code-form" novalidate hidden>
${field({ name: 'code', label: 'Code', attributes: 'inputmode="numeric" autocomplete="one-time-code" aria-required="true"', rule: 'Enter the six digits of the code.', hint: 'Six digits, good for ten minutes and five attempts.', alert: true })}
<p class="buttons"><button>Confirm phone</button></p>
</form>
<p class="confirmed" id="confirmed" role="status" tabindex="-1"></p>
</div>
</div>
<section class="card beside" aria-labelledby="outbox">
<h3 id="outbox"><a href="/outbox">Outbox</a></h3>
<p class="quiet unseen" role="status" id="news"></p>
<div id="messages" data-live="/outbox?list=6">${NOTHING}</div>
</section>
</div>
</section>`;

interface Field {
  readonly name: string;
  readonly label: string;
  readonly attributes: string;
  /** Said when the value does not fit. */
  readonly rule: string;
  /** Said beforehand. @default nothing */
  readonly hint?: string;
  /** Its mistake is read out at once: for a field that keeps the focus. @default false */
  readonly alert?: boolean;
}

const field = ({
  name,
  label,
  attributes,
  rule,
  hint,
  alert = false,
}: Field): string => `<div class="field">
<label for="${name}">${label}</label>
<input id="${name}" name="${name}" ${attributes} data-rule="${rule}" aria-describedby="${name}-mistake${hint === undefined ? '' : ` ${name}-hint`}">
${hint === undefined ? '' : `<p class="hint quiet" id="${name}-hint">${hint}</p>\n`}<p class="mistake" id="${name}-mistake"${alert ? ' role="alert"' : ''}></p>
</div>`;
