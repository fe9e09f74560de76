import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';

export interface Visit {
  readonly page: Page;
  /** Addresses asked for, by this page and those that it opened. */
  readonly requests: readonly string[];
  /** Those of them that somebody answered: what the browser itself has stopped is not among them. */
  readonly answered: readonly string[];
  /** What the browser refused or what threw. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** A browser that was never here before, and a record of what it asks for and what goes wrong. */
export const visit = async (
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<Visit> => {
  const context = await browser.newContext(options);
  const requests: string[] = [];
  const answered: string[] = [];
  const complaints: string[] = [];
  await context.addInitScript(
    "document.addEventListener('securitypolicyviolation', (e) => console.error('securitypolicyviolation', e.effectiveDirective, e.blockedURI))",
  );
  context.on('request', (request) => requests.push(request.url()));
  context.on('response', (response) => answered.push(response.url()));
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('dialog', (dialog) => {
    complaints.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on('console', (message) => {
    // An answer of 400 is an error to the console, and what some tests are about.
    if (message.type() === 'error' && !/^Failed to load resource/.test(message.text()))
      complaints.push(message.text());
  });
  return {
    page: await context.newPage(),
    requests,
    answered,
    complaints,
    close: () => context.close(),
  };
};

/** Presses Tab until it has the focus; more than a page has to offer means that it cannot be reached. */
export const tabTo = async (page: Page, target: Locator): Promise<void> => {
  for (let presses = 0; presses < 100; presses++) {
    await page.keyboard.press('Tab');
    if (await hasFocus(target)) return;
  }
  throw new Error(`the keyboard does not reach ${target}`);
};

export const hasFocus = async (target: Locator): Promise<boolean> =>
  (await target.and(target.page().locator(':focus')).count()) === 1;
