/** The drawing of a pipeline as a browser sees it, under a policy that allows its style by hash and nothing else. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { drawSvg, GRAPH_STYLE } from '../../../shared/pipeline/draw/svg';
import type { Pipeline } from '../../../shared/pipeline/pipeline';
import type { Results, StepState } from '../../../shared/pipeline/run';
import { launchChromium } from '../../support/chromium';
import { pipeline, RETRY, step } from './export/pipelines';

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(() => browser?.close());

interface Shown {
  readonly page: Page;
  /** What the browser refused or could not read. */
  readonly complaints: readonly string[];
}

const show = async (svg: string, colorScheme: 'light' | 'dark' = 'light'): Promise<Shown> => {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1280, height: 800 } });
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('request', (request) => complaints.push(`asks for ${request.url()}`));
  const hash = createHash('sha256').update(GRAPH_STYLE).digest('base64');
  await page.setContent(
    `<!doctype html><meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'sha256-${hash}'"><title>x</title>${svg}`,
  );
  return { page, complaints };
};

const look = <T>(page: Page, script: string): Promise<T> => page.evaluate(script);

const undo = { target: { function: 'free' }, timeout: 1_000, retry: RETRY };
const ORDER = pipeline([
  step('reserve', { undo, rate: 2.5 }),
  step('crm', {
    target: { webhook: 'CRM_WEBHOOK_URL', secret: 'S' },
    after: ['reserve'],
    when: '/company',
    required: false,
  }),
  step('ask', {
    target: { wait: 'approved' },
    after: ['reserve'],
    when: { pointer: '/plan', equals: 'pro' },
  }),
  step('tell', { target: { event: 'order.placed' }, after: ['crm', 'ask'], delay: 90_000 }),
  step('a-name-as-long-as-a-name-can-be-with-sixty-three-characters-in-it', {
    after: ['reserve', 'tell'],
  }),
  step('last', { after: ['tell'] }),
]);

const STATES: readonly StepState[] = [
  'succeeded',
  'skipped',
  'running',
  'pending',
  'failed',
  'cancelled',
];
const RESULTS: Results = Object.fromEntries(
  ORDER.steps.map(({ name }, index) => [name, { state: STATES[index] as StepState, attempts: 1 }]),
);

test('the style is used, and there is nothing that the policy would have to refuse', async () => {
  const { page, complaints } = await show(drawSvg(ORDER, { results: RESULTS }));
  expect(complaints).toEqual([]);
  expect(await look(page, `getComputedStyle(document.querySelector('.name')).fontWeight`)).toBe(
    '600',
  );
  expect(
    await look(
      page,
      `document.querySelectorAll('script, [style], [href], [onload], image, use, foreignObject').length`,
    ),
  ).toBe(0);
  expect(
    await look(page, `getComputedStyle(document.querySelector('.optional .box')).strokeDasharray`),
  ).not.toBe('none');
  await page.close();
});

test('it is a document of its own: well-formed XML with a size, a title and a description', async () => {
  const { page } = await show('');
  const svg = drawSvg(ORDER, { results: RESULTS });
  const root = await look<Record<string, string | number | null>>(
    page,
    `(() => {
      const root = new DOMParser().parseFromString(${JSON.stringify(svg)}, 'image/svg+xml').documentElement;
      return { name: root.nodeName, errors: root.querySelectorAll('parsererror').length, role: root.getAttribute('role'),
        size: root.getAttribute('width') + ' ' + root.getAttribute('height') === root.getAttribute('viewBox').slice(4) ? 'as its view' : 'other',
        title: root.querySelector(':scope > title').textContent, desc: root.querySelector(':scope > desc').textContent };
    })()`,
  );
  expect(root).toMatchObject({
    name: 'svg',
    errors: 0,
    role: 'img',
    size: 'as its view',
    title: 'Pipeline order',
  });
  for (const words of [
    ORDER.summary,
    'reserve: function; at most 2.5/s; undo free; done.',
    'crm: webhook CRM_WEBHOOK_URL; after reserve; optional; when /company; skipped.',
    'ask: waits for approved; after reserve; when /plan = "pro"; running.',
    'tell: sends order.placed; after crm, ask; delay 90s; waiting.',
  ])
    expect(root.desc).toContain(words);
  await page.close();
});

test('a step is a group with its name and state, and its state stands there in words', async () => {
  const results: Results = {
    reserve: { state: 'failed', attempts: 3, error: { code: 'refused', status: 503 } },
    crm: { state: 'skipped', reason: 'condition', attempts: 0 },
  };
  const { page } = await show(drawSvg(ORDER, { results }));
  const found = await look(
    page,
    `[...document.querySelectorAll('[data-step]')].slice(0, 3).map((group) => [group.dataset.step, group.dataset.state, group.querySelector('.state').textContent, group.querySelector('.note').textContent])`,
  );
  expect(found).toEqual([
    ['reserve', 'failed', 'failed', 'refused 503 · 3 attempts'],
    ['crm', 'skipped', 'skipped', 'not asked for'],
    ['ask', 'pending', 'waiting', ''],
  ]);
  await page.close();
});

test('a name that is too long is cut where it is shown, not where it is told', () => {
  const name = 'a-name-as-long-as-a-name-can-be-with-sixty-three-characters-in-it';
  const svg = drawSvg(pipeline([step(name, { target: { function: name.repeat(2) } })]));
  expect(Number(/<rect class="box" width="(\d+)"/.exec(svg)?.[1])).toBeLessThan(250);
  expect(svg).toMatch(/<text class="name"[^>]*>a-name-as-[a-z-]+…<\/text>/);
  expect(svg).toContain(`<title>${name}: function ${name}${name}</title>`);
});

test('without results there are no states', () => {
  expect(drawSvg(ORDER, { withStyle: false })).not.toMatch(
    /data-state="|class="mark"|class="state"/,
  );
});

test('the mark of a state is a form, not a colour alone, and follows data-state', async () => {
  const { page } = await show(drawSvg(ORDER, { results: RESULTS }));
  const marks = (state: string) =>
    look<string[]>(
      page,
      `(() => {
        const group = document.querySelector('[data-step]');
        group.dataset.state = ${JSON.stringify(state)};
        return [...group.querySelectorAll('.mark *')].filter((mark) => getComputedStyle(mark).display !== 'none').map((mark) => mark.className.baseVal + (getComputedStyle(mark).strokeDasharray === 'none' ? '' : ' dashed'));
      })()`,
    );
  const forms = await Promise.all(STATES.map(async (state) => (await marks(state)).join('+')));
  expect(new Set(forms).size).toBe(STATES.length);
  await page.close();
});

describe.each(['light', 'dark'] as const)('in %s', (scheme) => {
  test('every text stands out from what it stands on, in every state', async () => {
    const { page } = await show(drawSvg(ORDER, { results: RESULTS }), scheme);
    const ratios = await look<[string, number][]>(
      page,
      `(() => {
        const light = (color) => {
          const [r, g, b] = color.match(/[\\d.]+/g).map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        return [...document.querySelectorAll('[data-step]')].flatMap((group) => {
          const ground = light(getComputedStyle(group.querySelector('.box')).fill);
          return [...group.querySelectorAll('text, tspan')].map((text) => {
            const ink = light(getComputedStyle(text).fill);
            return [group.dataset.state + ' ' + (text.className.baseVal), (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05)];
          });
        });
      })()`,
    );
    expect(ratios.length).toBeGreaterThan(20);
    expect(ratios.filter(([, ratio]) => ratio < 4.5)).toEqual([]);
    await page.close();
  });
});

test.each<[string, Pipeline]>([
  ['usual steps', ORDER],
  [
    'a hundred',
    pipeline(
      Array.from({ length: 100 }, (_, n) =>
        step(`mmm-www-${n}`, { after: n < 3 ? [] : [`mmm-www-${n % 3}`] }),
      ),
    ),
  ],
])('no text sticks out of its box: %s', async (_, of) => {
  const { page } = await show(drawSvg(of, { results: {} }));
  const out = await look<string[]>(
    page,
    `[...document.querySelectorAll('[data-step]')].flatMap((group) => {
      const box = group.querySelector('.box').getBoundingClientRect();
      return [...group.querySelectorAll('text')].filter((text) => { const { left, right, top, bottom } = text.getBoundingClientRect(); return left < box.left || right > box.right || top < box.top || bottom > box.bottom; }).map((text) => text.textContent);
    })`,
  );
  expect(out).toEqual([]);
  await page.close();
});

test('a text from a file stays a text', async () => {
  const hostile = `</title></svg><script>alert(1)</script><img src=x onerror="alert(1)">&lt;'"]]>`;
  const of = pipeline(
    [step('a', { target: { function: hostile }, when: `/${hostile}\u0001\ufffe` })],
    {
      name: hostile,
      summary: hostile,
    },
  );
  const svg = drawSvg(of);
  const { page, complaints } = await show(svg);
  expect(complaints).toEqual([]);
  expect(await look(page, `document.querySelectorAll('script, img').length`)).toBe(0);
  expect(await look(page, `document.querySelector('svg > title').textContent`)).toBe(
    `Pipeline ${hostile}`,
  );
  expect(
    await look(
      page,
      `new DOMParser().parseFromString(${JSON.stringify(svg)}, 'image/svg+xml').querySelectorAll('parsererror').length`,
    ),
  ).toBe(0);
  await page.close();
});

test('a page that has the style itself gets a drawing without it', () => {
  expect(drawSvg(ORDER, { withStyle: false })).not.toContain('<style');
  expect(drawSvg(ORDER)).toContain(`<style>${GRAPH_STYLE}</style>`);
});
