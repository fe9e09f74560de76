/**
 * `/outbox`: what would have been sent, for people and for programs. Development only.
 *
 * Messages hold what strangers typed. Fails closed: their text is shown as text, and their HTML only in a frame that
 * has no origin, runs no script and loads nothing; a link in it opens a window of its own.
 */
import type { Handler } from '../handler';
import { escapeHtml } from '../html';
import { html, json } from '../http/response';
import { listOutbox, OUTBOX_SIZE, type OutboxMessage } from '../senders/outbox';
import type { Store } from '../store/store';
import mailStyle from './assets/mail.css' with { type: 'text' };
import outboxScript from './assets/outbox.client.js' with { type: 'text' };
import outboxStyle from './assets/outbox.css' with { type: 'text' };
import suiteStyle from './assets/suite.css' with { type: 'text' };
import { htmlDocument } from './document';
import { messageId, messageList, timeOf } from './message-list';

/**
 * JSON where `accept` names it, newest last; else a page, newest first: `?message=` opens one, `&as=text` its plain
 * text, and `?list=6` is the list of the newest six alone.
 */
export const outboxPage =
  (store: Store): Handler =>
  async (request) => {
    const messages = await listOutbox(store);
    const headers = { 'cache-control': 'no-store', vary: 'accept' };
    if (/\bapplication\/json\b/i.test(request.headers.get('accept') ?? ''))
      return json({ messages }, { headers });
    const query = new URL(request.url).searchParams;
    const asked = query.get('message');
    const chosen = messages.find((message) => messageId(message) === asked);
    const list = Number(query.get('list'));
    if (list > 0) return listOnly(messageList(messages.slice(-list), chosen), headers);
    const shown = asked === null ? messages.at(-1) : chosen;
    return htmlDocument({
      title: `${chosen ? `${titleOf(chosen)} · ` : ''}Outbox`,
      status: asked === null || chosen ? 200 : 404,
      headers,
      style: suiteStyle + outboxStyle,
      frameStyle: mailStyle,
      scripts: [outboxScript],
      body: bodyOf(messages, {
        shown,
        chosen: asked !== null,
        pane: shown ? pane(shown, messages, query.get('as')) : asked === null ? '' : GONE,
      }),
    });
  };

/** For the scripts that keep a list fresh; without style, which the policy of the page around it might not know. */
const listOnly = (list: string, headers: Readonly<Record<string, string>>): Response =>
  html(`<!doctype html><title>Outbox</title><div id="messages">${list}</div>`, {
    headers: { ...headers, 'content-security-policy': "default-src 'none'" },
  });

interface View {
  readonly shown: OutboxMessage | undefined;
  /** Whether one was asked for; on a narrow screen only then it takes the place of the list. */
  readonly chosen: boolean;
  readonly pane: string;
}

const bodyOf = (messages: readonly OutboxMessage[], { shown, chosen, pane }: View): string => {
  const live = `/outbox?list=${OUTBOX_SIZE}${shown ? `&amp;message=${messageId(shown)}` : ''}`;
  return `<header class="bar"><a href="/">Functions</a> <h1>Outbox</h1> <p class="quiet" role="status" id="news"></p></header>
<main class="outbox${chosen ? ' chosen' : ''}">
<section class="list" aria-label="Messages"><div id="messages" data-live="${live}">${messageList(messages, shown)}</div></section>
${pane}
</main>`;
};

const pane = (
  message: OutboxMessage,
  messages: readonly OutboxMessage[],
  as: string | null,
): string => `<article class="message" aria-labelledby="subject">
<p class="back"><a href="/outbox">All messages</a></p>
<h2 id="subject">${escapeHtml(titleOf(message))}</h2>
${message.channel === 'sms' ? thread(message, messages) : mail(message, as)}
</article>`;

const titleOf = ({ channel, to, subject }: OutboxMessage): string =>
  channel === 'sms' ? `Messages to ${to}` : subject;

/** All that went to this number, newest first like the list: a code is looked for soon after it came. */
const thread = ({ to }: OutboxMessage, messages: readonly OutboxMessage[]): string =>
  `<ol class="bubbles">${messages
    .filter((message) => message.channel === 'sms' && message.to === to)
    .toReversed()
    .map(({ text, at }) => `<li><p class="bubble">${linked(text)}</p>${timeOf(at)}</li>`)
    .join('')}</ol>`;

const mail = (message: OutboxMessage, as: string | null): string => {
  const { to, at, text, html, listUnsubscribe } = message;
  const asText = html === undefined || as === 'text';
  const here = `/outbox?message=${messageId(message)}`;
  const view = (href: string, label: string, current: boolean) =>
    `<a href="${href}"${current ? ' aria-current="page"' : ''}>${label}</a>`;
  return `<dl class="head"><div><dt>To</dt><dd>${escapeHtml(to)}</dd></div><div><dt>Sent</dt><dd>${timeOf(at)}</dd></div>${leave(listUnsubscribe)}</dl>
${html === undefined ? '' : `<nav class="views" aria-label="Show as">${view(here, 'HTML', !asText)} ${view(`${here}&amp;as=text`, 'Plain text', asText)}</nav>`}
${asText ? `<pre class="paper">${linked(text)}</pre>` : frame(html)}`;
};

const leave = (url: string | undefined): string =>
  url !== undefined && /^https?:\/\//i.test(url)
    ? `<div><dt>List</dt><dd><a href="${escapeHtml(url)}" target="_blank" rel="noopener">Unsubscribe</a></dd></div>`
    : '';

/**
 * `sandbox` without `allow-scripts` and `allow-same-origin`; the policy of the page holds in the frame as well. The
 * base lets links open outside: in the frame nothing but the mail itself may be shown.
 */
const frame = (html: string): string =>
  `<iframe class="paper" title="The mail" sandbox="allow-popups allow-popups-to-escape-sandbox" referrerpolicy="no-referrer" srcdoc="${escapeHtml(
    `<!doctype html><base target="_blank"><style>${mailStyle}</style>${html}`,
  )}"></iframe>`;

const GONE = `<article class="message"><p class="back"><a href="/outbox">All messages</a></p>
<p>This message is not in the outbox any more.</p></article>`;

/** Text with its http and https addresses made links, since the one in a mail is what one looks for here. */
const linked = (text: string): string =>
  text
    .split(/(https?:\/\/[^\s<>"']+)/)
    .map((part, i) =>
      i % 2 === 0
        ? escapeHtml(part)
        : `<a href="${escapeHtml(part)}" target="_blank" rel="noopener">${escapeHtml(part)}</a>`,
    )
    .join('');
