/** A5: on a real host behind one proxy: what a caller writes into X-Forwarded-For buys neither guesses nor messages. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bundle } from '../../support/bundle';
import { type HostProcess, startHost } from '../../support/host-process';
import { exchange } from '../../support/raw-http';
import { MAIL, PHONE } from './harness';

/** As our own proxy notes it. */
const CALLER = '198.51.100.7';
const WRONG = '000000';

let host: HostProcess;
beforeAll(async () => {
  host = await startHost({
    file: bundle('deploy/entry/node.ts'),
    environment: { FUNCTION_TARGET: 'two-factor', TRUSTED_PROXY_HOPS: '1' },
  });
}, 60_000);
afterAll(() => host.stop('SIGKILL'));

const post = async (path: string, body: object, spoofed: string, caller = CALLER) => {
  const { status, body: bytes } = await exchange(host.port, {
    method: 'POST',
    path: `/two-factor${path}`,
    headers: [
      ['content-type', 'application/json'],
      ['x-forwarded-for', `${spoofed}, ${caller}`],
    ],
    body: JSON.stringify(body),
  });
  return { status, body: JSON.parse(bytes.toString()) };
};

const audited = (event: string) =>
  host.lines().filter((line) => line.message === 'audit' && line.event === event);

/** The messages that went out. */
const sent = async () => {
  const answer = await fetch(`${host.url}/outbox`, { headers: { accept: 'application/json' } });
  return ((await answer.json()) as { messages: unknown[] }).messages.length;
};

test('A5: 1,000 spoofed addresses and two channels: five guesses a code, twenty a user', async () => {
  const statuses: Record<string, number> = {};
  const note = (name: string, status: number) => {
    statuses[`${name} ${status}`] = (statuses[`${name} ${status}`] ?? 0) + 1;
  };
  const challenges: string[] = [];
  for (let n = 0; n < 1_000; n++) {
    const spoofed = `${1 + (n % 200)}.${n >> 8}.${n & 255}.9`;
    if (n < 200) {
      const to = n % 2 === 0 ? { phoneNumber: PHONE } : { email: MAIL };
      const issued = await post('', { user: 'victim', ...to }, spoofed);
      note('issue', issued.status);
      if (issued.status === 202) challenges.push(issued.body.challenge);
    }
    const challenge = challenges[n % challenges.length];
    note('verify', (await post('/verify', { challenge, code: WRONG }, spoofed)).status);
  }
  expect(statuses).toEqual({ 'issue 202': 200, 'verify 401': 1_000 });

  const issued = new Set(audited('challenge_issued').map(({ challengeRef }) => challengeRef));
  const wrong = audited('verification_failed').filter(({ reason }) => reason === 'wrong');
  const compared = wrong.filter(({ challengeRef }) => issued.has(challengeRef));
  expect(issued.size).toBe(4);
  expect(compared).toHaveLength(20);
  for (const ref of issued)
    expect(compared.filter(({ challengeRef }) => challengeRef === ref)).toHaveLength(5);
  expect(await sent()).toBe(4);
}, 120_000);

test('A5: the caller is the one whom our proxy saw: a hundred messages an hour, whomever they are for', async () => {
  const before = await sent();
  const statuses: number[] = [];
  for (let n = 0; n < 120; n++) {
    const wish = { user: `other-${n}`, email: `other-${n}@example.com` };
    statuses.push((await post('', wish, `9.9.${n}.9`)).status);
  }
  expect(statuses.filter((status) => status === 202)).toHaveLength(100 - before);
  expect(statuses.filter((status) => status === 429)).toHaveLength(20 + before);
  // Another caller of the same proxy is another.
  const wish = { user: 'one-more', email: 'one-more@example.com' };
  expect((await post('', wish, CALLER, '198.51.100.8')).status).toBe(202);
  expect((await post('', wish, '198.51.100.8')).status).toBe(429);
}, 120_000);
