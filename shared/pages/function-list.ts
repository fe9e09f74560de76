/** What is served, as HTML: each function with its routes, a curl that works, its environment, and whom it calls. */
import type { Setting } from '../config';
import { escapeHtml } from '../html';
import type { FunctionDescription, RouteDescription } from '../suite/describe';

export const functionList = (functions: readonly FunctionDescription[]): string => {
  const names = new Set(functions.map(({ name }) => name));
  return functions.map((one) => article(one, names)).join('\n');
};

const article = (
  { name, kind, summary, callers, routes, config, calls }: FunctionDescription,
  names: ReadonlySet<string>,
): string => `<article class="card function" id="function-${escapeHtml(name)}" aria-labelledby="name-${escapeHtml(name)}">
<div class="about">
<h3 id="name-${escapeHtml(name)}">${escapeHtml(name)}</h3>
<p class="tags"><span class="tag">${escapeHtml(kind)}</span> <span class="tag">${callers}</span></p>
<p>${prose(summary)}</p>
${calls.length === 0 ? '' : `<p class="calls quiet">Calls ${calls.map((call) => callee(call, names)).join(', ')}.</p>`}
</div>
<div class="use">
<ul class="routes">${routes.map((one) => route(one, callers)).join('')}</ul>
${environment(config.properties)}
</div>
</article>`;

const callee = (call: string, names: ReadonlySet<string>): string =>
  names.has(call)
    ? `<a href="#function-${escapeHtml(call)}">${escapeHtml(call)}</a>`
    : `<code>${escapeHtml(call)}</code>`;

const route = (
  { method, path, summary, callers, curl }: RouteDescription,
  usual: string,
): string => `<li>
<p class="route"><code><b>${method === '*' ? 'any' : escapeHtml(method)}</b> ${breakable(path)}</code>${callers === usual ? '' : ` <span class="tag">${callers}</span>`}</p>
<p class="quiet">${prose(summary)}</p>
${curl === undefined ? '' : `<div class="curl"><pre><code>${escapeHtml(curl)}</code></pre><button type="button" class="copy" hidden aria-label="Copy the command for ${escapeHtml(`${method === '*' ? 'any' : method} ${path}`)}">Copy</button></div>`}
</li>`;

const environment = (settings: FunctionDescription['config']['properties']): string => {
  const entries = Object.entries(settings);
  if (entries.length === 0) return '';
  return `<details><summary>Environment <span class="quiet">(${entries.length})</span></summary>
<table><thead><tr><th scope="col">Variable</th><th scope="col">Meaning</th></tr></thead>
<tbody>${entries.map(([name, setting]) => row(name, setting)).join('')}</tbody></table></details>`;
};

const row = (name: string, setting: Setting): string =>
  `<tr><th scope="row"><code>${breakable(name)}</code></th><td>${prose(setting.description)}${notes(setting)}</td></tr>`;

const notes = ({ default: value, required, secret, example }: Setting): string =>
  [
    ...(required === 'always' ? ['Required.'] : []),
    ...(required === 'production' ? ['Required in production.'] : []),
    ...(value === undefined ? [] : [`Default: <code>${escapeHtml(String(value))}</code>.`]),
    ...(secret ? ['Secret.'] : []),
    ...(example === undefined ? [] : [`For example <code>${escapeHtml(example)}</code>.`]),
  ]
    .map((note) => ` <span class="quiet">${note}</span>`)
    .join('');

/** A sentence of a declaration: what stands in backticks is code. */
const prose = (text: string): string => escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');

/** May break behind `/` and `_`, so that a long name fits a phone. */
const breakable = (text: string): string => escapeHtml(text).replace(/[/_]/g, '$&<wbr>');
