import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeBase32 } from '../../../functions/two-factor/factors/base32';
import { totp } from '../../../functions/two-factor/factors/totp';
import { type Child, startChild } from '../../support/child';
import { type RedisServer, startRedis } from '../../support/redis';
import type { Call, Outcome } from '../../support/two-factor-child';
import { codeIn, wrongCodes } from './harness';

const PROCESSES = 4;
const REPEATS = 20;

const stores = [
  {
    name: 'redis',
    start: async () => {
      const server: RedisServer = await startRedis();
      return { url: server.url, stop: () => server.stop() };
    },
  },
  {
    name: 'sqlite',
    start: async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'two-factor-'));
      return {
        url: `sqlite:${path.join(folder, 'store.db')}`,
        stop: async () => rmSync(folder, { recursive: true }),
      };
    },
  },
];

describe.each(stores)('four processes over one $name', ({ start }) => {
  let store: { readonly url: string; stop(): Promise<void> };
  let children: readonly Child[] = [];
  /** The text that a process has printed since it was asked. */
  let sent: string | undefined;

  beforeAll(async () => {
    store = await start();
    children = await Promise.all(
      Array.from({ length: PROCESSES }, () =>
        startChild('test/support/two-factor-child.ts', [store.url], { timeout: 300_000 }),
      ),
    );
    for (const child of children) expect(await child.line()).toBe('"ready"');
  }, 60_000);
  afterAll(async () => {
    for (const child of children) child.kill();
    await Promise.all(children.map(({ ended }) => ended));
    await store.stop();
  });

  const ask = async (child: Child, call: Partial<Call> & Pick<Call, 'path'>): Promise<Outcome> => {
    child.send(JSON.stringify({ times: 1, bodies: [{}], ...call }));
    for (;;) {
      const line = JSON.parse(await child.line());
      if (!('text' in line)) return line;
      sent = line.text;
    }
  };
  const askAll = async (call: Parameters<typeof ask>[1]) => {
    const outcomes = await Promise.all(children.map((child) => ask(child, call)));
    const count = (status: number) =>
      outcomes.reduce((sum, { statuses }) => sum + (statuses[status] ?? 0), 0);
    return { count, compared: outcomes.reduce((sum, one) => sum + one.compared, 0) };
  };
  const [first] = [() => children[0] as Child];
  const issue = async (body: object) => {
    const { body: answer } = await ask(first(), { path: '/', bodies: [body] });
    return (answer as { challenge: string }).challenge;
  };
  const person = (name: string) => ({ user: name, email: `${name}@example.com` });

  test(`A1: of 1,000 right codes at once exactly one is verified, ${REPEATS} times`, async () => {
    for (let round = 0; round < REPEATS; round++) {
      const challenge = await issue(person(`one-${round}`));
      const bodies = [{ challenge, code: codeIn(sent) }];
      const { count } = await askAll({ path: '/verify', bodies, times: 1_000 / PROCESSES });
      expect([count(200), count(401)]).toEqual([1, 999]);
    }
  }, 120_000);

  test('A2: of 1,000 wrong codes at once exactly five are compared', async () => {
    const challenge = await issue(person('two'));
    const bodies = wrongCodes(codeIn(sent), 1_000).map((code) => ({ challenge, code }));
    const { count, compared } = await askAll({
      path: '/verify',
      bodies,
      times: 1_000 / PROCESSES,
    });
    expect([compared, count(401)]).toEqual([5, 1_000]);
  }, 60_000);

  test('A6: the right code amid four wrong ones, one from each process, always wins', async () => {
    for (let round = 0; round < 100; round++) {
      const challenge = await issue(person(`six-${round}`));
      const code = codeIn(sent);
      const wrong = wrongCodes(code, PROCESSES);
      const [right, ...others] = await Promise.all([
        ask(children[round % PROCESSES] as Child, {
          path: '/verify',
          bodies: [
            { challenge, code: wrong[0] },
            { challenge, code },
          ],
          times: 2,
        }),
        ...wrong.slice(1).map((guess, i) =>
          ask(children[(round + i + 1) % PROCESSES] as Child, {
            path: '/verify',
            bodies: [{ challenge, code: guess }],
          }),
        ),
      ]);
      expect([right?.statuses, ...others.map(({ statuses }) => statuses)]).toEqual([
        { '200': 1, '401': 1 },
        ...others.map(() => ({ '401': 1 })),
      ]);
    }
  }, 120_000);

  test(`A12: of 1,000 tries of one recovery code exactly one is verified, ${REPEATS} times`, async () => {
    for (let round = 0; round < REPEATS; round++) {
      const user = `twelve-${round}`;
      const { body } = await ask(first(), { path: '/recovery-codes', bodies: [{ user }] });
      const code = (body as { codes: string[] }).codes[round % 10];
      const challenge = await issue({ user, channel: 'recovery' });
      const { count } = await askAll({
        path: '/verify',
        bodies: [{ challenge, code }],
        times: 1_000 / PROCESSES,
      });
      expect([count(200), count(401)]).toEqual([1, 999]);
    }
  }, 180_000);

  test(`A9, A11: of 1,000 tries of one time step exactly one is verified, ${REPEATS} users`, async () => {
    for (let round = 0; round < REPEATS; round++) {
      const user = `nine-${round}`;
      const { body } = await ask(first(), { path: '/totp', bodies: [{ user }] });
      const { secret } = body as { secret: string };
      const at = (now: number) => totp(decodeBase32(secret) as Uint8Array, now);
      const now = Date.now();
      const confirmed = await ask(first(), {
        path: '/totp/confirm',
        bodies: [{ user, code: at(now) }],
      });
      expect(confirmed.statuses).toEqual({ '200': 1 });
      const code = at(now + 30_000);
      const challenges = await Promise.all([0, 1, 2].map(() => issue({ user, channel: 'totp' })));
      // Over several challenges: the step is what is used up, not only the challenge.
      const bodies = challenges.map((challenge) => ({ challenge, code }));
      const { count } = await askAll({ path: '/verify', bodies, times: 1_000 / PROCESSES });
      expect([count(200), count(401)]).toEqual([1, 999]);
    }
  }, 180_000);
});
