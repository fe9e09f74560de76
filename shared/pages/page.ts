/** A small page for people: no script, nothing loaded from anywhere, never framed, cached or sent as a referrer. */
import { escapeHtml } from '../html';
import { htmlDocument } from './document';

export interface Page {
  readonly title: string;
  /** HTML; everything from outside is escaped already. */
  readonly body: string;
  /** @default 200 */
  readonly status?: number;
  /** Of the text, a language tag. @default 'en' */
  readonly locale?: string;
  /** Beside those that every page has. @default none */
  readonly headers?: Readonly<Record<string, string>>;
}

export const page = ({ body, ...rest }: Page): Response =>
  htmlDocument({
    ...rest,
    body: `<main class="page">\n<h1>${escapeHtml(rest.title)}</h1>\n${body}\n</main>`,
  });
