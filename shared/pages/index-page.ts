/** The list of what is served, at `/`: a page for a browser, JSON for everything else. */
import type { Handler } from '../handler';
import { json } from '../http/response';
import type { FunctionDescription } from '../suite/describe';
import codeScript from './assets/code.client.js' with { type: 'text' };
import copyScript from './assets/copy.client.js' with { type: 'text' };
import indexStyle from './assets/index.css' with { type: 'text' };
import outboxScript from './assets/outbox.client.js' with { type: 'text' };
import runScript from './assets/run.client.js' with { type: 'text' };
import signupScript from './assets/signup.client.js' with { type: 'text' };
import suiteStyle from './assets/suite.css' with { type: 'text' };
import { htmlDocument } from './document';
import { functionList } from './function-list';
import { signupForm } from './signup-form';

export interface IndexPageOptions {
  readonly describe: () => readonly FunctionDescription[];
  /** Shows the outbox and, where the pipeline `signup` is served, its form: both need what only development leaves open. */
  readonly development: boolean;
}

export const indexPage =
  ({ describe, development }: IndexPageOptions): Handler =>
  (request) => {
    const functions = describe();
    const wantsHtml = /text\/html/i.test(request.headers.get('accept') ?? '');
    if (!wantsHtml) return json({ functions }, { headers: { vary: 'accept' } });
    const signup = functions.some(({ name, kind }) => name === 'signup' && kind === 'pipeline');
    const form = development && signup;
    return htmlDocument({
      title: 'faas-patterns',
      headers: { vary: 'accept' },
      style: suiteStyle + indexStyle,
      scripts: form
        ? [copyScript, outboxScript, signupScript, runScript, codeScript]
        : [copyScript],
      body: `<a class="skip" href="#functions">Skip to the functions</a>
<header class="top">
<h1>faas-patterns</h1>
<p class="lead">Serverless functions for the patterns of <cite>Designing Distributed Systems</cite>: this is what this server runs, and how to call it.</p>
${development ? `<nav aria-label="Pages"><a href="#functions">Functions</a> <a href="/outbox">Outbox</a></nav>` : ''}
</header>
<main>
${form ? signupForm() : ''}
<section class="functions" aria-labelledby="functions">
<h2 id="functions" tabindex="-1">Functions</h2>
<p class="quiet">${callersNote(development)}</p>
<p class="unseen" role="status" id="copied"></p>
<div class="cards">
${functionList(functions)}
</div>
</section>
</main>`,
    });
  };

const callersNote = (development: boolean): string =>
  development
    ? 'In production everyone may call what is <b>public</b>; <b>backend</b> takes the steps of our own pipelines and bearers of <code>CALLER_TOKENS</code>, <b>admin</b> those of <code>ADMIN_TOKENS</code>. Here, in development, all are open.'
    : 'Everyone may call what is <b>public</b>; <b>backend</b> takes the steps of our own pipelines and bearers of <code>CALLER_TOKENS</code>, <b>admin</b> those of <code>ADMIN_TOKENS</code>.';
