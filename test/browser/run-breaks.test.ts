/** The page of a run when something is in its way: breaks, answers that come late, a clock that is wrong. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium';
import { visit } from './browse';
import { ORDER, type RunHost, startRunHost } from './run-host';

let browser: Browser;
let host: RunHost;

beforeAll(async () => {
  browser = await launchChromium();
  host = await startRunHost({ order: ORDER });
});

afterAll(async () => {
  await browser?.close();
  await host?.stop();
});

/** A run that waits for an answer. */
const begin = async (): Promise<string> => {
  const location = await host.start('order');
  while ((await host.find(location)).steps.approve?.state !== 'running');
  return location;
};
const answer = (location: string) =>
  fetch(`${host.url}${location}/signal/approve`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"approved":true}',
  });
const reach = (page: Page, step: string, state: string) =>
  page.locator(`tr[data-step="${step}"][data-state="${state}"]`).waitFor();
/** Only what the script asks for, not the page itself. */
const isAsked = (url: URL) => /\/runs\/[^/]+$/.test(url.pathname);

test('a page that lost the connection says so, asks meanwhile, and goes on when it is back', async () => {
  const location = await begin();
  const { page } = await visit(browser);
  await page.route('**/events', (route) => route.abort());
  await page.goto(host.url + location);
  await page.getByText('Live').waitFor();
  await page.route(isAsked, (route) => route.abort());
  const connection = page.locator('#connection');
  await connection.getByText('Connection lost; trying again.').waitFor();
  expect(await connection.getAttribute('role')).toBe('status');
  await page.unroute(isAsked);
  await connection.getByText('Connected again.').waitFor();
  await answer(location);
  await reach(page, 'ship', 'succeeded');
});

test('a run that is not kept any more is said to be gone, and asked for no more', async () => {
  const location = await begin();
  const { page, requests } = await visit(browser);
  await page.goto(host.url + location);
  await page.getByText('Live').waitFor();
  await page.route('**/events', (route) => route.abort());
  await page.route(isAsked, (route) => route.fulfill({ status: 404 }));
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
  await page.getByText('This run is not kept any more.').waitFor();
  const asked = requests.length;
  await page.waitForTimeout(2_500);
  expect(requests.length).toBe(asked);
});

test('an answer that was overtaken by an event changes nothing', async () => {
  const location = await begin();
  const { page } = await visit(browser);
  await page.goto(host.url + location);
  await reach(page, 'approve', 'running');
  let release: () => void = () => {};
  const late = new Promise<void>((resolve) => {
    release = resolve;
  });
  const delivered = new Promise<void>((resolve) => {
    void page.route(isAsked, async (route) => {
      const response = await route.fetch();
      await late;
      await route.fulfill({ response });
      resolve();
    });
  });
  const asked = page.waitForRequest((request) => isAsked(new URL(request.url())));
  await page.route('**/events', (route) => route.abort(), { times: 1 });
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
  await asked;
  await page.waitForTimeout(200);
  await answer(location);
  await page.locator('#summary', { hasText: 'steps done' }).waitFor();
  release();
  await delivered;
  await page.waitForTimeout(300);
  expect(await page.locator('#state').textContent()).toBe('succeeded');
});

test('a page that nobody looks at does not listen, and is up to date when one looks again', async () => {
  const location = await begin();
  const { page } = await visit(browser);
  await page.goto(host.url + location);
  await page.getByText('Live').waitFor();
  const turn = (state: string) =>
    page.evaluate(
      `Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true }); document.dispatchEvent(new Event('visibilitychange'))`,
    );
  await turn('hidden');
  await answer(location);
  await host.ended(location);
  await page.waitForTimeout(300);
  expect(await page.locator('#state').textContent()).toBe('running');
  await turn('visible');
  await page.locator('#summary', { hasText: 'steps done' }).waitFor();
});

test('a run on another graph is loaded anew', async () => {
  const location = await begin();
  const found = await host.find(location);
  const { page, requests } = await visit(browser);
  await page.route(
    '**/events',
    (route) =>
      route.fulfill({
        contentType: 'text/event-stream',
        body: `event: run\ndata: ${JSON.stringify({ ...found, graph: 'other' })}\n\n`,
      }),
    { times: 1 },
  );
  await Promise.all([page.waitForEvent('framenavigated'), page.goto(host.url + location)]);
  await page.waitForEvent('framenavigated');
  await page.getByText('Live').waitFor();
  expect(requests.filter((url) => url === host.url + location).length).toBeGreaterThan(1);
});

test('times are counted by the clock of the server, whatever the clock here says', async () => {
  const location = await begin();
  const { page } = await visit(browser);
  await page.clock.install({ time: Date.now() + 3_600_000 });
  await page.goto(host.url + location);
  await page.getByText('Live').waitFor();
  expect(await page.locator('.facts time').first().textContent()).toMatch(
    /, (?:just now|\d+ seconds ago)$/,
  );
});
