/** `pipeline run` against a real suite, over real HTTP. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { LineResult } from '../../../shared/cli/run-each';
import type { Run } from '../../../shared/pipeline/run';
import { createLab, type Lab, linesOf, piped } from './lab';

let lab: Lab;
beforeAll(async () => {
  lab = await createLab();
});
afterEach(() => {
  lab.receiver.answer = () => 200;
  lab.receiver.calls.length = 0;
});
afterAll(() => lab.close());

const ADA = '{"email":"ada@example.com"}';
const INPUT = ['--data', ADA];

describe('pipeline run', () => {
  test('starts a run, and prints its id and where it can be read', async () => {
    const { code, out, err } = await lab.run(['pipeline', 'run', 'order', ...INPUT]);
    expect([code, err]).toEqual([0, '']);
    const [, id, location] = /^run ([\w-]{30}) {2}(\S+)\n$/.exec(out) ?? [];
    expect(location).toBe(`${lab.host.url}/order/runs/${id}`);
    expect(await (await fetch(location as string)).json()).toMatchObject({ id, pipeline: 'order' });
  });

  test('gives a machine one object', async () => {
    const { code, out } = await lab.run(['pipeline', 'run', 'order', ...INPUT, '--json']);
    expect([code, JSON.parse(out)]).toEqual([
      0,
      {
        id: expect.stringMatching(/^[\w-]{30}$/),
        location: expect.stringMatching(/\/order\/runs\//),
        state: 'running',
      },
    ]);
  });

  test('with the same idempotency key and input gives the same run, and with another input it is refused', async () => {
    const args = ['pipeline', 'run', 'order', '--idempotency-key', 'a "key" \\'];
    const first = await lab.run([...args, ...INPUT]);
    expect((await lab.run([...args, ...INPUT])).out).toBe(first.out);
    expect(await lab.run([...args, '--data', '{"email":"b@example.com"}'])).toEqual({
      code: 1,
      out: '',
      err: 'faas-patterns pipeline run: the server answers 422 idempotency_mismatch: This idempotency key was used before with another body.\n',
    });
  });

  test('takes the input from a file, or from stdin in whatever chunks it comes', async () => {
    const text = '\n{ "email" : "file@example.com" }\n';
    lab.write('input.json', text);
    const file = await lab.run(['pipeline', 'run', 'order', '--input', 'input.json', '--wait']);
    expect(file.code).toBe(0);
    const half = Buffer.from('{"email":"ä@example.com"}');
    const pipe = await lab.run(['pipeline', 'run', 'order', '--input', '-', '--wait'], {
      stdin: piped(half.subarray(0, 11), half.subarray(11)),
    });
    expect(pipe.code).toBe(0);
    const created = lab.receiver.calls.flatMap(({ path, body }) =>
      path === '/create' ? body : [],
    );
    expect(created).toContain('{"email":"file@example.com"}');
    expect(created).toContain('{"email":"ä@example.com"}');
  });

  test('tells every mistake of the input that the server finds', async () => {
    expect(await lab.run(['pipeline', 'run', 'order', '--data', '{"emial":1}'])).toEqual({
      code: 1,
      out: '',
      err: 'faas-patterns pipeline run: the server answers 400 invalid_input: The input does not match what this function takes.\n  /email is required\n  /emial is not known here\n',
    });
    const { code, out, err } = await lab.run([
      'pipeline',
      'run',
      'order',
      '--data',
      '{}',
      '--json',
    ]);
    expect([code, err]).toEqual([1, '']);
    expect(JSON.parse(out)).toMatchObject({
      error: { status: 400, code: 'invalid_input', errors: [{ pointer: '/email' }] },
    });
  });

  test.each([
    [
      'JSON that is none',
      ['--data', '{"a":\n x}'],
      /^.*--data: Not valid JSON, line 2, column 2: /,
    ],
    ['a file that is not there', ['--input', 'none.json'], /none\.json does not exist\n$/],
    ['a folder', ['--input', '.'], /\. is a folder\n$/],
    ['no input', [], /an input is missing/],
    ['two inputs', [...INPUT, '--input', '-'], /cannot both be given/],
    [
      'a name that is a path',
      [...INPUT, '--json', '--', '..'],
      /is not the name|one argument too many/,
    ],
    [
      'a wait that is no duration',
      [...INPUT, '--wait=soon'],
      /--wait must be a duration such as 60s/,
    ],
    ['--each of one input', [...INPUT, '--each'], /--each reads lines/],
    [
      'an option that is not there',
      [...INPUT, '--wiat'],
      /no option --wiat; did you mean --wait\?/,
    ],
    ['a key that is no header', [...INPUT, '--idempotency-key', 'ä'], /--idempotency-key must/],
  ])('exits with 2 for %s, and asks nobody', async (_, args, message) => {
    const { code, out, err } = await lab.run(['pipeline', 'run', 'order', ...args], {
      environment: { FAAS_URL: 'http://127.0.0.1:1' },
    });
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });

  test('refuses stdin that is not UTF-8, or more than a server takes', async () => {
    const args = ['pipeline', 'run', 'order', '--input', '-'];
    const broken = await lab.run(args, { stdin: piped(Buffer.from([0x22, 0xc3])) });
    expect(broken).toMatchObject({ code: 2, err: expect.stringMatching(/stdin is not UTF-8\n$/) });
    const large = await lab.run(args, { stdin: piped(`"${'a'.repeat(1_048_576)}"`) });
    expect(large).toMatchObject({
      code: 2,
      err: expect.stringMatching(/larger than 1048576 bytes/),
    });
  });
});

describe('pipeline run --wait', () => {
  test('follows the run with a line for each change, and exits with 0 when it has succeeded', async () => {
    let attempts = 0;
    lab.receiver.answer = ({ path }) => (path === '/ship' && attempts++ === 0 ? 503 : 200);
    const { code, out, err } = await lab.run(['pipeline', 'run', 'order', ...INPUT, '--wait']);
    expect([code, err]).toEqual([0, '']);
    const lines = out.split('\n');
    expect(lines[0]).toMatch(/^run [\w-]{30} {2}http/);
    expect(out).toMatch(/^ {2}crm {5}skipped \(condition\)$/m);
    expect(out).toMatch(/^ {2}ship {4}succeeded, attempt 2$/m);
    expect(lines.slice(-2)).toEqual(['the run has succeeded', '']);
    expect(new Set(lines.slice(0, -1)).size).toBe(lines.length - 1);
  });

  test('exits with 1 when it has failed, and says what that means', async () => {
    lab.receiver.answer = ({ path }) => (path === '/ship' ? 422 : 200);
    const { code, out } = await lab.run(['pipeline', 'run', 'order', ...INPUT, '--wait']);
    expect(code).toBe(1);
    expect(out).toMatch(
      /\n {2}ship {4}failed \(refused 422\)\n {2}ship: refused 422: the target has answered, and the status says no\nthe run has failed\n$/,
    );
  });

  test('gives a machine each state of the run as a line, the last as it ended', async () => {
    const { code, out } = await lab.run(['pipeline', 'run', 'order', ...INPUT, '--wait', '--json']);
    const runs = linesOf<Run>(out);
    expect([code, runs.at(-1)?.state]).toEqual([0, 'succeeded']);
    expect(runs.every(({ steps }) => 'ship' in steps)).toBe(true);
  });

  test('draws one screen on a terminal, with colours unless NO_COLOR', async () => {
    const terminals = { stdout: { columns: 80, rows: 24 } };
    const args = ['pipeline', 'run', 'order', ...INPUT, '--wait'];
    const { out } = await lab.run(args, { terminals });
    const [, ...screens] = out.split('\u001b[0J');
    expect(screens.length).toBeGreaterThan(1);
    for (const screen of screens) expect(screen.split('\n').length).toBeGreaterThanOrEqual(4);
    expect(out).toContain('\u001b[3A\r\u001b[0J');
    expect(out).toContain('\u001b[32m  create  succeeded\u001b[0m\n');
    const plain = await lab.run(args, { terminals, environment: { NO_COLOR: '1' } });
    expect(plain.out).toContain('\u001b[3A');
    expect(plain.out).not.toContain('\u001b[32m');
  });

  test('tells in lines where the screen would not fit, or the terminal cannot', async () => {
    const args = ['pipeline', 'run', 'order', ...INPUT, '--wait'];
    const low = await lab.run(args, { terminals: { stdout: { columns: 80, rows: 4 } } });
    const dumb = await lab.run(args, {
      terminals: { stdout: { columns: 80, rows: 24 } },
      environment: { TERM: 'dumb' },
    });
    for (const { code, out } of [low, dumb]) {
      expect(code).toBe(0);
      expect(out).not.toContain('\u001b[0J');
      expect(out).toMatch(/^ {2}ship {4}succeeded$/m);
    }
  });

  test('waits so long and no longer; the run goes on', async () => {
    let release = () => {};
    lab.receiver.answer = ({ path }) =>
      path === '/ship' ? new Promise((resolve) => (release = () => resolve(200))) : 200;
    const { code, out, err } = await lab.run([
      'pipeline',
      'run',
      'order',
      ...INPUT,
      '--wait=300ms',
    ]);
    expect(code).toBe(1);
    expect(err).toMatch(
      /^the run has not ended within 300ms; it goes on, and http\S+ tells how\n$/,
    );
    release();
    const [, id] = /^run (\S+)/.exec(out) ?? [];
    const found = await fetch(`${lab.host.url}/order/runs/${id}`);
    expect((await found.json()) as Run).toMatchObject({
      state: expect.not.stringMatching('cancel'),
    });
  });

  test('ends when somebody interrupts it, with 1', async () => {
    lab.receiver.answer = () => new Promise((resolve) => setTimeout(resolve, 1_000, 200));
    const stop = new AbortController();
    const { code, err } = await lab.run(['pipeline', 'run', 'order', ...INPUT, '--wait'], {
      signal: stop.signal,
      stdout: (text) => void (text.includes('running') && stop.abort()),
    });
    expect([code, err]).toEqual([1, 'faas-patterns pipeline run: interrupted\n']);
  });

  test('comes back after a break, and sees the end', async () => {
    lab.receiver.answer = ({ path }) =>
      path === '/ship' ? new Promise((resolve) => setTimeout(resolve, 1_000, 200)) : 200;
    let gone: Promise<void> | undefined;
    const url = lab.host.url;
    // The new process has another port, so a front holds the address.
    const front = await import('node:http').then(({ createServer, request }) =>
      createServer((incoming, outgoing) => {
        const to = request(
          lab.host.url + incoming.url,
          { method: incoming.method, headers: incoming.headers },
          (answer) => {
            outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
            answer.pipe(outgoing);
            answer.on('error', () => outgoing.destroy());
          },
        );
        to.on('error', () => outgoing.destroy());
        incoming.pipe(to);
      }),
    );
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
    const { port } = front.address() as import('node:net').AddressInfo;
    const { code, out, err } = await lab.run(['pipeline', 'run', 'order', ...INPUT, '--wait'], {
      environment: { FAAS_URL: `http://127.0.0.1:${port}` },
      stdout: (text) => {
        if (/ship +running/.test(text)) gone ??= lab.host.stop('SIGKILL').then(() => lab.restart());
      },
    });
    await gone;
    front.closeAllConnections();
    front.close();
    expect(lab.host.url).not.toBe(url);
    expect(err).toMatch(/^the connection is lost \(unreachable\); again in 0\.25 s\n/);
    expect([code, out.split('\n').at(-2)]).toEqual([0, 'the run has succeeded']);
  });
});

describe('pipeline run --each', () => {
  const many = (count: number, extra: Readonly<Record<number, string>> = {}) =>
    Array.from({ length: count }, (_, i) => extra[i + 1] ?? `{"email":"${i + 1}@example.com"}`);

  test('starts a run a line, and tells the results in the order of the lines, blank ones left out', async () => {
    lab.write('many.ndjson', `${many(20, { 5: '', 20: '{"email":"last"}' }).join('\n')}`);
    const args = ['pipeline', 'run', 'order', '--input', 'many.ndjson', '--each', '--wait'];
    const { code, out } = await lab.run([...args, '--json']);
    const results = linesOf<LineResult>(out);
    expect(code).toBe(0);
    expect(results.map(({ line }) => line)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1).filter((line) => line !== 5),
    );
    expect(results.every((result) => 'state' in result && result.state === 'succeeded')).toBe(true);
    expect(lab.receiver.calls.filter(({ path }) => path === '/create')).toHaveLength(19);
  });

  test('goes on after a line that is refused, and exits with 1', async () => {
    const stdin = piped(many(4, { 2: '{"x":1}', 3: '{"email"' }).join('\n'));
    const { code, out } = await lab.run(['pipeline', 'run', 'order', '--input', '-', '--each'], {
      stdin,
    });
    expect(code).toBe(1);
    expect(out.split('\n')).toEqual([
      expect.stringMatching(/^1 {2}[\w-]{30} {2}running {2}http/),
      '2  refused  invalid_input: /email is required, /x is not known here',
      expect.stringMatching(/^3 {2}refused {2}invalid_json: Not valid JSON, line 1, column 9: /),
      expect.stringMatching(/^4 {2}[\w-]{30} {2}/),
      '4 lines, 2 refused or failed',
      '',
    ]);
  });

  test('exits with 1 when a run fails that is waited for', async () => {
    lab.receiver.answer = ({ path, body }) =>
      path === '/create' && body.includes('"2@') ? 400 : 200;
    const { code, out } = await lab.run(
      ['pipeline', 'run', 'order', '--input', '-', '--each', '--wait', '--json'],
      { stdin: piped(many(3).join('\n')) },
    );
    expect(code).toBe(1);
    expect(linesOf<{ state: string }>(out).map(({ state }) => state)).toEqual([
      'succeeded',
      'failed',
      'succeeded',
    ]);
  });

  test('has no more at once than it is told', async () => {
    let [inside, most] = [0, 0];
    lab.receiver.answer = async ({ path }) => {
      if (path !== '/create') return 200;
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 50));
      inside -= 1;
      return 200;
    };
    const args = ['pipeline', 'run', 'order', '--input', '-', '--each', '--wait'];
    await lab.run([...args, '--concurrency', '3'], { stdin: piped(many(9).join('\n')) });
    expect(most).toBe(3);
  });

  test('with a key, the same file once more starts nothing', async () => {
    const args = ['pipeline', 'run', 'order', '--input', '-', '--each', '--json'];
    const keyed = [...args, '--idempotency-key', 'import-7'];
    const first = await lab.run(keyed, { stdin: piped(many(3).join('\n')) });
    const again = await lab.run(keyed, { stdin: piped(many(3).join('\n')) });
    const ids = ({ out }: { out: string }) => linesOf<{ id: string }>(out).map(({ id }) => id);
    expect(ids(again)).toEqual(ids(first));
    expect(new Set(ids(first)).size).toBe(3);
  });

  test('tells a result before the next line comes', async () => {
    const told: string[] = [];
    let before = -1;
    const stdin = (async function* () {
      yield '{"email":"1"}\n';
      for (let i = 0; i < 200 && told.length === 0; i += 1)
        await new Promise((resolve) => setTimeout(resolve, 20));
      before = told.length;
      yield '{"email":"2"}\n';
    })();
    await lab.run(['pipeline', 'run', 'order', '--input', '-', '--each', '--json'], {
      stdin,
      stdout: (text) => void told.push(text),
    });
    expect([before, told.length]).toEqual([1, 2]);
  });

  test('stops when the server cannot be asked, with 2', async () => {
    const { code, err } = await lab.run(
      ['pipeline', 'run', 'order', '--input', '-', '--each', '--concurrency', '1'],
      { stdin: piped(many(100).join('\n')), environment: { FAAS_URL: 'http://127.0.0.1:1' } },
    );
    expect(code).toBe(2);
    expect(err).toMatch(/^stopped: no server answers at http:\/\/127\.0\.0\.1:1 \(/);
  });

  test('ends after the lines under way when somebody interrupts it', async () => {
    const stop = new AbortController();
    const stdin = (async function* () {
      yield '{"email":"1"}\n';
      await new Promise(() => {});
    })();
    const { code, out, err } = await lab.run(
      ['pipeline', 'run', 'order', '--input', '-', '--each', '--json'],
      { stdin, signal: stop.signal, stdout: () => stop.abort() },
    );
    expect([code, linesOf(out).length, err]).toEqual([1, 1, 'interrupted after 1 line\n']);
  });

  test('begins no more of the lines that it has read when somebody interrupts it', async () => {
    const stop = new AbortController();
    const { code, out } = await lab.run(
      ['pipeline', 'run', 'order', '--input', '-', '--each', '--json', '--concurrency', '2'],
      { stdin: piped(many(50).join('\n')), signal: stop.signal, stdout: () => stop.abort() },
    );
    expect(code).toBe(1);
    expect(linesOf(out).length).toBeLessThanOrEqual(3);
  });
});
