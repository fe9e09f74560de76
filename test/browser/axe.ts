import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly target: unknown; readonly failureSummary: string }[];
}

/** What axe-core finds by every rule, in words; what stands in a frame is a page of its own. */
export const violations = async (page: Page): Promise<string[]> => {
  await page.evaluate(AXE);
  const { violations } = (await page.evaluate(
    'axe.run(document, { iframes: false, resultTypes: ["violations"] })',
  )) as { violations: readonly Violation[] };
  return violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join('; ')}`,
  );
};

/** What sticks out at the right, so that one would have to scroll sideways; but not inside of what may scroll. */
export const tooWide = (page: Page, except = ':not(*)'): Promise<string[]> =>
  page.evaluate(
    `[...document.querySelectorAll('body *')].filter((element) => !element.closest('${except}') && element.getBoundingClientRect().right > innerWidth + 0.5).map((element) => element.outerHTML.slice(0, 80)).concat(document.documentElement.scrollWidth > innerWidth ? ['the page scrolls'] : [])`,
  );
