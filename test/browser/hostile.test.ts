/** What strangers write is shown and never run, in a real browser. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { systemClock } from '../../shared/clock';
import { outboxSenders } from '../../shared/senders/outbox';
import { openStore } from '../../shared/store/open';
import { bundle } from '../support/bundle';
import { launchChromium } from '../support/chromium';
import { type HostProcess, startHost } from '../support/host-process';
import { type Visit, visit } from './browse';

const MARKUP = `</title></pre></iframe><script>window.pwned = 1; fetch('/pwned')</script><img src="/pwned" onerror="window.pwned = 1">`;

/** All ways that a mail has to reach a server, or the page around it; `there` is a stranger's server. */
const htmlFor = (there: string) => `<p>Dear reader,</p>${MARKUP}
<style>@import '${there}'; p { background: url(${there}) }</style>
<link rel="stylesheet" href="${there}"><link rel="preload" as="image" href="${there}"><link rel="prefetch" href="${there}">
<img src="${there}"><video src="${there}" autoplay></video><iframe src="${there}"></iframe><object data="${there}"></object>
<meta http-equiv="refresh" content="0;url=${there}"><base href="${there}">
<svg onload="top.pwned = 1"><image href="${there}"/></svg><p style="background: url(${there})" onclick="top.pwned = 1">here</p>
<a href="javascript:top.pwned=1;alert(1)">script</a> <a href="javascript:top.pwned=1" target="_self">here</a>
<a href="${there}" target="_top">above</a> <a href="${there}" target="_self">inside</a>
<form action="${there}"><button>send</button></form>`;

let browser: Browser;
let host: HostProcess;
let stranger: http.Server;
const reached: string[] = [];

beforeAll(async () => {
  stranger = http.createServer((incoming, outgoing) => {
    reached.push(`${incoming.method} ${incoming.url}`);
    outgoing.end();
  });
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  browser = await launchChromium();
  host = await startHost({ file: bundle('deploy/entry/functions-framework.ts') });
});

afterAll(async () => {
  await browser?.close();
  await host?.stop();
  stranger?.close();
});

/** Seen from the servers too: what a sandboxed frame loads, the driver of the browser may miss. */
const expectUntouched = async ({ page, answered, complaints }: Visit) => {
  expect(reached).toEqual([]);
  expect(host.lines().filter((line) => String(line.path).includes('pwned'))).toEqual([]);
  for (const frame of page.frames())
    expect(await frame.evaluate('window.pwned').catch(() => undefined)).toBeUndefined();
  expect(answered.filter((url) => url.includes('pwned'))).toEqual([]);
  expect(complaints.filter((complaint) => complaint.startsWith('dialog'))).toEqual([]);
};

test('a mail with script, images, forms, frames and refreshes shows its words and does nothing', async () => {
  const there = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}/pwned`;
  const store = openStore(`sqlite:${path.join(host.folder, '.data/faas.db')}`);
  const { mail, sms } = outboxSenders(store, systemClock);
  const how = { signal: new AbortController().signal };
  await sms({ to: MARKUP, text: MARKUP }, { ...how, idempotencyKey: 'sms' });
  await mail(
    { to: MARKUP, subject: MARKUP, text: MARKUP, html: htmlFor(there) },
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
  for (const name of ['above', 'inside']) await frame.getByRole('link', { name }).click();
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
