/** What operators look up over HTTP: runs, dead letters, one run with all that is known of it, targets that are gone. */
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { Failure } from '../../../../shared/failure';
import type { Run, RunSummary } from '../../../../shared/pipeline/run';
import { DEAD, pipelineOf } from '../engines/lab';
import { type Served, server } from '../serve';

const { serve, close, clean } = server();
afterEach(close);
afterAll(clean);

const pipeline = pipelineOf({ a: {}, b: { required: false } });
const start = async (one: Served, input: unknown = {}): Promise<Run> =>
  one.ended((await (await one.post(input)).json()) as Run);
const get = async <T>(one: Served, path: string): Promise<T> => {
  const response = await one.request(`/signup${path}`);
  expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
  return (await response.json()) as T;
};
const refused = async (one: Served, path: string) => {
  const response = await one.request(`/signup${path}`);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const { code, errors = [] } = (await response.json()) as {
    code: string;
    errors?: { pointer: string }[];
  };
  return [response.status, code, ...errors.map(({ pointer }) => pointer)];
};

describe('GET …/runs', () => {
  test('lists what the query asks for, page by page', async () => {
    const one = await serve({ pipeline });
    const runs: Run[] = [];
    for (let index = 0; index < 5; index += 1) {
      runs.push(await start(one, { secret: 'ada' }));
      await one.clock.advance(1_000);
    }
    const ids = runs.map(({ id }) => id).reverse();
    const list = (query: string) =>
      get<{ runs: RunSummary[]; next?: string }>(one, `/runs${query}`);
    expect((await list('')).runs.map(({ id }) => id)).toEqual(ids);
    const found: string[] = [];
    let next: string | undefined = '';
    while (next !== undefined) {
      const page: { runs: RunSummary[]; next?: string } = await list(
        `?limit=2${next && `&after=${encodeURIComponent(next)}`}`,
      );
      found.push(...page.runs.map(({ id }) => id));
      next = page.next;
    }
    expect(found).toEqual(ids);
    const of = async (query: string) => (await list(query)).runs.map(({ id }) => id);
    expect(await of('?state=succeeded')).toEqual(ids);
    expect(await of('?state=failed')).toEqual([]);
    expect(await of('?since=2026-01-01T00:00:03Z')).toEqual(ids.slice(0, 2));
    expect(await of('?until=2026-01-01T00:00:03.000Z')).toEqual(ids.slice(2));
    expect(await of('?since=2026-01-01&until=2026-01-02')).toEqual(ids);
    expect(await of('?since=2026-01-01T01:00:03%2B01:00')).toEqual(ids.slice(0, 2));
    expect(await of('?since=2030-01-01')).toEqual([]);
    expect(JSON.stringify(await list(''))).not.toMatch(/ada|steps/);
  });

  test.each([
    ['?state=done', ['/state']],
    ['?state=', ['/state']],
    ['?state=constructor', ['/state']],
    ['?state=failed&state=running', ['/state']],
    ['?limit=0', ['/limit']],
    ['?limit=501', ['/limit']],
    ['?limit=05', ['/limit']],
    ['?limit=1e2', ['/limit']],
    ['?limit=-1', ['/limit']],
    ['?limit=ten', ['/limit']],
    ['?limit=', ['/limit']],
    ['?after=', ['/after']],
    ['?after=x', ['/after']],
    ['?after=1', ['/after']],
    ["?after=1.1'%20OR%201=1", ['/after']],
    [`?after=1.${'a'.repeat(65)}`, ['/after']],
    ['?since=yesterday', ['/since']],
    ['?since=', ['/since']],
    ['?since=1767225600000', ['/since']],
    ['?since=2026-02-30', ['/since']],
    ['?since=2026-01-01T25:00:00Z', ['/since']],
    ['?since=2026-12-31T23:59:60Z', ['/since']],
    // It would be another instant on another machine.
    ['?until=2026-01-01T00:00:00', ['/until']],
    // A plus is a blank in a query.
    ['?until=2026-01-01T00:00:00+01:00', ['/until']],
    ['?status=failed', ['/status']],
    ['?__proto__=x', ['/__proto__']],
    ['?step=a', ['/step']],
    ['?limit=0&state=x&foo=1&since=y', ['/foo', '/state', '/since', '/limit']],
  ])('%s is 400, with every mistake', async (query, pointers) => {
    const one = await serve({ pipeline });
    expect(await refused(one, `/runs${query}`)).toEqual([400, 'invalid_input', ...pointers]);
  });
});

describe('GET …/dead-letters', () => {
  test('lists steps that have failed for good, by step and by code', async () => {
    const one = await serve({ pipeline, script: () => DEAD });
    const runs = [await start(one), await start(one)].reverse();
    const list = async (query: string) =>
      (
        await get<{ deadLetters: { run: string; step: string }[] }>(one, `/dead-letters${query}`)
      ).deadLetters.map(({ run, step }) => `${run} ${step}`);
    const all = runs.flatMap(({ id }) => [`${id} a`, `${id} b`]);
    expect(await list('')).toEqual(all);
    expect(await list('?step=b&code=refused')).toEqual(runs.map(({ id }) => `${id} b`));
    expect(await list('?code=other')).toEqual([]);
    const page = await get<{ next: string }>(one, '/dead-letters?limit=1');
    expect(await list(`?limit=1&after=${page.next}`)).toEqual(all.slice(1, 2));
    expect(JSON.stringify(await get(one, '/dead-letters'))).not.toMatch(/input/);
  });

  test.each([
    ['?state=failed', ['/state']],
    ['?step=a&step=b', ['/step']],
    ['?limit=1000', ['/limit']],
    ['?after=1.%00', ['/after']],
  ])('%s is 400', async (query, pointers) => {
    const one = await serve({ pipeline });
    expect(await refused(one, `/dead-letters${query}`)).toEqual([
      400,
      'invalid_input',
      ...pointers,
    ]);
  });

  test.each(['%00', '%EF%BF%BF', "'%20OR%201=1%20--", '%25', 'A', '', 'a'.repeat(3_000)])(
    'of a step or a code %s is 400',
    async (text) => {
      const one = await serve({ pipeline, script: () => DEAD });
      await start(one);
      for (const name of ['step', 'code'])
        expect(await refused(one, `/dead-letters?${name}=${text}`)).toEqual([
          400,
          'invalid_input',
          `/${name}`,
        ]);
    },
  );
});

describe('GET …/runs/:id/record', () => {
  test('is the run with its input and its graph', async () => {
    const one = await serve({ pipeline });
    const run = await start(one, { secret: 'ada' });
    expect(await get(one, `/runs/${run.id}/record`)).toEqual({
      run,
      input: { secret: 'ada' },
      pipeline,
    });
    expect(await refused(one, `/runs/${'A'.repeat(22)}/record`)).toEqual([404, 'not_found']);
    expect(await refused(one, '/runs/A%00A/record')).toEqual([404, 'not_found']);
  });
});

describe('targets', () => {
  test('that are gone are listed, and let be called again', async () => {
    const one = await serve({ pipeline });
    expect(await get(one, '/targets')).toEqual({ targets: [] });
    await one.gone.add('CRM_URL.0a1b2c');
    const target = { name: 'CRM_URL.0a1b2c', at: '2026-01-01T00:00:00.000Z' };
    expect(await get(one, '/targets')).toEqual({ targets: [target] });
    const enable = (name: string) => one.send(`/targets/${name}/enable`, '');
    const enabled = await enable('CRM_URL.0a1b2c');
    expect([enabled.status, await enabled.text()]).toEqual([204, '']);
    expect(one.gone.has('CRM_URL.0a1b2c')).toBe(false);
    for (const name of ['CRM_URL.0a1b2c', 'nobody', '%00', '%F0%9F%92%A9']) {
      const response = await enable(name);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ code: 'not_found' });
    }
  });
});

test('a journal that cannot be read is 503 for every list', async () => {
  const broken = () => Promise.reject(new Failure('engine_unavailable'));
  const one = await serve({
    pipeline,
    wrap: (journal) => ({
      ...journal,
      list: broken,
      deadLetters: broken,
      find: broken,
      removeGoneTarget: broken,
    }),
  });
  for (const path of ['/runs', '/dead-letters', `/runs/${'A'.repeat(22)}/record`])
    expect(await refused(one, path)).toEqual([503, 'engine_unavailable']);
  expect((await one.send('/targets/x/enable', '')).status).toBe(503);
});
