/** What strangers write is shown and never run, in a real browser. */
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { systemClock } from '../../shared/clock';
import { outboxSenders } from '../../shared/senders/outbox';
import { openStore } from '../../shared/store/open';
import { CHROMIUM_TIMEOUT, launchChromium } from '../support/chromium';
import { bundle, type HostProcess, startHost } from '../support/host-process';
import { type Visit, visit } from './browse';

const MARKUP = `</title></pre></iframe><script>window.pwned = 1; fetch('/pwned')</script><img src="/pwned" onerror="window.pwned = 1">`;
const HTML = `<p>Dear reader,</p>${MARKUP}
<style>@import '/pwned'; p { background: url(/pwned) }</style>
<link rel="stylesheet" href="/pwned"><meta http-equiv="refresh" content="0;url=/pwned">
<base href="https://pwned.invalid/"><iframe src="/pwned"></iframe><object data="/pwned"></object>
<svg onload="top.pwned = 1"></svg><p style="color: red" onclick="top.pwned = 1">here</p>
<a href="javascript:top.pwned=1;alert(1)">script</a> <a href="javascript:top.pwned=1" target="_self">here</a>
<a href="/pwned" target="_top">above</a>
<form action="/pwned"><button>send</button></form>`;

let browser: Browser;
let host: HostProcess;

beforeAll(async () => {
  browser = await launchChromium();
  host = await startHost({ file: bundle('deploy/entry/functions-framework.ts') });
}, CHROMIUM_TIMEOUT);

afterAll(async () => {
  await browser?.close();
  await host?.stop();
});

const expectUntouched = async ({ page, requests, complaints }: Visit) => {
  for (const frame of page.frames())
    expect(await frame.evaluate('window.pwned').catch(() => undefined)).toBeUndefined();
  expect(requests.filter((url) => url.includes('pwned'))).toEqual([]);
  expect(complaints.filter((complaint) => complaint.startsWith('dialog'))).toEqual([]);
};

test('a mail with script, images, forms, frames and refreshes shows its words and does nothing', async () => {
  const store = openStore(`sqlite:${path.join(host.folder, '.data/faas.db')}`);
  const { mail, sms } = outboxSenders(store, systemClock);
  const how = { signal: new AbortController().signal };
  await sms({ to: MARKUP, text: MARKUP }, { ...how, idempotencyKey: 'sms' });
  await mail(
    { to: MARKUP, subject: MARKUP, text: MARKUP, html: HTML },
    { ...how, idempotencyKey: 'mail' },
  );
  await store.close();

  const one = await visit(browser);
  const { page } = one;
  await page.goto(`${host.url}/outbox`);
  const frame = page.frameLocator('iframe').first();
  await frame.getByText('Dear reader').waitFor();
  expect(await page.locator('h2').textContent()).toBe(MARKUP);
  for (const name of ['script', 'here']) await frame.getByRole('link', { name }).click();
  await frame.getByText('here').first().click();
  await frame.getByRole('button', { name: 'send' }).click();
  await frame.getByRole('link', { name: 'above' }).click();
  // Two refreshes of the list, each of which takes the hostile words in again.
  await page.waitForTimeout(4_500);
  expect(new URL(page.url()).pathname).toBe('/outbox');
  await expectUntouched(one);
  await page.getByRole('link', { name: 'Plain text' }).click();
  await page.locator('pre.paper').getByText('onerror').waitFor();
  await page.getByRole('link', { name: /^SMS/ }).click();
  await page.locator('.bubble').getByText('onerror').waitFor();
  await page.goto(host.url);
  await page.locator('#messages a').first().waitFor();
  await expectUntouched(one);
});

test('a username with markup signs up and stays text', async () => {
  const one = await visit(browser);
  const { page } = one;
  await page.goto(host.url);
  await page.getByRole('textbox', { name: 'Username' }).fill(MARKUP.slice(0, 100));
  await page.getByRole('textbox', { name: 'Email' }).fill('markup@example.com');
  await page.getByRole('button', { name: 'Sign up' }).click();
  await page.locator('#messages a', { hasText: 'markup@example.com' }).waitFor();
  await page.getByRole('link', { name: /markup@example.com/ }).click();
  await page.frameLocator('iframe').getByText('Your account is ready').waitFor();
  await expectUntouched(one);
  expect(one.complaints).toEqual([]);
});
