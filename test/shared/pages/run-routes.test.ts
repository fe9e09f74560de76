/** What a run, a list of runs and a graph are to a program and to a browser, over a real engine. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import type { Handler } from '../../../shared/handler';
import { pipelineFunction } from '../../../shared/pipeline/function';
import type { Run } from '../../../shared/pipeline/run';
import { invoke, testContext } from '../../support/invoke';
import { testPlatform } from '../../support/test-platform';
import { createFolder, createLab, DEAD, type Lab, now, pipelineOf } from '../pipeline/engines/lab';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
const PIPELINE = pipelineOf(
  {
    pay: { target: { webhook: 'PAY_URL', secret: 'S' } },
    tell: { after: ['pay'], required: false },
  },
  'order',
);

const folder = createFolder();
const opened: Lab[] = [];
afterEach(async () => {
  for (const { engine } of opened.splice(0)) await engine.close(now());
});
afterAll(() => folder.clean());

const serve = async () => {
  const lab = createLab({
    path: folder.file(),
    pipeline: PIPELINE,
    register: false,
    script: ({ step }) => (step.name === 'tell' ? DEAD : { verdict: 'delivered' }),
  });
  opened.push(lab);
  const { clock, engine } = lab;
  const handlers = pipelineFunction(PIPELINE).create({}, testPlatform({ clock, engine })) as Record<
    string,
    Handler
  >;
  const run = await lab.ended(await lab.start({ name: 'hidden-name' }));
  const get = async (route: string, accept?: string, { id = run.id, query = '' } = {}) => {
    const answer = await invoke(
      handlers[route] as Handler,
      `/${query}`,
      accept === undefined ? {} : { headers: { accept } },
      testContext({ params: { id } }),
    );
    const { status, headers } = answer;
    return { status, headers, type: headers.get('content-type'), body: await answer.text() };
  };
  return { run, get };
};

describe('a run', () => {
  test.each([undefined, '*/*', 'application/json', 'text/event-stream'])(
    'is JSON for who accepts %s',
    async (accept) => {
      const { run, get } = await serve();
      const { status, type, headers, body } = await get('GET /runs/:id', accept);
      expect([status, type, headers.get('vary')]).toEqual([200, 'application/json', 'accept']);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(JSON.parse(body) as Run).toEqual(run);
    },
  );

  test('is a page for a browser, without its input', async () => {
    const { get } = await serve();
    const { status, type, headers, body } = await get('GET /runs/:id', BROWSER);
    expect([status, type, headers.get('vary')]).toEqual([
      200,
      'text/html; charset=utf-8',
      'accept',
    ]);
    expect(body).toContain('<tr role="row" data-step="tell" data-state="failed">');
    expect(body).not.toMatch(/hidden-name|PAY_URL/);
  });

  test('that is not there is 404 to both, in words to a person', async () => {
    const { get } = await serve();
    await expect(get('GET /runs/:id', 'application/json', { id: 'none' })).rejects.toMatchObject({
      code: 'not_found',
    });
    const { status, body } = await get('GET /runs/:id', BROWSER, { id: 'none' });
    expect([status, body]).toEqual([
      404,
      expect.stringContaining('There is no run at this address'),
    ]);
  });
});

describe('the list of runs', () => {
  test('is JSON for a program, a page for a browser, of the same runs', async () => {
    const { run, get } = await serve();
    const data = await get('GET /runs', undefined, { query: '?state=succeeded' });
    expect([data.type, data.headers.get('vary')]).toEqual(['application/json', 'accept']);
    expect(JSON.parse(data.body)).toMatchObject({ runs: [{ id: run.id }] });
    const page = await get('GET /runs', BROWSER, { query: '?state=succeeded' });
    expect(page.body).toContain(`<a href="/order/runs/${run.id}">`);
    expect(page.body).toContain('1 dead letter<');
    expect((await get('GET /runs', BROWSER, { query: '?state=failed' })).body).not.toContain(
      run.id,
    );
  });

  test('takes no other parameters from a browser', async () => {
    const { get } = await serve();
    await expect(get('GET /runs', BROWSER, { query: '?state=odd' })).rejects.toMatchObject({
      code: 'invalid_input',
    });
  });
});

describe('the graph', () => {
  test.each([
    ['image/svg+xml', 'image/svg+xml; charset=utf-8', /^<svg /],
    [BROWSER, 'image/svg+xml; charset=utf-8', /webhook PAY_URL/],
    ['text/plain', 'text/plain; charset=utf-8', /^---\ntitle: "order"\n---\nflowchart LR/],
    ['application/json', 'application/json', /^\{"name":"order"/],
    ['*/*', 'application/json', /"steps":\[/],
  ])('for %s is %s', async (accept, expected, start) => {
    const { get } = await serve();
    const { type, headers, body } = await get('GET /graph', accept);
    expect([type, headers.get('vary'), body]).toEqual([
      expected,
      'accept',
      expect.stringMatching(start),
    ]);
    expect(headers.get('content-security-policy') ?? "default-src 'none'").toMatch(
      /^default-src 'none'/,
    );
  });
});

test('no page is loaded before somebody looks', () => {
  const source = readFileSync(
    path.resolve(__dirname, '../../../shared/pipeline/routes/show.ts'),
    'utf8',
  );
  expect(source).toMatch(/await import\('\.\.\/\.\.\/pages\//);
  expect(source).not.toMatch(/^import .*\/(?:pages|draw)\//m);
});
