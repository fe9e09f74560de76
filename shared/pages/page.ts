/** A small page for people: no script, nothing loaded from anywhere, never framed, cached or sent as a referrer. */
import { createHash } from 'node:crypto';
import { escapeHtml } from '../html';
import { html } from '../http/response';

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

export const page = ({ title, body, status = 200, locale = 'en', headers = {} }: Page): Response =>
  html(
    `<!doctype html>
<html lang="${escapeHtml(locale)}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
<h1>${escapeHtml(title)}</h1>
${body}
</html>
`,
    { status, headers: { ...pageHeaders(), ...headers } },
  );

const STYLE =
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}' +
  'pre{white-space:pre-wrap;overflow-wrap:anywhere}article{border-top:1px solid;margin-top:1rem}' +
  'button{font:inherit;padding:.5rem 1rem}';

let known: Readonly<Record<string, string>> | undefined;

/** The style is allowed by its hash, so that not even a style can be smuggled in. */
const pageHeaders = (): Readonly<Record<string, string>> => {
  known ??= {
    'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
  return known;
};
