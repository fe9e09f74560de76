/** The messages of the outbox as a list of links: on its own page, and beside the form at `/`. */
import { createHash } from 'node:crypto';
import { escapeHtml } from '../html';
import type { OutboxMessage } from '../senders/outbox';

/** Names a message in a URL; the idempotency key may hold any character. */
export const messageId = ({ channel, idempotencyKey }: OutboxMessage): string =>
  createHash('sha256').update(`${channel} ${idempotencyKey}`).digest('hex').slice(0, 16);

/** Newest first. `shown` is the one that stands open beside the list. */
export const messageList = (
  messages: readonly OutboxMessage[],
  shown?: OutboxMessage | undefined,
): string =>
  messages.length === 0
    ? NOTHING
    : `<ul class="messages">${messages
        .toReversed()
        .map((message) => item(message, message === shown))
        .join('')}</ul>`;

export const NOTHING =
  '<p class="quiet empty">Nothing yet. As long as no mail server and no Twilio account are set, what would be sent stays here.</p>';

const item = (message: OutboxMessage, shown: boolean): string => {
  const { channel, to, subject, text, at } = message;
  const id = messageId(message);
  return `<li><a id="m-${id}" href="/outbox?message=${id}"${shown ? ' aria-current="true"' : ''}>
<span class="channel ${channel}">${CHANNEL[channel]}</span> ${timeOf(at)} <span class="to">${escapeHtml(to)}</span>
${subject === '' ? '' : `<span class="subject">${escapeHtml(subject)}</span> `}<span class="snippet">${escapeHtml(snippet(text))}</span></a></li>
`;
};

const CHANNEL = { mail: 'Mail', sms: 'SMS' } as const;

/** In UTC, for want of the reader's zone; with script it becomes “2 minutes ago”. */
export const timeOf = (at: string): string =>
  `<time datetime="${escapeHtml(at)}">${escapeHtml(at.replace('T', ' ').replace(/(:\d\d)(?:\.\d+)?Z$/, '$1 UTC'))}</time>`;

/** The beginning in one line; a code at the end of a short one is still in it. */
const snippet = (text: string): string => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= MAX_SNIPPET ? line : `${line.slice(0, MAX_SNIPPET).trimEnd()}…`;
};

const MAX_SNIPPET = 160;
