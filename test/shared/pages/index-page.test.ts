import { describe, expect, test } from '@jest/globals';
import { indexPage } from '../../../shared/pages/index-page';
import type { FunctionDescription } from '../../../shared/suite/describe';
import { invoke } from '../../support/invoke';

const HELLO: FunctionDescription = {
  name: 'hello',
  kind: 'event',
  summary: 'Says `hello` & goodbye.',
  runsAt: ['node'],
  callers: 'backend',
  routes: [
    {
      method: 'POST',
      path: '/hello',
      summary: 'Greets.',
      callers: 'backend',
      curl: `curl -s http://localhost:8080/hello -d '{"name":"<ada>"}'`,
    },
    { method: '*', path: '/hello/*', summary: 'All else.', callers: 'public' },
  ],
  config: {
    type: 'object',
    properties: {
      HELLO_URL: { type: 'string', description: 'Where to.', required: 'production' },
      HELLO_WORD: { type: 'string', description: 'The word.', default: '<hi>' },
    },
    required: [],
  },
  calls: ['signup', 'https://elsewhere.example/?a=1&b'],
  on: [],
  emits: [],
};
const SIGNUP: FunctionDescription = { ...HELLO, name: 'signup', kind: 'pipeline', calls: [] };

const open = async (functions: readonly FunctionDescription[], development = true) => {
  const page = indexPage({ describe: () => functions, development });
  const answer = await invoke(page, '/', { headers: { accept: 'text/html' } });
  return { answer, body: await answer.text() };
};

describe('the page at /', () => {
  test('is JSON for a program', async () => {
    const answer = await invoke(indexPage({ describe: () => [HELLO], development: true }), '/');
    expect(await answer.json()).toEqual({ functions: [HELLO] });
    expect(answer.headers.get('vary')).toBe('accept');
  });

  test('shows routes, callers, curl, environment and calls of each function, as text', async () => {
    const { body } = await open([HELLO, SIGNUP]);
    const [hello = ''] = /<article[^>]*id="function-hello"[\s\S]*?<\/article>/.exec(body) ?? [];
    expect(hello).toContain('Says <code>hello</code> &amp; goodbye.');
    expect(hello).toContain('<b>POST</b> /<wbr>hello</code>');
    expect(hello).toContain('<b>any</b> /<wbr>hello/<wbr>*</code> <span class="tag">public</span>');
    expect(hello).toContain('-d &#39;{&quot;name&quot;:&quot;&lt;ada&gt;&quot;}&#39;</code>');
    expect(hello).toContain('HELLO_<wbr>URL');
    expect(hello).toContain('Required in production.');
    expect(hello).toContain('Default: <code>&lt;hi&gt;</code>.');
    expect(hello).toContain('<a href="#function-signup">signup</a>');
    expect(hello).toContain('<code>https://elsewhere.example/?a=1&amp;b</code>');
  });

  test('shows the form where the pipeline signup is served, and only in development', async () => {
    const form = '<form id="signup-form"';
    expect((await open([HELLO, SIGNUP])).body).toContain(form);
    expect((await open([HELLO])).body).not.toContain(form);
    expect((await open([HELLO, { ...SIGNUP, kind: 'event' }])).body).not.toContain(form);
    const { body } = await open([HELLO, SIGNUP], false);
    expect(body).not.toMatch(/<form|\/outbox/);
    expect(body).toContain('function-signup');
  });

  test('loads nothing and holds no handler in its markup', async () => {
    const { body } = await open([HELLO, SIGNUP]);
    expect(body).not.toMatch(/<[^>]+\son\w+=|<script[^>]+src=|<link[^>]+stylesheet|@import|url\(/i);
  });
});
