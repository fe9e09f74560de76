/** The HTTP client of the commands, against servers that answer as they should not, or not at all. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  ApiError,
  type Client,
  type ClientOptions,
  createClient,
} from '../../../shared/cli/client';
import { follow } from '../../../shared/cli/follow';
import { pages } from '../../../shared/cli/pages';
import { systemClock } from '../../../shared/clock';
import type { Run } from '../../../shared/pipeline/run';
import { createLab, run } from './lab';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

const serve = async (answer: Answer): Promise<{ url: string; requests: IncomingMessage[] }> => {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
};

const clientOf = (url: string, options: Partial<ClientOptions> = {}): Client =>
  createClient({ url, token: undefined, io: { environment: {} }, ...options });

const failure = async (client: Client, path = '/x'): Promise<ApiError> => {
  const thrown = await client.call({ path, callers: 'admin' }).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(ApiError);
  return thrown as ApiError;
};

const json = (response: ServerResponse, status: number, body: unknown) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

describe('a call', () => {
  test('carries the token, and its path below the path of the URL', async () => {
    const { url, requests } = await serve((_, response) => json(response, 200, { fine: true }));
    const client = clientOf(`${url}/base//`, { token: 'tok' });
    expect(await client.call({ path: '/x', callers: 'admin' })).toMatchObject({
      status: 200,
      body: { fine: true },
    });
    expect(requests[0]).toMatchObject({ url: '/base/x', headers: { authorization: 'Bearer tok' } });
  });

  test('follows no redirect, which would take the token along', async () => {
    const other = await serve((_, response) => json(response, 200, {}));
    const { url } = await serve((_, response) =>
      response.writeHead(307, { location: `${other.url}/x` }).end(),
    );
    const { problem, exitCode } = await failure(clientOf(url, { token: 'tok' }));
    expect([problem.code, exitCode]).toEqual(['redirected', 2]);
    expect(problem.detail).toContain(`leads to ${other.url}/x`);
    expect(other.requests).toEqual([]);
  });

  test.each([
    [200, 'text/html', '<p>Hello</p>'],
    [502, 'text/html', '<p>Bad Gateway</p>'],
    [404, 'application/json', '{"error":"no"}'],
    [500, 'application/json', 'null'],
  ])('says that %i with %s is not the suite', async (status, type, body) => {
    const { url } = await serve((_, response) =>
      response.writeHead(status, { 'content-type': type }).end(body),
    );
    const { problem, exitCode } = await failure(clientOf(url));
    expect([problem.code, problem.status, exitCode]).toEqual(['not_the_suite', status, 2]);
  });

  test('is repeated once when no answer came', async () => {
    const { url, requests } = await serve((request, response, count) =>
      count === 1 ? request.socket.destroy() : json(response, 200, {}),
    );
    expect((await clientOf(url).call({ path: '/x', callers: 'none' })).status).toBe(200);
    expect(requests).toHaveLength(2);
    const never = await serve((request) => request.socket.destroy());
    expect((await failure(clientOf(never.url))).problem.code).toBe('unreachable');
    expect(never.requests).toHaveLength(2);
  });

  test('is not repeated when the answer is no', async () => {
    const { url, requests } = await serve((_, response) =>
      json(response, 503, { code: 'engine_unavailable', detail: 'Not now.' }),
    );
    const { problem, exitCode, isNo } = await failure(clientOf(url));
    expect([problem.code, exitCode, isNo]).toEqual(['engine_unavailable', 1, true]);
    expect(requests).toHaveLength(1);
  });

  test.each([
    ['no answer', (() => {}) as Answer],
    ['half of one', ((_, response) => void response.writeHead(200).write('{"a":')) as Answer],
  ])('has a bound: %s', async (_, answer) => {
    const { url } = await serve(answer);
    const { problem, exitCode } = await failure(clientOf(url, { timeout: 100 }));
    expect([problem.code, exitCode]).toEqual(['unreachable', 2]);
    expect(problem.detail).toMatch(/nothing came within 0\.1 s/);
  });

  test('ends when somebody wants it to', async () => {
    const { url } = await serve(() => {});
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    await expect(
      clientOf(url).call({ path: '/x', callers: 'none', signal: stop.signal }),
    ).rejects.toMatchObject({ problem: { code: 'interrupted' } });
  });
});

describe('a stream', () => {
  const RUN = { id: 'r', state: 'running', steps: {} } as unknown as Run;
  const event = (run: unknown) => `event: run\ndata: ${JSON.stringify(run)}\n\n`;
  const open = (response: ServerResponse) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' });
  const never = new AbortController().signal;

  test('that falls silent is given up; a heartbeat keeps it', async () => {
    let beat: NodeJS.Timeout | undefined;
    const { url } = await serve((_, response) => {
      open(response).write(event(RUN));
      let beats = 0;
      beat = setInterval(() => (beats++ < 6 ? response.write(':\n\n') : undefined), 100);
    });
    closing.push(() => clearInterval(beat));
    const began = Date.now();
    const seen: Run[] = [];
    const reading = (async () => {
      for await (const run of clientOf(url, { heartbeat: 400 }).stream('/x', never)) seen.push(run);
    })();
    await expect(reading).rejects.toMatchObject({ problem: { code: 'unreachable' } });
    expect(seen).toEqual([RUN]);
    // Six beats, and then the silence.
    expect(Date.now() - began).toBeGreaterThanOrEqual(900);
  });

  test('is opened again until the run has ended', async () => {
    const { url, requests } = await serve((_, response, count) => {
      if (count === 2) json(response, 503, { code: 'stopping', detail: 'Again.' });
      else open(response).end(event(count < 4 ? RUN : { ...RUN, state: 'failed' }));
    });
    const breaks: string[] = [];
    const states: string[] = [];
    const runs = follow('p', 'r', {
      client: clientOf(url),
      clock: { ...systemClock, sleep: async () => undefined },
      signal: never,
      onBreak: ({ problem }, ms) => breaks.push(`${problem.code} ${ms}`),
    });
    for await (const { state } of runs) states.push(state);
    expect(states).toEqual(['running', 'running', 'failed']);
    expect(breaks).toEqual(['unreachable 250', 'stopping 500', 'unreachable 250']);
    expect(requests.map((request) => request.url)).toEqual(Array(4).fill('/p/runs/r/events'));
  });

  test('is not opened for ever, and not after a no', async () => {
    const dead = await serve((request) => request.socket.destroy());
    const paused: number[] = [];
    const read = async (url: string) => {
      const clock = { ...systemClock, sleep: async (ms: number) => void paused.push(ms) };
      for await (const _ of follow('p', 'r', { client: clientOf(url), clock, signal: never }));
    };
    await expect(read(dead.url)).rejects.toMatchObject({ problem: { code: 'unreachable' } });
    expect([dead.requests.length, Math.max(...paused)]).toEqual([11, 10_000]);
    const gone = await serve((_, response) =>
      json(response, 404, { code: 'not_found', detail: 'None.' }),
    );
    await expect(read(gone.url)).rejects.toMatchObject({ problem: { code: 'not_found' } });
    expect(gone.requests).toHaveLength(1);
  });
});

describe('pages', () => {
  const ALL = Array.from({ length: 1_203 }, (_, i) => i);
  const paged = () =>
    serve((request, response) => {
      const query = new URL(`http://x${request.url}`).searchParams;
      const after = Number(query.get('after') ?? 0);
      const end = after + Number(query.get('limit'));
      json(response, 200, {
        items: ALL.slice(after, end),
        ...(end < ALL.length && { next: String(end) }),
      });
    });
  const read = async (url: string, limit?: number) => {
    const found: number[] = [];
    let more = false;
    for await (const page of pages<number>(clientOf(url), 'p', {
      path: 'items',
      member: 'items',
      filters: { state: 'a b', none: undefined },
      limit,
    })) {
      found.push(...page.items);
      more = page.more;
    }
    return { found, more };
  };

  test('are asked for one after the other, 500 items at a time', async () => {
    const { url, requests } = await paged();
    expect(await read(url)).toEqual({ found: ALL, more: false });
    expect(requests.map((request) => request.url)).toEqual([
      '/p/items?limit=500&state=a+b',
      '/p/items?limit=500&state=a+b&after=500',
      '/p/items?limit=500&state=a+b&after=1000',
    ]);
  });

  test('hold no more than the limit', async () => {
    const { url, requests } = await paged();
    expect(await read(url, 700)).toEqual({ found: ALL.slice(0, 700), more: true });
    expect(requests.map((request) => /limit=(\d+)/.exec(request.url ?? '')?.[1])).toEqual([
      '500',
      '200',
    ]);
  });
});

describe('where to, and with which token', () => {
  test.each([
    [['--url', 'localhost:8080'], {}, /--url must be an http or https URL/],
    [['--url', 'http://u:p@x'], {}, /--url must be/],
    [['--url', 'http://x/?a'], {}, /--url must be/],
    [[], { FAAS_URL: 'x' }, /FAAS_URL must be/],
    [[], { FAAS_TOKEN: 'se cret' }, /FAAS_TOKEN must be visible ASCII/],
    [['--token', 'secrét'], {}, /--token must be visible ASCII/],
  ])('%j %j is refused without showing it', async (args, environment, message) => {
    const { code, out, err } = await run(['pipeline', 'runs', 'order', ...args], { environment });
    expect([code, out]).toEqual([2, '']);
    expect(err.split('\n')[0]).toMatch(message);
    expect(err).not.toMatch(/se ?cr[eé]t|u:p/);
  });

  test('the flag goes before the variable', async () => {
    const { url, requests } = await serve((_, response) => json(response, 200, { runs: [] }));
    const environment = { FAAS_URL: 'http://127.0.0.1:9', FAAS_TOKEN: 'variable' };
    await run(['pipeline', 'runs', 'order', `--url=${url}`], { environment });
    await run(['pipeline', 'runs', 'order', '--url', url, '--token', 'flag'], { environment });
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer variable',
      'Bearer flag',
    ]);
  });

  test('nobody there: says where it looked and what to set', async () => {
    const args = ['pipeline', 'show', 'order', 'x'];
    const environment = { FAAS_URL: 'http://127.0.0.1:9' };
    const { code, out, err } = await run(args, { environment });
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(
      /^faas-patterns pipeline show: no server answers at http:\/\/127\.0\.0\.1:9 \(.+\): is it running\? --url or FAAS_URL say where it is\n$/,
    );
    const machine = await run([...args, '--json'], { environment });
    expect([machine.code, machine.err]).toEqual([2, '']);
    expect(JSON.parse(machine.out)).toMatchObject({ error: { code: 'unreachable' } });
  });

  test('in production a refused caller is told which variables to set', async () => {
    const production = {
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      FUNCTION_TARGET: 'order',
      ENGINE_URL: 'local:./runs.db',
      SECRET_KEY: 'a secret of at least 32 characters',
      ADMIN_TOKENS: 'boss',
    };
    const lab = await createLab(production);
    try {
      const say = async (...args: string[]) => {
        const { code, err } = await lab.run(['pipeline', ...args]);
        return [code, err];
      };
      expect(await say('runs', 'order')).toEqual([
        2,
        "faas-patterns pipeline runs: the server answers 401 unauthorized: Credentials are missing or wrong. Set FAAS_TOKEN (or --token) to one of the server's ADMIN_TOKENS.\n",
      ]);
      expect(await say('runs', 'order', '--token', 'wrong')).toEqual([
        2,
        expect.stringMatching(/401 unauthorized: .* ADMIN_TOKENS\.\n$/),
      ]);
      expect(await say('runs', 'order', '--token', 'boss')).toEqual([0, 'there are none\n']);
      expect(await say('run', 'order', '--data', '{"email":"x"}')).toEqual([
        2,
        'faas-patterns pipeline run: the server answers 403 forbidden: This caller may not do this. The server has no CALLER_TOKENS: set them there, and FAAS_TOKEN here to one of them.\n',
      ]);
      // Whoever knows the id of a run may read it.
      expect(await say('show', 'order', 'AAAAAAAAAAAAAAAAAAAAAA')).toEqual([
        1,
        expect.stringMatching(/404 not_found: There is nothing at this address\.\n$/),
      ]);
    } finally {
      await lab.close();
    }
  });
});
