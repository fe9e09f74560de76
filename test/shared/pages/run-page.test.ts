/** The page of a run as it leaves the server: what stands in it, and what must not. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { publicGraph } from '../../../shared/pages/run-graph';
import { runListPage } from '../../../shared/pages/run-list-page';
import { runPage } from '../../../shared/pages/run-page';
import type { Run, StepResult } from '../../../shared/pipeline/run';
import { pipelineOf } from '../pipeline/engines/lab';

const EVIL = `</script></pre></table><script>alert(1)</script><img src=x onerror='alert(1)'>"&\u202e`;

/** Everything in it that somebody without a token must not see says SECRET. */
const PIPELINE = {
  ...pipelineOf(
    {
      charge: {
        target: { webhook: 'SECRET_URL', secret: 'SECRET_KEY_OF_IT' },
        when: { pointer: '/SECRET', equals: 'SECRET' },
        input: { SECRET: '/SECRET' },
        expose: ['/SECRET'],
        keep: ['/SECRET'],
        rate: 7,
        undo: {
          target: { webhook: 'SECRET_UNDO_URL', secret: 'SECRET_UNDO' },
          timeout: 1,
          retry: { attempts: 1, backoff: 1, maxBackoff: 1, jitter: 0 },
        },
      },
      call: { target: { function: 'SECRET-function' }, after: ['charge'] },
      approve: { target: { wait: 'SECRET.event' }, after: ['charge'], timeout: 60_000 },
      tell: { target: { event: 'SECRET.told' }, after: ['call', 'approve'], required: false },
    },
    'order',
    { summary: 'SECRET plan', input: { title: 'SECRET' }, on: 'SECRET.on' },
  ),
};

const DONE: StepResult = { state: 'succeeded', attempts: 1 };
const runOf = (fields: Partial<Run> = {}): Run => ({
  id: 'a-run',
  pipeline: 'order',
  graph: PIPELINE.hash,
  state: 'running',
  steps: {
    charge: { ...DONE, output: { receipt: EVIL } },
    call: { state: 'failed', attempts: 2, error: { code: 'refused', status: 422 } },
    approve: { state: 'running', attempts: 0, startedAt: '2026-01-01T00:00:00.000Z' },
    tell: { state: 'pending', attempts: 0 },
  },
  createdAt: '2026-01-01T00:00:00.000Z',
  deadlineAt: '2026-01-02T00:00:00.000Z',
  replays: [
    { at: '2026-01-01T00:00:01.000Z', by: EVIL, reason: EVIL, steps: ['call'], resend: false },
  ],
  ...fields,
});

const open = async (fields: Partial<Run> = {}, production = true) => {
  const answer = runPage({ run: runOf(fields), pipeline: PIPELINE, production, now: 0 });
  return { answer, body: await answer.text() };
};

describe('the page of a run', () => {
  test('shows each step with its state, attempts, error and output', async () => {
    const { body } = await open();
    const rows = Object.fromEntries(
      [...body.matchAll(/<tr [^>]*data-step="([\w-]+)" data-state="(\w+)">([\s\S]*?)<\/tr>/g)].map(
        ([, name, state, row = '']) => [
          name,
          [
            state,
            row
              .replace(/<[^>]*>/g, ' ')
              .replace(/\s+/g, ' ')
              .trim(),
          ],
        ],
      ),
    );
    expect(rows).toEqual({
      charge: ['succeeded', expect.stringMatching(/^charge done 1 of 5 \{ &quot;receipt&quot;/)],
      call: [
        'failed',
        'call after charge failed 2 of 5 refused 422 The receiver refused it, and would refuse the same again.',
      ],
      approve: [
        'running',
        'approve after charge running waits for an answer time is up at 00:01:00 UTC 00:00:00 UTC',
      ],
      tell: ['pending', 'tell after call, approve, optional waiting'],
    });
    expect(
      [...body.matchAll(/<g class="step[^>]*data-step="(\w+)" data-state="(\w+)"/g)].map(
        ([, ...found]) => found,
      ),
    ).toEqual([
      ['charge', 'succeeded'],
      ['call', 'failed'],
      ['approve', 'running'],
      ['tell', 'pending'],
    ]);
    expect(body).toContain('<title>running · order</title>');
  });

  test('knows nothing of the input, of targets, variables, conditions and what else is for operators', async () => {
    for (const production of [true, false])
      expect((await open({}, production)).body).not.toMatch(/SECRET/);
    expect(JSON.stringify(publicGraph(PIPELINE))).not.toMatch(/SECRET/);
  });

  test('shows what strangers wrote as text', async () => {
    const { body } = await open();
    const [head = '', rest = ''] = body.split('</head>');
    expect(rest.match(/<script/g)).toEqual(['<script']);
    expect(rest).not.toMatch(/<img|onerror='/);
    expect(body.match(/<pre/g) ?? []).toHaveLength((body.match(/<\/pre>/g) ?? []).length);
    expect(head).not.toContain('alert(1)');
    expect(rest).toContain('alert(1)');
    const evil = {
      ...PIPELINE,
      steps: PIPELINE.steps.map((step) => ({
        ...step,
        name: step.name === 'tell' ? EVIL : step.name,
      })),
    };
    const run = runOf({ pipeline: EVIL, steps: { ...runOf().steps, [EVIL]: DONE } });
    const named = await runPage({ run, pipeline: evil, production: false, now: 0 }).text();
    expect(named.split('</head>')[1]?.match(/<script/g)).toEqual(['<script']);
    expect(named).not.toContain('<img');
    expect(named).toContain('<title>running · &lt;/script&gt;');
  });

  test('runs its own scripts by hash, talks to this origin alone, and is never kept', async () => {
    const { answer, body } = await open();
    const policy = answer.headers.get('content-security-policy') ?? '';
    const scripts = [...body.matchAll(/<script type="module">([\s\S]*?)<\/script>/g)];
    expect(scripts).toHaveLength(6);
    for (const [, code = ''] of scripts)
      expect(policy).toContain(`'sha256-${createHash('sha256').update(code).digest('base64')}'`);
    expect(policy).toMatch(/connect-src 'self'; require-trusted-types-for 'script'/);
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(body).not.toMatch(/ style=| on\w+=(?!alert|&)|<script[^>]+src=|@import|url\(/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('vary')).toBe('accept');
  });

  test('asks for a token in production only, and links what is open in development only', async () => {
    const [closed, opened] = [(await open()).body, (await open({}, false)).body];
    expect(closed).toContain('id="order-token"');
    expect(closed).not.toMatch(/href="\//);
    expect(opened).not.toContain('id="order-token"');
    expect(opened).toContain('href="/order/runs"');
  });
});

describe('the list of runs', () => {
  const list = (query: string, next?: string) =>
    runListPage({
      pipeline: 'order',
      runs: [
        {
          id: 'a-run',
          pipeline: 'order',
          graph: 'g',
          state: 'failed',
          createdAt: '2026-01-01T00:00:00.000Z',
          deadlineAt: '2026-01-02T00:00:00.000Z',
          endedAt: '2026-01-01T00:00:01.000Z',
        },
      ],
      ...(next !== undefined && { next }),
      query: new URLSearchParams(query),
      deadLetters: { count: 500, more: true },
    }).text();

  test('links each run, each state, and the next page with the filter kept', async () => {
    const body = await list('state=failed&limit=1', '7.x');
    expect(body).toContain('<a href="/order/runs/a-run">');
    expect(body).toContain(
      '<a href="/order/runs?state=failed&amp;limit=1" aria-current="page">failed</a>',
    );
    expect(body).toContain('<a href="/order/runs?limit=1">All</a>');
    expect(body).toContain(
      '<a href="/order/runs?state=failed&amp;limit=1&amp;after=7.x">Older</a>',
    );
    expect(body).toContain('500 and more dead letters');
    expect(body).not.toContain('Newest');
  });

  test('leads back from a later page, and no further from the last', async () => {
    const body = await list('state=failed&after=7.x');
    expect(body).toContain('<a href="/order/runs?state=failed">Newest</a>');
    expect(body).not.toContain('Older');
  });
});
