/** The pages in a real browser: a signup from end to end, by keyboard, with nothing loaded from elsewhere. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { bundle } from '../support/bundle';
import { launchChromium } from '../support/chromium';
import { type HostProcess, startHost } from '../support/host-process';
import { hasFocus, tabTo, type Visit, visit } from './browse';

let browser: Browser;
let host: HostProcess;

beforeAll(async () => {
  browser = await launchChromium();
  host = await startHost({ file: bundle('deploy/entry/functions-framework.ts') });
});

afterAll(async () => {
  await browser?.close();
  await host?.stop();
});

const open = async (path = '/'): Promise<Visit> => {
  const opened = await visit(browser);
  await opened.page.goto(host.url + path);
  return opened;
};

/** Whatever was done, nothing was refused and nobody else was asked. */
const expectClean = ({ complaints, requests }: Visit) => {
  expect(complaints).toEqual([]);
  expect(
    requests.filter((url) => !/^(data|about):/.test(url) && !url.startsWith(host.url)),
  ).toEqual([]);
};

describe('a signup by keyboard alone', () => {
  test('shows the steps, asks for the code, and takes the one from the outbox', async () => {
    const one = await open();
    const { page, requests } = one;
    const type = async (label: string, text: string) => {
      await tabTo(page, page.getByRole('textbox', { name: label }));
      await page.keyboard.type(text);
    };
    await type('Username', 'ada');
    await type('Email', 'ada@example.com');
    await type('Phone number', '+1 202 555 0123');
    await tabTo(page, page.getByRole('checkbox'));
    await page.keyboard.press('Space');
    await tabTo(page, page.getByRole('button', { name: 'Sign up' }));
    await page.keyboard.press('Enter');

    const state = page.locator('#run-state');
    await page.getByText('Signed up.').waitFor();
    expect(await state.textContent()).toBe('Signed up. 4 steps done, 1 skipped.');
    expect(await state.getAttribute('role')).toBe('status');
    const steps = await page
      .getByRole('list', { name: 'The run' })
      .getByRole('listitem')
      .allTextContents();
    expect(steps.map((step) => step.replace(/\s+/g, ' ').replace(/ \d+ ms/, ''))).toEqual([
      'create-user done',
      'welcome done',
      'confirm-phone done',
      'newsletter done',
      'crm skipped not asked for',
    ]);
    expect(requests.filter((url) => /\/signup\/runs\/[\w-]+\/events$/.test(url))).toHaveLength(1);

    const field = page.getByRole('textbox', { name: 'Code' });
    expect(await hasFocus(field)).toBe(true);
    expect(await field.getAttribute('autocomplete')).toBe('one-time-code');
    expect(await field.getAttribute('inputmode')).toBe('numeric');

    const outbox = await page.context().newPage();
    await outbox.goto(`${host.url}/outbox`);
    await tabTo(outbox, outbox.getByRole('link', { name: /^SMS/ }));
    await outbox.keyboard.press('Enter');
    await outbox.waitForURL(/message=/);
    const bubble = await outbox.locator('.bubble').first().textContent();
    const [code = ''] = /\d{6}/.exec(bubble ?? '') ?? [];

    await page.bringToFront();
    await page.keyboard.type(code === '000000' ? '000001' : '000000');
    await page.keyboard.press('Enter');
    const mistake = page.locator('#code-mistake');
    await mistake.getByText('The code is wrong, used, or expired.').waitFor();
    expect(await mistake.getAttribute('role')).toBe('alert');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    expect(await hasFocus(field)).toBe(true);

    // The wrong one is selected: typing replaces it.
    await page.keyboard.type(`${code.slice(0, 3)} ${code.slice(3)}`);
    await page.keyboard.press('Enter');
    const confirmed = page.getByText('Phone confirmed.');
    await confirmed.waitFor();
    expect(await confirmed.getAttribute('role')).toBe('status');
    expect(await hasFocus(confirmed)).toBe(true);
    expectClean(one);
  });

  test('shows each mistake at its field, and goes to the first', async () => {
    const one = await open();
    const { page } = one;
    await tabTo(page, page.getByRole('textbox', { name: 'Username' }));
    await page.keyboard.type('eve');
    await tabTo(page, page.getByRole('textbox', { name: 'Email' }));
    await page.keyboard.type('nowhere');
    await tabTo(page, page.getByRole('textbox', { name: 'Phone number' }));
    await page.keyboard.type('0123');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('Please look at: Email, Phone number.').waitFor();
    expect(await hasFocus(page.getByRole('textbox', { name: 'Email' }))).toBe(true);
    for (const [label, name, invalid] of [
      ['Username', 'username', null],
      ['Email', 'email', 'true'],
      ['Phone number', 'phoneNumber', 'true'],
    ] as const) {
      const field = page.getByRole('textbox', { name: label });
      expect(await field.getAttribute('aria-invalid')).toBe(invalid);
      expect((await field.getAttribute('aria-describedby'))?.split(' ')).toContain(
        `${name}-mistake`,
      );
      expect(await page.locator(`#${name}-mistake`).textContent()).toMatch(
        invalid ? /^Enter .*\.$/ : /^$/,
      );
    }
    expect(await page.locator('#steps').isVisible()).toBe(false);
    expectClean(one);
  });
});

describe('a signup', () => {
  test('that fails says at which step, in words', async () => {
    const { page } = await open();
    for (const last of [false, true]) {
      await page.getByRole('textbox', { name: 'Username' }).fill('twin');
      await page.getByRole('textbox', { name: 'Email' }).fill('twin@example.com');
      await page.getByRole('button', { name: 'Sign up' }).click();
      await page.getByText(last ? 'The signup failed at create-user.' : 'Signed up.').waitFor();
    }
    const rows = await page.locator('#steps li').allTextContents();
    expect(rows[0]).toMatch(/create-user failed .*422/);
    expect(rows[1]).toMatch(/welcome skipped a step before it failed/);
    expect(await page.getByRole('textbox', { name: 'Code' }).isVisible()).toBe(false);
  });

  test('is followed by asking when events do not come through', async () => {
    const one = await open();
    const { page, requests } = one;
    await page.route('**/events', (route) => route.abort());
    await page.getByRole('button', { name: 'Fill in an example' }).click();
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.getByText('Signed up.').waitFor();
    expect(requests.filter((url) => /\/signup\/runs\/[\w-]+$/.test(url)).length).toBeGreaterThan(0);
    expect(await page.getByRole('textbox', { name: 'Code' }).isVisible()).toBe(true);
  });

  test('whose answer is lost is the same signup when tried again', async () => {
    const { page } = await open();
    const keys: (string | undefined)[] = [];
    await page.route('**/signup', async (route) => {
      keys.push(route.request().headers()['idempotency-key']);
      const response = await route.fetch();
      await (keys.length === 1 ? route.abort() : route.fulfill({ response }));
    });
    await page.getByRole('textbox', { name: 'Username' }).fill('lost');
    await page.getByRole('textbox', { name: 'Email' }).fill('lost@example.com');
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.getByText('The server did not answer.').waitFor();
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.getByText('Signed up.').waitFor();
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(keys[1]).toBe(keys[0]);
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.getByText('The signup failed').waitFor();
    expect(keys[2]).not.toBe(keys[0]);
  });
});

describe('the outbox', () => {
  test('stands beside the form and fills while one looks', async () => {
    const { page } = await open();
    const outbox = await page.context().newPage();
    await outbox.goto(`${host.url}/outbox`);
    await page.getByRole('textbox', { name: 'Username' }).fill('newcomer');
    await page.getByRole('textbox', { name: 'Email' }).fill('newcomer@example.com');
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.locator('#messages a', { hasText: 'newcomer@example.com' }).waitFor();
    await outbox.bringToFront();
    await outbox.locator('#messages a', { hasText: 'newcomer@example.com' }).waitFor();
    expect(await outbox.locator('#news').textContent()).toMatch(/^\d+ new messages?$/);
    expect(await outbox.locator('#messages time').first().textContent()).toBe('just now');
  });

  test('opens the link of a mail in a window of its own, and it works there', async () => {
    const { page } = await open();
    await page.getByRole('textbox', { name: 'Username' }).fill('reader');
    await page.getByRole('textbox', { name: 'Email' }).fill('reader@example.com');
    await page.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.getByText('Signed up.').waitFor();
    await page.goto(`${host.url}/outbox`);
    await page.getByRole('link', { name: /reader@example.com.*confirm/ }).click();
    await page.waitForURL(/message=/);
    const [opened] = await Promise.all([
      page.waitForEvent('popup'),
      page.frameLocator('iframe').getByRole('link', { name: 'Confirm' }).click(),
    ]);
    await opened.getByRole('button').click();
    await opened
      .getByText(/newsletter/)
      .first()
      .waitFor();
    expect(await opened.evaluate('opener')).toBe(null);
    expect(new URL(opened.url()).pathname).toBe('/subscribe-user/confirm');
  });
});

test('every command can be copied', async () => {
  const { page } = await open();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const button = page.getByRole('button', { name: 'Copy the command for POST /signup' });
  await button.click();
  await page.getByText('Copied', { exact: true }).waitFor();
  expect(await page.evaluate('navigator.clipboard.readText()')).toMatch(
    /^curl -s http:\/\/\S+\/signup .*"username"/,
  );
});
