/** `pipeline replay`, of one run and of many, against a real suite. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { ReplayResult } from '../../../shared/cli/replay-many';
import type { Run } from '../../../shared/pipeline/run';
import { manualClock } from '../../support/manual-clock';
import { createLab, type Lab, linesOf, ORDER, piped } from './lab';

let lab: Lab;
beforeAll(async () => {
  lab = await createLab();
});
afterEach(() => {
  lab.receiver.answer = () => 200;
});
afterAll(() => lab.close());

const replay = (...args: readonly string[]) =>
  lab.run(['pipeline', 'replay', 'order', '--reason', 'mended', ...args]);
const show = async (id: string) =>
  JSON.parse((await lab.run(['pipeline', 'show', 'order', id, '--json'])).out) as Run;

/** Runs that have ended, by default with a dead letter of ship. */
const runs = async (
  count: number,
  answer: (path: string, body: string) => number = (path) => (path === '/ship' ? 422 : 200),
): Promise<readonly string[]> => {
  lab.receiver.answer = ({ path, body }) => answer(path, body);
  const lines = Array.from({ length: count }, (_, i) => `{"email":"${i}@example.com"}`);
  const { out } = await lab.run(
    ['pipeline', 'run', 'order', '--input', '-', '--each', '--wait', '--json'],
    { stdin: piped(lines.join('\n')) },
  );
  lab.receiver.answer = () => 200;
  lab.receiver.calls.length = 0;
  return linesOf<{ id: string }>(out).map(({ id }) => id);
};
const ended = async (ids: readonly string[]) => {
  for (const id of ids) while ((await show(id)).state === 'running');
};
const counts = () => {
  const found: Record<string, number> = {};
  for (const { path } of lab.receiver.calls) found[path] = (found[path] ?? 0) + 1;
  return found;
};
const clear = async () => {
  lab.receiver.answer = () => 200;
  const { out } = await replay('--all', '--rate', '1000/s', '--json');
  await ended(linesOf<ReplayResult>(out).map(({ run }) => run));
};

describe('pipeline replay of one run', () => {
  test('runs again what failed and sends no success again', async () => {
    const [id] = (await runs(1)) as [string];
    const { code, out } = await replay(id, '--by', 'ada');
    expect([code, out]).toEqual([0, `run ${id} runs again: running\n`]);
    await ended([id]);
    expect(counts()).toEqual({ '/ship': 1 });
    const text = (await lab.run(['pipeline', 'show', 'order', id])).out;
    expect(text).toMatch(/^replay +\S+Z by ada: mended \(ship\)$/m);
  });

  test('sends what succeeded once more where that is wanted, under a new key', async () => {
    const [id] = (await runs(1, () => 200)) as [string];
    expect((await replay(id, '--step', 'create', '--downstream', '--resend', '--json')).code).toBe(
      0,
    );
    await ended([id]);
    expect(lab.receiver.calls.map(({ headers }) => headers['idempotency-key'])).toEqual([
      `${id}:create:2`,
      `${id}:ship:2`,
    ]);
  });

  test('says that there is nothing to run again', async () => {
    const [id] = (await runs(1, () => 200)) as [string];
    expect(await replay(id)).toEqual({
      code: 1,
      out: '',
      err: 'faas-patterns pipeline replay: the server answers 422 nothing_to_replay: All of this has succeeded or was never wanted; resend sends it once more.\n',
    });
  });

  test('tells a conflict of graphs step by step', async () => {
    const [id] = (await runs(1)) as [string];
    lab.write('order.yaml', ORDER.replace('{ webhook: CREATE_URL', '{ webhook: SHIP_URL'));
    await lab.restart();
    try {
      expect(await replay(id, '--upgrade')).toEqual({
        code: 1,
        out: '',
        err: 'faas-patterns pipeline replay: the server answers 422 graph_conflict: Steps that have begun are not the same in the graph of now.\n  /steps/create changed: target\n',
      });
      const { out, err } = await replay(id, '--upgrade', '--json');
      expect(err).toBe('');
      expect(JSON.parse(out)).toMatchObject({
        error: { code: 'graph_conflict', errors: [{ pointer: '/steps/create' }] },
      });
      expect((await replay(id)).code).toBe(0);
      await ended([id]);
    } finally {
      lab.write('order.yaml', ORDER);
      await lab.restart();
    }
  });

  test.each([
    [[], /the id of a run is missing, or --all, or --ids/],
    [['x', '--all'], /only one can be given/],
    [['--all', '--ids', '-'], /only one can be given/],
    [['x', '--rate', '1/s'], /--rate and --limit are for --all and --ids/],
    [['x', '--code', 'refused'], /--code is for --all/],
    [['x', '--downstream'], /--downstream needs a --step/],
    [['--all', '--rate', 'fast'], /--rate must be a rate such as 10\/s/],
    [['--all', '--rate', '0/s'], /--rate must be a rate/],
    [['--all', '--limit', 'x'], /--limit must be/],
    [['--all', '--step', 'X'], /"X" is not the name of a step/],
  ])('%j is refused with 2', async (args, message) => {
    const { code, out, err } = await replay(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });
});

describe('pipeline replay --all', () => {
  test('replays every run with a dead letter, each once, and no success again', async () => {
    const ids = await runs(12);
    const { code, out, err } = await replay('--all', '--rate', '1000/s', '--json');
    expect(code).toBe(0);
    const results = linesOf<ReplayResult>(out);
    expect(new Set(results.map(({ run }) => run))).toEqual(new Set(ids));
    expect(results).toHaveLength(12);
    expect(err).toBe('12 replayed, 0 skipped, 0 refused\n');
    await ended(ids);
    expect(counts()).toEqual({ '/ship': 12 });
    expect(await replay('--all')).toEqual({
      code: 0,
      out: '',
      err: '0 replayed, 0 skipped, 0 refused\n',
    });
  });

  test('takes a step, a code and a limit', async () => {
    const creates = await runs(2, (path) => (path === '/create' ? 422 : 200));
    const ships = await runs(3);
    const ids = async (...args: string[]) =>
      linesOf<ReplayResult>((await replay('--all', '--rate', '1000/s', '--json', ...args)).out)
        .map(({ run }) => run)
        .sort();
    expect(await ids('--code', 'upstream_timeout')).toEqual([]);
    expect(await ids('--step', 'ship', '--limit', '2')).toHaveLength(2);
    expect(await ids('--step', 'ship')).toHaveLength(1);
    await ended(ships);
    expect(await ids('--step', 'create', '--code', 'refused')).toEqual([...creates].sort());
    await ended(creates);
  });

  test('a run that is refused is told, and is no reason to stop', async () => {
    await clear();
    const [bad] = (await runs(1, (path) => (path === '/create' ? 422 : 200))) as [string];
    const ships = await runs(2);
    const unknown = 'AAAAAAAAAAAAAAAAAAAAAA';
    const { code, out, err } = await lab.run(
      [
        'pipeline',
        'replay',
        'order',
        '--ids',
        '-',
        '--reason',
        'x',
        '--rate',
        '1000/s',
        '--step',
        'ship',
      ],
      { stdin: piped([unknown, bad, ...ships].join('\n')) },
    );
    expect(code).toBe(1);
    expect(out.split('\n')).toEqual([
      expect.stringMatching(new RegExp(`^${unknown} {2}refused {2}not_found: `)),
      expect.stringMatching(new RegExp(`^${bad} {2}refused {2}replay_blocked: .*create`)),
      '',
    ]);
    expect(err).toBe('2 replayed, 0 skipped, 2 refused\n');
    await ended(ships);
    await clear();
  });

  test('keeps to the rate', async () => {
    const ids = await runs(4);
    const clock = manualClock();
    const sent: number[] = [];
    const done = lab.run(
      ['pipeline', 'replay', 'order', '--all', '--reason', 'x', '--rate', '30/m', '--json'],
      {
        clock,
        stdout: () => void sent.push(clock.now()),
      },
    );
    for (let i = 0; i < 200 && sent.length < 4; i += 1) {
      const told = sent.length;
      // Long enough for an answer that is on its way: time must not go on meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 150));
      if (sent.length === told) await clock.advance(500);
    }
    await done;
    for (let i = 1; i < 4; i += 1)
      expect((sent[i] as number) - (sent[i - 1] as number)).toBeGreaterThanOrEqual(2_000);
    await ended(ids);
  });

  test('interrupted, it says how far it came; the same command once more does the rest', async () => {
    const ids = await runs(6);
    const stop = new AbortController();
    let told = 0;
    const { code, out, err } = await lab.run(
      ['pipeline', 'replay', 'order', '--all', '--reason', 'x', '--rate', '20/s', '--json'],
      { signal: stop.signal, stdout: () => void (++told === 2 && stop.abort()) },
    );
    const before = linesOf<ReplayResult>(out).length;
    expect(code).toBe(1);
    expect(before).toBeLessThan(6);
    expect(err).toBe(`interrupted: ${before} replayed, 0 skipped, 0 refused\n`);
    await ended(ids);
    const rest = await replay('--all', '--rate', '1000/s');
    expect(rest).toMatchObject({ code: 0, err: `${6 - before} replayed, 0 skipped, 0 refused\n` });
    await ended(ids);
    expect(counts()).toEqual({ '/ship': 6 });
  });

  test('stops when the server cannot be asked', async () => {
    const { code, err } = await lab.run(['pipeline', 'replay', 'order', '--all', '--reason', 'x'], {
      environment: { FAAS_URL: 'http://127.0.0.1:9' },
    });
    expect(code).toBe(2);
    expect(err).toMatch(/^0 replayed, 0 skipped, 0 refused\n.*no server answers/);
  });

  test.each([
    [401, 'unauthorized', 2],
    [503, 'engine_unavailable', 1],
  ])('stops at %i, which the next run would get as well', async (status, code, expected) => {
    let asked = 0;
    const server = createServer((_, response) => {
      asked += 1;
      response.writeHead(status).end(JSON.stringify({ code, detail: 'No.' }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const ids = Array.from({ length: 100 }, (_, i) => `run-${i}`).join('\n');
      const ended = await lab.run(
        ['pipeline', 'replay', 'order', '--ids', '-', '--reason', 'x', '--rate', '1000/s'],
        { stdin: piped(ids), environment: { FAAS_URL: `http://127.0.0.1:${port}` } },
      );
      expect(ended.code).toBe(expected);
      expect(asked).toBeLessThan(20);
      expect(ended.err).toMatch(
        new RegExp(
          `^stopped: 0 replayed, 0 skipped, \\d+ refused\nthe server answers ${status} ${code}: No\\.`,
        ),
      );
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test('draws its progress on one line of a terminal', async () => {
    const ids = await runs(2);
    const { err } = await lab.run(
      ['pipeline', 'replay', 'order', '--all', '--reason', 'x', '--rate', '1000/s'],
      { terminals: { stderr: { columns: 80, rows: 24 } } },
    );
    expect(err).toBe(
      '\r1 replayed, 0 skipped, 0 refused\u001b[K\r2 replayed, 0 skipped, 0 refused\u001b[K\r\u001b[K2 replayed, 0 skipped, 0 refused\n',
    );
    await ended(ids);
  });
});

describe('pipeline replay --ids', () => {
  test('takes ids as lines, as JSON of either list, and each of them once', async () => {
    const [a, b, c] = (await runs(3)) as [string, string, string];
    const lines = [
      a,
      '',
      JSON.stringify({ run: b, step: 'ship' }),
      JSON.stringify({ id: c }),
      JSON.stringify(a),
    ];
    const { code, out } = await lab.run(
      ['pipeline', 'replay', 'order', '--ids', '-', '--reason', 'x', '--rate', '1000', '--json'],
      { stdin: piped(lines.join('\n')) },
    );
    expect(code).toBe(0);
    expect(linesOf(out)).toEqual([a, b, c].map((run) => ({ run, outcome: 'replayed' })));
    await ended([a, b, c]);
  });

  test('skips what is under way and what has nothing to run again', async () => {
    const [good] = (await runs(1, () => 200)) as [string];
    const [bad] = (await runs(1)) as [string];
    let release = () => {};
    lab.receiver.answer = () => new Promise((resolve) => (release = () => resolve(200)));
    expect((await replay(bad)).code).toBe(0);
    lab.write('ids', `${good}\n${bad}\n`);
    const { code, out, err } = await replay('--ids', 'ids', '--json');
    expect(code).toBe(0);
    expect(
      linesOf<ReplayResult>(out).map(({ run, outcome, error }) => [run, outcome, error?.code]),
    ).toEqual([
      [good, 'skipped', 'nothing_to_replay'],
      [bad, 'skipped', 'run_not_ended'],
    ]);
    expect(err).toBe('0 replayed, 2 skipped, 0 refused\n');
    release();
    await ended([bad]);
  });

  test('refuses what is no id, without asking, and goes on', async () => {
    const [id] = (await runs(1)) as [string];
    const { code, out } = await lab.run(
      ['pipeline', 'replay', 'order', '--ids', '-', '--reason', 'x', '--json'],
      { stdin: piped(`../../signup\n{"x":1}\n${id}\n`) },
    );
    expect(code).toBe(1);
    expect(linesOf<ReplayResult>(out).map(({ outcome, error }) => [outcome, error?.code])).toEqual([
      ['refused', 'invalid_id'],
      ['refused', 'invalid_id'],
      ['replayed', undefined],
    ]);
    await ended([id]);
  });
});
