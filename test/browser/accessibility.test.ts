/** axe-core finds nothing, and nothing is wider than the screen: in light and dark, on a phone and a desk. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { bundle } from '../support/bundle';
import { launchChromium } from '../support/chromium';
import { type HostProcess, startHost } from '../support/host-process';
import { visit } from './browse';

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly target: unknown; readonly failureSummary: string }[];
}

/** Every rule; the mail in its frame is a page of its own and is looked at as one. */
const violations = async (page: Page): Promise<string[]> => {
  await page.evaluate(AXE);
  const { violations } = (await page.evaluate(
    'axe.run(document, { iframes: false, resultTypes: ["violations"] })',
  )) as { violations: readonly Violation[] };
  return violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join('; ')}`,
  );
};

/** What sticks out at the right, so that one would have to scroll sideways. */
const tooWide = (page: Page): Promise<string[]> =>
  page.evaluate(
    `[...document.querySelectorAll('body *')].filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5).map((element) => element.outerHTML.slice(0, 80)).concat(document.documentElement.scrollWidth > innerWidth ? ['the page scrolls'] : [])`,
  );

let browser: Browser;
let host: HostProcess;
let empty: HostProcess;

beforeAll(async () => {
  browser = await launchChromium();
  const file = bundle('deploy/entry/functions-framework.ts');
  [host, empty] = await Promise.all([startHost({ file }), startHost({ file })]);
});

afterAll(async () => {
  await browser?.close();
  await Promise.all([host?.stop(), empty?.stop()]);
});

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  test.each([320, 1280])('at %i pixels', async (width) => {
    const { page, close } = await visit(browser, {
      colorScheme,
      viewport: { width, height: 800 },
    });
    const found: Record<string, readonly string[]> = {};
    const look = async (what: string) => {
      const all = [...(await violations(page)), ...(await tooWide(page))];
      if (all.length > 0) found[what] = all;
    };
    await page.goto(`${empty.url}/outbox`);
    await look('the empty outbox');

    await page.goto(host.url);
    for (const summary of await page.locator('summary').all()) await summary.click();
    await look('the list with every environment open');
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.getByText('Please look at').waitFor();
    await look('mistakes');
    await page.getByRole('button', { name: 'Fill in an example' }).click();
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.getByText('Signed up.').waitFor();
    await page.locator('#messages a').first().waitFor();
    await look('a run that has ended, with the code asked for');

    await page.goto(`${host.url}/outbox`);
    await look('the outbox');
    await page
      .getByRole('link', { name: /^Mail.*confirm/ })
      .first()
      .click();
    await page.waitForURL(/message=/);
    await look('a mail as HTML');
    await page.getByRole('link', { name: 'Plain text' }).click();
    await page.waitForURL(/as=text/);
    await look('a mail as text');
    await page.goto(`${host.url}/outbox`);
    await page.getByRole('link', { name: /^SMS/ }).first().click();
    await page.waitForURL(/message=/);
    await look('messages to a phone');
    expect(found).toEqual({});
    await close();
  });
});

test('a mail itself has a language, a title and links with names', async () => {
  const { page, close } = await visit(browser);
  const { messages } = (await (
    await fetch(`${host.url}/outbox`, { headers: { accept: 'application/json' } })
  ).json()) as { messages: readonly { html?: string }[] };
  const letters = messages.flatMap(({ html }) => (html === undefined ? [] : [html]));
  expect(letters.length).toBeGreaterThan(0);
  for (const letter of letters.slice(-2)) {
    await page.setContent(letter);
    await page.evaluate(AXE);
    const result = (await page.evaluate(
      'axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] })',
    )) as { violations: readonly Violation[] };
    expect(result.violations.map(({ id }) => id)).toEqual([]);
  }
  await close();
});
