/**
 * An HTML document of ours. Style and script stand in it and are allowed by their hashes, so nothing else runs: not
 * even a file of this origin, since a function may pass on what a stranger wrote. Fails closed: with a policy that does
 * not match, the page is plain text and dead.
 */
import { createHash } from 'node:crypto';
import { escapeHtml } from '../html';
import { html } from '../http/response';
import base from './assets/base.css' with { type: 'text' };

export interface HtmlDocument {
  readonly title: string;
  /** HTML; everything from outside is escaped already. */
  readonly body: string;
  /** @default 200 */
  readonly status?: number;
  /** Of the text, a language tag. @default 'en' */
  readonly locale?: string;
  /** Beside those that every document has. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** CSS on top of the base. @default none */
  readonly style?: string;
  /** CSS that a frame in it may use, by its hash. @default none */
  readonly frameStyle?: string;
  /** JavaScript modules; they may talk to this origin only. @default none */
  readonly scripts?: readonly string[];
}

export const htmlDocument = ({
  title,
  body,
  status = 200,
  locale = 'en',
  headers = {},
  style = '',
  frameStyle,
  scripts = [],
}: HtmlDocument): Response => {
  const css = base + style;
  const styles = frameStyle === undefined ? [css] : [css, frameStyle];
  return html(
    `<!doctype html>
<html lang="${escapeHtml(locale)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="${ICON}">
<style>${css}</style>
${scripts.map((script) => `<script type="module">${script}</script>\n`).join('')}</head>
<body>
${body}
</body>
</html>
`,
    {
      status,
      headers: {
        'content-security-policy': policy(styles, scripts),
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        ...headers,
      },
    },
  );
};

const policy = (styles: readonly string[], scripts: readonly string[]): string =>
  [
    "default-src 'none'",
    `style-src ${styles.map(sourceOf).join(' ')}`,
    'img-src data:',
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    ...(scripts.length === 0
      ? []
      : [
          `script-src ${scripts.map(sourceOf).join(' ')}`,
          "connect-src 'self'",
          // The scripts build nothing from strings, so nobody else may either.
          "require-trusted-types-for 'script'",
          "trusted-types 'none'",
        ]),
  ].join('; ');

const sources = new Map<string, string>();

/** Known texts only, so the map stays as small as the code. */
const sourceOf = (text: string): string => {
  const known = sources.get(text);
  if (known !== undefined) return known;
  const source = `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  sources.set(text, source);
  return source;
};

/** Three boxes and the arrows between them, in the colour of the accent. */
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0f5c57"/><g fill="none" stroke="#fff" stroke-width="2.5"><path d="M11 16h4m0 0 6-6m-6 6 6 6"/></g><g fill="#fff"><circle cx="9" cy="16" r="4"/><circle cx="23" cy="9" r="4"/><circle cx="23" cy="23" r="4"/></g></svg>',
)}`;
