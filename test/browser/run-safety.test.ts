/** The page of a run for everybody: axe-core finds nothing, nothing is too wide, and hostile words stay words. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchChromium } from '../support/chromium';
import { tooWide, violations } from './axe';
import { visit } from './browse';
import { ORDER, type RunHost, startRunHost } from './run-host';

const EVIL = `</script></pre></table></dialog><script>window.pwned = 1</script><img src="/pwned" onerror="window.pwned = 1"><svg onload="window.pwned = 1">`;

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

const post = (path: string, body: unknown) =>
  fetch(host.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  test.each([320, 1280])('at %i pixels', async (width) => {
    const { page, close } = await visit(browser, { colorScheme, viewport: { width, height: 800 } });
    const found: Record<string, readonly string[]> = {};
    const look = async (what: string) => {
      const all = [...(await violations(page)), ...(await tooWide(page, '.graph'))];
      if (all.length > 0) found[what] = all;
    };
    host.reply('charge', { body: { receipt: { url: `https://shop.example/${'r'.repeat(300)}` } } });
    host.reply('newsletter', { status: 503 });
    host.reply('ship', { status: 422 });
    const location = await host.start('order');
    await page.goto(host.url + location);
    await page.locator('tr[data-step="newsletter"][data-state="failed"]').waitFor();
    await look('a run that waits');
    await page.getByRole('button', { name: 'Answer… approve' }).click();
    await look('the form of an answer');
    await page.getByRole('textbox', { name: 'Answer, as JSON' }).fill('{"approved": true}');
    await page.getByRole('button', { name: 'Answer', exact: true }).click();
    await page.locator('#summary', { hasText: 'Failed at' }).waitFor();
    await page.getByRole('button', { name: 'Replay… ship' }).click();
    await page.getByRole('button', { name: 'Replay', exact: true }).click();
    await look('the form of a replay with a mistake');
    await page.getByRole('textbox', { name: 'Reason' }).fill(`Because ${'w'.repeat(200)}`);
    await page.getByRole('button', { name: 'Replay', exact: true }).click();
    await page.locator('#history li').first().waitFor();
    await page.locator('#summary', { hasText: 'Failed at' }).waitFor();
    await look('a run that was replayed and failed again');
    await page.goto(`${host.url}/order/runs`);
    await look('the list of runs');
    await page.goto(`${host.url}/order/runs/none`);
    await look('no run');
    expect(found).toEqual({});
    await close();
  });
});

test('markup in an output, a name and a reason is shown and does nothing', async () => {
  host.reply('charge', { body: { receipt: EVIL } });
  const location = await host.start('order');
  const before = await visit(browser);
  await before.page.goto(host.url + location);
  await before.page.locator('tr[data-step="approve"][data-state="running"]').waitFor();
  await post(`${location}/signal/approve`, { approved: EVIL });
  await host.ended(location);
  await post(`${location}/replay`, { reason: EVIL, by: EVIL.slice(0, 100), resend: true });
  // Somebody else has replayed it: whoever comes back to the page sees that.
  await before.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
  const after = await visit(browser);
  await after.page.goto(host.url + location);
  for (const { page, answered, complaints } of [before, after]) {
    await page.locator('#history li').waitFor();
    expect(await page.locator('#history .reason').textContent()).toBe(EVIL);
    expect(await page.locator('#history .by').textContent()).toBe(EVIL.slice(0, 100));
    await page.locator('tr[data-step="charge"] .output', { hasText: 'onerror' }).waitFor();
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(await page.evaluate('window.pwned')).toBeUndefined();
    expect(answered.filter((url) => url.includes('pwned'))).toEqual([]);
    expect(complaints).toEqual([]);
  }
});
