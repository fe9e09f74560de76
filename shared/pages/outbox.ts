/** `/outbox`: what would have been sent, for people and for programs. Development only. */
import type { Handler } from '../handler';
import { escapeHtml } from '../html';
import { json } from '../http/response';
import { listOutbox, type OutboxMessage } from '../senders/outbox';
import type { Store } from '../store/store';
import { page } from './page';

/** JSON where `accept` names it, else a page. Newest last in both. */
export const outboxPage =
  (store: Store): Handler =>
  async (request) => {
    const messages = await listOutbox(store);
    const headers = { 'cache-control': 'no-store', vary: 'accept' };
    if (/\bapplication\/json\b/i.test(request.headers.get('accept') ?? ''))
      return json({ messages }, { headers });
    const body =
      messages.length === 0 ? '<p>Nothing was sent yet.</p>' : messages.map(article).join('\n');
    return page({ title: 'Outbox', body, headers });
  };

const article = ({ channel, to, subject, text, at }: OutboxMessage): string => `<article>
<p>${channel} to <b>${escapeHtml(to)}</b>, <time>${escapeHtml(at)}</time></p>
${subject === '' ? '' : `<p><b>${escapeHtml(subject)}</b></p>\n`}<pre>${linked(text)}</pre>
</article>`;

/** Text with its http and https addresses made links, since the one in a mail is what one looks for here. */
const linked = (text: string): string =>
  text
    .split(/(https?:\/\/[^\s<>"']+)/)
    .map((part, i) =>
      i % 2 === 0 ? escapeHtml(part) : `<a href="${escapeHtml(part)}">${escapeHtml(part)}</a>`,
    )
    .join('');
