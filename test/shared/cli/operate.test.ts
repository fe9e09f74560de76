/** What operators ask of runs: lists, one run, cancel, signal, targets; against a real suite. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { DeadLetter } from '../../../shared/pipeline/engine';
import type { Run, RunSummary } from '../../../shared/pipeline/run';
import { createLab, type Lab, linesOf, piped } from './lab';

let lab: Lab;
beforeAll(async () => {
  lab = await createLab();
});
afterEach(() => {
  lab.receiver.answer = () => 200;
});
afterAll(() => lab.close());

const pipeline = (...args: readonly string[]) => lab.run(['pipeline', ...args]);

/** Runs to their end, in the order of the inputs; their ids. */
const runs = async (name: string, inputs: readonly object[]): Promise<readonly string[]> => {
  const { out } = await lab.run(
    ['pipeline', 'run', name, '--input', '-', '--each', '--wait', '--json', '--concurrency', '1'],
    { stdin: piped(inputs.map((input) => JSON.stringify(input)).join('\n')) },
  );
  return linesOf<{ id: string }>(out).map(({ id }) => id);
};
const start = async (name: string): Promise<string> => {
  const { out } = await pipeline('run', name, '--data', '{"email":"ada@example.com"}', '--json');
  return (JSON.parse(out) as Run).id;
};
const failAt = (step: string, status = 422) => {
  lab.receiver.answer = ({ path }) => (path === `/${step}` ? status : 200);
};
const email = (text: string) => ({ email: text });

describe('pipeline runs', () => {
  test('lists runs, newest first, as a table and as a line of JSON each', async () => {
    const [good] = await runs('order', [email('good')]);
    failAt('ship');
    const [bad] = await runs('order', [email('bad')]);
    const { code, out, err } = await pipeline('runs', 'order');
    expect([code, err]).toEqual([0, '']);
    const instant = String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`;
    expect(out).toMatch(
      new RegExp(
        `^RUN {29}STATE {6}ACCEPTED {18}ENDED\n${bad}  failed {5}${instant}  ${instant}\n${good}  succeeded  ${instant}`,
      ),
    );
    const machine = await pipeline('runs', 'order', '--json');
    expect(
      linesOf<RunSummary>(machine.out)
        .slice(0, 2)
        .map(({ id, state }) => [id, state]),
    ).toEqual([
      [bad, 'failed'],
      [good, 'succeeded'],
    ]);
  });

  test('takes a state, and instants or how long ago', async () => {
    failAt('ship');
    const [bad] = await runs('order', [email('bad')]);
    const ids = async (...args: string[]) =>
      linesOf<RunSummary>((await pipeline('runs', 'order', '--json', ...args)).out).map(
        ({ id }) => id,
      );
    expect(await ids('--state', 'failed')).toContain(bad);
    expect(await ids('--state', 'succeeded')).not.toContain(bad);
    expect(await ids('--since', '1h')).toContain(bad);
    expect(await ids('--since', '2026-01-01', '--until', '1h')).toEqual([]);
    expect(await ids('--since', '2999-01-01T00:00:00Z')).toEqual([]);
  });

  test('says when there are more, and gives as many as it is told, over several pages', async () => {
    await runs(
      'order',
      [1, 2, 3].map((i) => email(String(i))),
    );
    const some = await pipeline('runs', 'order', '--limit', '2', '--json');
    expect([linesOf(some.out).length, some.err]).toEqual([
      2,
      'there are more: --limit N or --all\n',
    ]);
    const all = await pipeline('runs', 'order', '--all', '--json');
    expect(all.err).toBe('');
    expect(linesOf(all.out).length).toBeGreaterThan(2);
  });

  test('says when there are none', async () => {
    const args = ['runs', 'approval', '--since', '2999-01-01'];
    expect(await pipeline(...args)).toEqual({ code: 0, out: '', err: 'there are none\n' });
    expect(await pipeline(...args, '--json')).toEqual({ code: 0, out: '', err: '' });
  });

  test.each([
    [['runs'], 2, /the name of a pipeline is missing/],
    [['runs', 'order', 'more'], 2, /one argument too many: "more"/],
    [['runs', 'order', '--since', 'soon'], 2, /--since must be an instant/],
    [['runs', 'order', '--limit', '0'], 2, /--limit must be a whole number/],
    [['runs', 'order', '--limit', '1', '--all'], 2, /--limit and --all cannot both/],
    [['runs', 'order', '--stat', 'failed'], 2, /no option --stat; did you mean --state\?/],
    [
      ['runs', 'order', '--state', 'lost'],
      1,
      /400 invalid_input: .*\n {2}\/state must be one of running, /,
    ],
    [['runs', 'nothing'], 1, /404 not_found: /],
  ])('%j ends with %i', async (args, expected, message) => {
    const { code, out, err } = await pipeline(...args);
    expect([code, out]).toEqual([expected, '']);
    expect(err).toMatch(message);
  });
});

describe('pipeline show', () => {
  test('shows the steps: state, attempts, error and its meaning, and what was exposed', async () => {
    failAt('ship', 503);
    const [id] = (await runs('order', [email('ada')])) as [string];
    const { code, out, err } = await pipeline('show', 'order', id);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(
      new RegExp(`^run +${id} of order\nstate +failed\naccepted +\\S+\nended +\\S+\n`),
    );
    expect(out).toMatch(/^STEP +STATE +ATTEMPTS +NEXT TRY +ERROR$/m);
    expect(out).toMatch(/^create +succeeded +1$/m);
    expect(out).toMatch(
      /^ship +failed +2 +refused 503 +the target has answered, and the status says no$/m,
    );
    expect(out).toMatch(/^crm +skipped \(condition\) +0$/m);
    expect(out).toMatch(/^create answered \{"id":"id-\d+"\}$/m);
  });

  test('shows the next try of a step that is tried again', async () => {
    lab.write('slow.yaml', SLOW);
    await lab.restart();
    lab.receiver.answer = () => 503;
    const id = await start('slow');
    for (let i = 0; i < 100; i += 1) {
      const { out } = await pipeline('show', 'slow', id);
      if (/^only +running +1 +\d{4}-\S+Z +refused 503 /m.test(out)) break;
      expect(i).toBeLessThan(99);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await pipeline('cancel', 'slow', id, '--reason', 'seen');
  });

  test('gives a machine what the server says', async () => {
    const id = await start('order');
    const { code, out } = await pipeline('show', 'order', id, '--json');
    expect([code, JSON.parse(out)]).toEqual([
      0,
      expect.objectContaining({ id, pipeline: 'order' }),
    ]);
  });

  test('with --record also shows the input and the graph', async () => {
    const [id] = (await runs('order', [email('ada@example.com')])) as [string];
    const plain = await pipeline('show', 'order', id, '--record');
    expect(plain.out).toContain('"email": "ada@example.com"');
    expect(plain.out).toContain('"webhook": "SHIP_URL"');
    const { out } = await pipeline('show', 'order', id, '--record', '--json');
    expect(JSON.parse(out)).toMatchObject({ run: { id }, input: email('ada@example.com') });
    expect((await pipeline('show', 'order', id)).out).not.toContain('ada@example.com');
  });

  test('takes an id that begins with a dash', async () => {
    const { code, err } = await pipeline('show', 'order', '-------------------abc');
    expect([code, err]).toEqual([1, expect.stringMatching(/404 not_found/)]);
    expect((await pipeline('show', 'order', '-hello-hello-hello-hel')).err).toMatch(/404/);
  });

  test.each([
    [['show', 'order'], 2, /the id of a run is missing/],
    [['show', 'order', '..'], 2, /"\.\." is not the id of a run/],
    [['show', 'Order', 'x'], 2, /"Order" is not the name of a pipeline/],
    [['show', 'order', 'x'], 1, /404 not_found/],
  ])('%j ends with %i', async (args, expected, message) => {
    const { code, out, err } = await pipeline(...args);
    expect([code, out]).toEqual([expected, '']);
    expect(err).toMatch(message);
  });
});

const SLOW = `name: slow
summary: Tried again much later.
input: order.schema.json
steps:
  only: { webhook: CREATE_URL, retry: { backoff: 1m, maxBackoff: 1m } }
`;

describe('pipeline cancel', () => {
  test('calls a run off, with who and why', async () => {
    const id = await start('approval');
    const args = ['cancel', 'approval', id, '--reason', 'not wanted', '--by', 'ada'];
    expect(await pipeline(...args)).toEqual({
      code: 0,
      out: expect.stringMatching(new RegExp(`^run ${id} is called off: (cancelled|running)\n$`)),
      err: '',
    });
    const { out } = await pipeline('show', 'approval', id);
    expect(out).toMatch(/^cancelled +\S+Z by ada: not wanted$/m);
    const again = await pipeline('cancel', 'approval', id, '--reason', 'x', '--json');
    expect(JSON.parse(again.out)).toMatchObject({ id, cancelled: { by: 'ada' } });
  });

  test('is refused for a run that has ended, and without a reason', async () => {
    const [id] = (await runs('order', [email('x')])) as [string];
    expect(await pipeline('cancel', 'order', id, '--reason', 'late')).toEqual({
      code: 1,
      out: '',
      err: 'faas-patterns pipeline cancel: the server answers 422 run_ended: This run has ended already: it has succeeded.\n',
    });
    for (const args of [[], ['--reason', ' ']])
      expect(await pipeline('cancel', 'order', id, ...args)).toMatchObject({
        code: 2,
        err: expect.stringMatching(/--reason is missing/),
      });
  });
});

describe('pipeline signal', () => {
  test('answers a step that waits, and the run goes on to its end', async () => {
    const id = await start('approval');
    const data = ['--data', '{"yes":true}'];
    const { code, out } = await pipeline('signal', 'approval', id, 'approve', ...data);
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^run ${id} has the answer for approve: `)),
    ]);
    expect((await pipeline('signal', 'approval', id, 'approve', ...data)).code).toBe(0);
    for (let state = ''; state !== 'succeeded'; )
      state = (JSON.parse((await pipeline('show', 'approval', id, '--json')).out) as Run).state;
  });

  test('takes the answer from a pipe, and null when there is none', async () => {
    const id = await start('approval');
    const piping = await lab.run(
      ['pipeline', 'signal', 'approval', id, 'approve', '--input', '-', '--json'],
      { stdin: piped('[1', ',2]') },
    );
    expect([piping.code, JSON.parse(piping.out)]).toEqual([0, expect.objectContaining({ id })]);
    expect((await pipeline('signal', 'approval', await start('approval'), 'approve')).code).toBe(0);
  });

  test.each([
    [['ask'], 1, /404 not_found: This run has no step ask that waits/],
    [['Ask'], 2, /"Ask" is not the name of a step/],
    [['approve', '--data', '{'], 2, /--data: Not valid JSON, line 1, column 2/],
    [[], 2, /the name of a step is missing/],
  ])('%j ends with %i', async (args, expected, message) => {
    const id = await start('approval');
    const { code, err } = await pipeline('signal', 'approval', id, ...args);
    expect(code).toBe(expected);
    expect(err).toMatch(message);
  });
});

describe('pipeline dead-letters', () => {
  test('lists steps that have failed for good, by step and by code', async () => {
    failAt('create');
    const [first] = await runs('order', [email('a')]);
    failAt('ship');
    const [second] = await runs('order', [email('b')]);
    const { code, out } = await pipeline('dead-letters', 'order');
    expect(code).toBe(0);
    expect(out).toMatch(/^RUN +STEP +ATTEMPTS +FAILED +ERROR$/m);
    expect(out).toMatch(new RegExp(`^${second} +ship +1 +\\S+Z +refused 422 +the target has`, 'm'));
    const letters = async (...args: string[]) =>
      linesOf<DeadLetter>((await pipeline('dead-letters', 'order', '--json', ...args)).out).map(
        ({ run }) => run,
      );
    expect((await letters()).slice(0, 2)).toEqual([second, first]);
    expect(await letters('--step', 'create')).toContain(first);
    expect(await letters('--step', 'create')).not.toContain(second);
    expect(await letters('--code', 'upstream_timeout')).toEqual([]);
    expect(await letters('--code', 'refused', '--limit', '1')).toEqual([second]);
  });
});

describe('pipeline targets', () => {
  test('lists targets that are gone, and lets one be called again', async () => {
    expect(await pipeline('targets', 'order')).toEqual({
      code: 0,
      out: '',
      err: 'there are none\n',
    });
    failAt('ship', 410);
    await runs('order', [email('x')]);
    const { out } = await pipeline('targets', 'order');
    const [, name = ''] = /^TARGET +GONE SINCE\n(SHIP_URL\.\S+) +\S+Z\n$/.exec(out) ?? [];
    expect(linesOf((await pipeline('targets', 'order', '--json')).out)).toEqual([
      { name, at: expect.any(String) },
    ]);
    expect(await pipeline('targets', 'order', '--enable', name)).toMatchObject({
      code: 0,
      out: 'enabled\n',
    });
    expect(await pipeline('targets', 'order', '--enable', name)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/404 not_found: No such target is disabled/),
    });
    expect((await pipeline('targets', 'order', '--enable', '..')).code).toBe(2);
  });
});
