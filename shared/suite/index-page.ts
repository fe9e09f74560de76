/** The list of what is served, at `/`: a page for a browser, JSON for everything else. */
import type { Handler } from '../handler';
import { escapeHtml } from '../html';
import { json } from '../http/response';
import { page } from '../pages/page';
import type { FunctionDescription, RouteDescription } from './describe';

export const indexPage =
  (describe: () => readonly FunctionDescription[]): Handler =>
  (request) => {
    const functions = describe();
    const wantsHtml = /text\/html/i.test(request.headers.get('accept') ?? '');
    if (!wantsHtml) return json({ functions }, { headers: { vary: 'accept' } });
    return page({
      title: 'Functions',
      headers: { vary: 'accept' },
      body: `<p>${functions.length} functions. Mails and messages of development are at <a href="/outbox">/outbox</a>.</p>${functions.map(section).join('')}`,
    });
  };

const section = ({ name, kind, summary, routes, config }: FunctionDescription): string => `
<article id="${escapeHtml(name)}">
<h2>${escapeHtml(name)}</h2>
<p>${escapeHtml(summary)} <small>(${kind})</small></p>
${routes.map(route).join('')}${environment(config.properties)}
</article>`;

const route = ({ method, path, summary, callers, curl }: RouteDescription): string => `
<p><code>${escapeHtml(`${method === '*' ? 'any' : method} ${path}`)}</code> ${escapeHtml(summary)} <small>(${callers})</small></p>
${curl ? `<pre><code>${escapeHtml(curl)}</code></pre>` : ''}`;

const environment = (settings: FunctionDescription['config']['properties']): string => {
  const names = Object.keys(settings);
  if (names.length === 0) return '';
  const rows = names.map(
    (name) =>
      `<li><code>${escapeHtml(name)}</code> ${escapeHtml(settings[name]?.description ?? '')}</li>`,
  );
  return `<details><summary>Environment</summary><ul>${rows.join('')}</ul></details>`;
};
