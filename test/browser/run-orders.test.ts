/** What one asks of a run from its page: an answer, a replay, the end; in production with a token. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium';
import { hasFocus, tabTo, type Visit, visit } from './browse';
import { ORDER, type RunHost, startRunHost } from './run-host';

const ADMIN = 'a-token-of-operators-1234567890';
const CALLER = 'a-token-of-callers-1234567890ab';
const PRODUCTION = {
  NODE_ENV: 'production',
  FUNCTION_TARGET: 'order',
  HOST: '127.0.0.1',
  SECRET_KEY: 'a secret key of at least 32 characters',
  STORE_URL: 'sqlite:./faas.db',
  ENGINE_URL: 'local:./runs.db',
};

let browser: Browser;
let host: RunHost;
let closed: RunHost;
let tokenless: RunHost;

beforeAll(async () => {
  browser = await launchChromium();
  [host, closed, tokenless] = await Promise.all([
    startRunHost({ order: ORDER }),
    startRunHost({ order: ORDER }, { ...PRODUCTION, ADMIN_TOKENS: ADMIN, CALLER_TOKENS: CALLER }),
    startRunHost({ order: ORDER }, PRODUCTION),
  ]);
});

afterAll(async () => {
  await browser?.close();
  await Promise.all([host, closed, tokenless].map((one) => one?.stop()));
});

const open = async (on: RunHost, path: string): Promise<Visit> => {
  const opened = await visit(browser);
  await opened.page.goto(on.url + path);
  return opened;
};
const reach = (page: Page, step: string, state: string) =>
  page.locator(`tr[data-step="${step}"][data-state="${state}"]`).waitFor();
const problem = (page: Page) => page.getByRole('alert');

describe('in development', () => {
  test('a step that waits is answered by keyboard alone, and the run goes on', async () => {
    host.reply('ship', {});
    const location = await host.start('order');
    const one = await open(host, location);
    const { page } = one;
    await reach(page, 'approve', 'running');
    await tabTo(page, page.getByRole('button', { name: 'Answer… approve' }));
    await page.keyboard.press('Enter');
    const field = page.getByRole('textbox', { name: 'Answer, as JSON' });
    expect(await hasFocus(field)).toBe(true);
    await page.keyboard.type('{"approved": yes}');
    await tabTo(page, page.getByRole('button', { name: 'Answer', exact: true }));
    await page.keyboard.press('Enter');
    await problem(page).getByText('Enter the answer as JSON').waitFor();
    expect(await hasFocus(field)).toBe(true);
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('{"approved": "by ada"}');
    await tabTo(page, page.getByRole('button', { name: 'Answer', exact: true }));
    await page.keyboard.press('Enter');
    await page.locator('#summary', { hasText: 'steps done' }).waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.locator('h1:focus').waitFor();
    expect(await page.locator('tr[data-step="approve"] .output').textContent()).toContain('by ada');
    expect(await page.title()).toBe('succeeded · order');
    expect(one.complaints).toEqual([]);
  });

  test('a form that is left when what opened it is gone leaves the focus at the top', async () => {
    const location = await host.start('order');
    const { page } = await open(host, location);
    await page.getByRole('button', { name: 'Answer… approve' }).click();
    await fetch(`${host.url}${location}/signal/approve`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    await reach(page, 'ship', 'succeeded');
    await page.getByRole('textbox', { name: 'Answer, as JSON' }).fill('{"late": true}');
    await page.getByRole('button', { name: 'Answer', exact: true }).click();
    await problem(page).getByText('approve does not wait for an answer any more.').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('h1:focus').waitFor();
  });

  test('a step that failed is replayed under its old key, and what succeeded is not sent again', async () => {
    host.reply('charge', {});
    host.reply('ship', { status: 422 });
    const location = await host.start('order');
    const id = location.split('/').at(-1) as string;
    const { page } = await open(host, location);
    await page.getByRole('button', { name: 'Answer… approve' }).click();
    await page.getByRole('textbox', { name: 'Answer, as JSON' }).fill('{}');
    await page.getByRole('button', { name: 'Answer', exact: true }).click();
    await page.locator('#summary', { hasText: 'Failed at ship.' }).waitFor();
    host.reply('ship', {});
    await page.getByRole('button', { name: 'Replay… ship' }).click();
    expect(await page.getByRole('combobox', { name: 'Step' }).inputValue()).toBe('ship');
    await page.getByRole('button', { name: 'Replay', exact: true }).click();
    await problem(page).getByText('Enter a reason').waitFor();
    await page.getByRole('textbox', { name: 'Reason' }).fill('The parcel service is back.');
    await page.getByRole('textbox', { name: 'Your name' }).fill('Ada');
    await page.getByRole('button', { name: 'Replay', exact: true }).click();
    await page.locator('#summary', { hasText: 'steps done' }).waitFor();
    expect(await page.locator('#history li').allTextContents()).toEqual([
      expect.stringMatching(/^Replayed: shipThe parcel service is back\.by Ada, /),
    ]);
    const mine = (step: string) => host.keys(step).filter((key) => key.startsWith(id));
    expect(mine('ship')).toEqual([`${id}:ship`, `${id}:ship`]);
    expect(mine('charge')).toEqual([`${id}:charge`]);
  });

  test('what has succeeded is sent again when one wants just that, as another generation', async () => {
    host.reply('charge', {});
    const location = await host.start('order');
    const { page } = await open(host, location);
    await page.getByRole('button', { name: 'Cancel…' }).click();
    await page.getByRole('textbox', { name: 'Reason' }).fill('Wrong size.');
    await page.getByRole('button', { name: 'Cancel the run' }).click();
    await page.locator('#summary', { hasText: 'Called off by operator.' }).waitFor();
    expect(await page.locator('#history').textContent()).toMatch(
      /^CancelledWrong size\.by operator/,
    );
    await page.getByRole('button', { name: 'Replay…', exact: true }).click();
    await page.getByRole('radio', { name: 'One step', exact: true }).check();
    await page.getByRole('combobox', { name: 'Step' }).selectOption('charge');
    const send = page.getByRole('button', { name: 'Replay', exact: true });
    await page.getByRole('textbox', { name: 'Reason' }).fill('Once more.');
    await send.click();
    await problem(page).getByText('resend sends it once more').waitFor();
    await page.getByRole('checkbox', { name: 'Also what has succeeded' }).check();
    await send.click();
    await page.locator('tr[data-step="charge"] .generation').getByText('generation 2').waitFor();
    expect(host.keys('charge').at(-1)).toMatch(/:charge:2$/);
  });
});

describe('in production', () => {
  const fill = async (page: Page, reason: string, token: string) => {
    await page.getByRole('textbox', { name: 'Reason' }).fill(reason);
    await page.getByRole('textbox', { name: 'Token' }).fill(token);
    await page.getByRole('button', { name: 'Cancel the run' }).click();
  };

  test('an order needs a token, which stays in the memory of the page and nowhere else', async () => {
    const location = await closed.start('order');
    const one = await open(closed, location);
    const { page } = one;
    await page.getByRole('button', { name: 'Answer… approve' }).click();
    await page.getByRole('textbox', { name: 'Answer, as JSON' }).fill('true');
    await page.getByRole('button', { name: 'Answer', exact: true }).click();
    await problem(page).getByText('Enter a token.').waitFor();
    await page.getByRole('textbox', { name: 'Token' }).fill(ADMIN);
    await page.getByRole('button', { name: 'Answer', exact: true }).click();
    await problem(page)
      .getByText('does not take this token: it must be one of a caller.')
      .waitFor();
    await page.keyboard.press('Escape');

    await page.getByRole('button', { name: 'Cancel…' }).click();
    expect(await page.getByRole('textbox', { name: 'Token' }).inputValue()).toBe('');
    await fill(page, 'Enough.', 'a wrong one');
    await problem(page).getByText('one of an operator').waitFor();
    await fill(page, 'Enough.', ADMIN);
    await page.locator('#summary', { hasText: 'Called off by operator.' }).waitFor();
    await page.getByRole('button', { name: 'Replay…', exact: true }).click();
    expect(await page.getByRole('textbox', { name: 'Token' }).inputValue()).toBe(ADMIN);
    await page.keyboard.press('Escape');
    expect(
      await page.evaluate(
        'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state, document.documentElement.outerHTML])',
      ),
    ).not.toContain(ADMIN);
    expect(one.requests.filter((url) => url.includes(ADMIN))).toEqual([]);
    await page.reload();
    await page.getByRole('button', { name: 'Replay…', exact: true }).click();
    expect(await page.getByRole('textbox', { name: 'Token' }).inputValue()).toBe('');
    expect(one.complaints).toEqual([]);
  });

  test('without tokens on the server nobody can, and the page says so', async () => {
    const { page } = await open(tokenless, await tokenless.start('order'));
    await page.getByRole('button', { name: 'Cancel…' }).click();
    // A token that is sent is judged; one that is none is not.
    await page.route('**/cancel', (route) => {
      const { authorization: _, ...headers } = route.request().headers();
      return route.continue({ headers });
    });
    await fill(page, 'Enough.', 'any');
    await problem(page).getByText('Nobody may do this here').waitFor();
  });

  test('lists of runs and the graph are for operators', async () => {
    for (const path of ['/order/runs', '/order/graph'])
      for (const accept of ['text/html', 'application/json'])
        expect((await fetch(closed.url + path, { headers: { accept } })).status).toBe(401);
  });
});
