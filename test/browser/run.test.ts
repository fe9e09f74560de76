/** The page of a run in a real browser: it follows the run, and is the same picture as without script. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { Run } from '../../shared/pipeline/run';
import { launchChromium } from '../support/chromium';
import { type Visit, visit } from './browse';
import { ORDER, type RunHost, startRunHost } from './run-host';

const LINKS = Array.from({ length: 10 }, (_, index) => `link-${index}`);
/** One after the other, the first so slow that a browser is there in time. */
const CHAIN = `summary: One after the other.
callers: public
steps:
${LINKS.map((name, index) => `  ${name}: { webhook: ${name.toUpperCase().replace('-', '_')}_URL, after: [${index === 0 ? '' : LINKS[index - 1]}] }`).join('\n')}
`.replaceAll(/_(\d)_URL/g, (_, digit: string) => `_${'ABCDEFGHIJ'[Number(digit)]}_URL`);

let browser: Browser;
let host: RunHost;

beforeAll(async () => {
  browser = await launchChromium();
  host = await startRunHost({ order: ORDER, chain: CHAIN });
});

afterAll(async () => {
  await browser?.close();
  await host?.stop();
});

const open = async (path: string, options = {}): Promise<Visit> => {
  const opened = await visit(browser, options);
  await opened.page.goto(host.url + path);
  return opened;
};

const expectClean = ({ complaints, requests }: Visit) => {
  expect(complaints).toEqual([]);
  expect(requests.filter((url) => !url.startsWith('data:') && !url.startsWith(host.url))).toEqual(
    [],
  );
};

const stateOf = (page: Page, step: string) => page.locator(`tr[data-step="${step}"]`);
const reach = (page: Page, step: string, state: string) =>
  page.locator(`tr[data-step="${step}"][data-state="${state}"]`).waitFor();

/** All that is said of each step but the instants, in the table and in the drawing. */
const picture = (page: Page) =>
  page.evaluate(`({
    summary: document.getElementById('summary').textContent,
    state: document.getElementById('state').textContent,
    rows: [...document.querySelectorAll('.steps [data-step]')].map((row) => [row.dataset.step, row.dataset.state,
      ...[...row.querySelectorAll('span:not(:has(time)), pre')].map((place) => place.className + '=' + place.textContent)]),
    boxes: [...document.querySelectorAll('.graph [data-step]')].map((box) => [box.dataset.step, box.dataset.state,
      // The box is as wide as it was drawn: what has no room any more is cut.
      ...[...box.querySelectorAll('tspan')].map(({ dataset, textContent }) => dataset.whole ?? textContent)]),
    history: [...document.querySelectorAll('#history li')].map((item) => item.querySelector('.what').textContent + item.querySelector('.reason').textContent),
  })`) as Promise<Record<string, unknown>>;

describe('a run under way', () => {
  test('is shown as it goes: an optional step fails, another waits for an answer', async () => {
    host.reply('charge', { body: { receipt: 'r-17' }, after: 1_000 });
    host.reply('newsletter', { status: 503 });
    const location = await host.start('order', { wish: 'hidden-wish' });
    const one = await open(location);
    const { page } = one;
    await reach(page, 'charge', 'running');
    await page.getByText('Live').waitFor();
    await reach(page, 'charge', 'succeeded');
    await reach(page, 'newsletter', 'failed');
    await reach(page, 'approve', 'running');
    const { page: still } = await open(location, { javaScriptEnabled: false });
    expect(await picture(page)).toEqual(await picture(still));
    expect(await stateOf(page, 'charge').locator('.output').textContent()).toContain('r-17');
    expect(await stateOf(page, 'newsletter').textContent()).toMatch(
      /2 of 2[\s\S]*refused 503The receiver had a fault of its own\./,
    );
    expect(await stateOf(page, 'approve').locator('.next').textContent()).toMatch(
      /^time is up in (?:59 minutes|60 minutes|1 hour)$/,
    );
    expect(await page.locator('.graph g[data-step="newsletter"]').getAttribute('data-state')).toBe(
      'failed',
    );
    const news = page.locator('#news');
    await news.getByText('approve waits for an answer.').waitFor();
    expect(await news.getAttribute('role')).toBe('status');
    expect(await still.getByRole('button').count()).toBe(0);
    expect(await still.locator('#still').isVisible()).toBe(true);
    expect(await page.locator('#still').isVisible()).toBe(false);
    expect(await page.content()).not.toContain('hidden-wish');
    expect(await page.locator('.graph desc').textContent()).toContain(
      'newsletter: failed, refused',
    );
    expect(
      await page.evaluate(`[...document.querySelectorAll('.graph [data-step]')].filter((step) =>
      step.querySelector('text:has(.state)').getBoundingClientRect().right > step.querySelector('.box').getBoundingClientRect().right).length`),
    ).toBe(0);
    expectClean(one);
  });

  test('counts the seconds down to the next try', async () => {
    host.reply('charge', { status: 503 });
    const location = await host.start('order');
    const { page } = await open(location);
    await stateOf(page, 'charge')
      .locator('.next')
      .getByText(/in [1-9]/)
      .waitFor();
    const next = stateOf(page, 'charge').locator('.next time');
    const seen = new Set<string | null>();
    for (let looks = 0; looks < 60 && seen.size < 2; looks++) {
      seen.add(await next.textContent());
      await page.waitForTimeout(100);
    }
    expect(seen.size).toBeGreaterThan(1);
  });
});

test('a change is in the page soon after it was recorded', async () => {
  for (const [index] of LINKS.entries())
    host.reply(`link-${'abcdefghij'[index]}`, { after: index === 0 ? 1_500 : 20 });
  const delays: number[] = [];
  for (let round = 0; round < 3; round++) {
    const location = await host.start('chain');
    const { page, close } = await visit(browser);
    await page.goto(host.url + location);
    await page.evaluate(`globalThis.seen = []; for (const row of document.querySelectorAll('tr[data-step]'))
      new MutationObserver(() => seen.push([row.dataset.step, row.dataset.state, Date.now()]))
        .observe(row, { attributes: true, attributeFilter: ['data-state'] })`);
    await page.locator('#summary', { hasText: '10 of 10 steps done.' }).waitFor();
    const { steps }: Run = await host.ended(location);
    const seen = (await page.evaluate('seen')) as readonly [string, string, number][];
    for (const [name, state, at] of seen)
      delays.push(
        at -
          Date.parse((state === 'running' ? steps[name]?.startedAt : steps[name]?.endedAt) ?? ''),
      );
    await close();
  }
  expect(delays.length).toBeGreaterThan(30);
  const sorted = delays.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] as number;
  console.log(
    `from the change to the page: median ${at(0.5)} ms, p95 ${at(0.95)} ms, ${delays.length} changes`,
  );
  expect(at(0.95)).toBeLessThanOrEqual(1_000);
});

describe('the list of runs', () => {
  test('shows those of a state, and leads to each', async () => {
    host.reply('charge', { status: 422 });
    const location = await host.start('order');
    await host.ended(location);
    const one = await open('/order/runs');
    const { page } = one;
    await page
      .getByRole('navigation', { name: 'By state' })
      .getByRole('link', { name: 'failed' })
      .click();
    await page.waitForURL(/state=failed/);
    const states = await page.locator('tbody .state').allTextContents();
    expect(new Set(states)).toEqual(new Set(['failed']));
    expect(await page.getByRole('link', { name: /dead letter/ }).textContent()).toMatch(
      /^\d+ dead/,
    );
    await page.getByRole('link', { name: location.split('/').at(-1) as string }).click();
    await page.getByRole('heading', { name: 'order' }).waitFor();
    await page.getByText('Failed at charge.').waitFor();
    expectClean(one);
  });

  test('goes back in time page by page', async () => {
    const { page } = await open('/order/runs?limit=1');
    const first = await page.locator('tbody code').textContent();
    await page.getByRole('link', { name: 'Older' }).click();
    await page.waitForURL(/after=/);
    expect(await page.locator('tbody code').textContent()).not.toBe(first);
    await page.getByRole('link', { name: 'Newest' }).click();
    await page.getByText(first as string).waitFor();
  });
});

test('the graph is a drawing in a browser, with its style', async () => {
  const one = await open('/order/graph');
  const fill = await one.page.evaluate("getComputedStyle(document.querySelector('.lines')).fill");
  expect(fill).toBe('none');
  expectClean(one);
});
