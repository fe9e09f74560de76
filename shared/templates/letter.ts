/** A short mail, written once and given as plain text and as HTML. Everything in it is taken for text. */
import { escapeHtml } from '../html';
import type { Mail } from '../senders/sender';

export interface Letter {
  readonly subject: string;
  /** One line each. */
  readonly paragraphs: readonly string[];
  /** The one thing to do, before the last paragraph. @default nothing */
  readonly action?: { readonly label: string; readonly url: string };
  /** A language tag. */
  readonly locale: string;
}

export const renderLetter = ({
  subject,
  paragraphs,
  action,
  locale,
}: Letter): Pick<Mail, 'subject' | 'text' | 'html'> => {
  const before = paragraphs.slice(0, -1);
  const last = paragraphs.slice(-1);
  const text = [...before, ...(action ? [`${action.label}:\n${action.url}`] : []), ...last];
  const marked = [
    ...before.map(escapeHtml),
    ...(action ? [`<a href="${escapeHtml(action.url)}">${escapeHtml(action.label)}</a>`] : []),
    ...last.map(escapeHtml),
  ].map((line) => `<p>${line}</p>`);
  return {
    subject,
    text: `${text.join('\n\n')}\n`,
    html: `<!doctype html>\n<html lang="${escapeHtml(locale)}">\n<meta charset="utf-8">\n<title>${escapeHtml(subject)}</title>\n${marked.join('\n')}\n</html>\n`,
  };
};
