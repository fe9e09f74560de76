/** kill -9 in the middle of 200 signups, twice: what was accepted ends, and no step goes missing. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Run } from '../../shared/pipeline/run';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';

const SIGNUPS = 200;
const CLIENTS = 20;
/** Killed when so many are accepted, while more are coming in. */
const KILL_AT = [60, 140];
/** How many may come in until then. */
const MORE = 50;
/** A kill that found less under way would prove little. */
const UNDER_WAY = 20;
/** Calls that a process makes at once. */
const PLACES = 64;

interface Hit {
  readonly step: string;
  readonly key: string;
  readonly username: string;
  readonly begun: number;
  answered: number | undefined;
}

/** Stands for every function and for the webhook: takes its time, and remembers. */
const startReceiver = async () => {
  const hits: Hit[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const part of request) body += part;
    const input = JSON.parse(body) as { username?: string; user?: string };
    const hit: Hit = {
      step: STEP_AT[request.url as string] as string,
      key: request.headers['idempotency-key'] as string,
      username: (input.username ?? input.user) as string,
      begun: performance.now(),
      answered: undefined,
    };
    hits.push(hit);
    await delay(50 + Math.random() * 50);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"challenge":"x"}');
    hit.answered = performance.now();
  };
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { server, url, hits };
};

const STEP_AT: Readonly<Record<string, string>> = {
  '/create-user': 'create-user',
  '/email-user': 'welcome',
  '/two-factor': 'confirm-phone',
  '/subscribe-user': 'newsletter',
  '/crm': 'crm',
};

/** Each asks for other steps than the one before. */
const signupOf = (index: number): Record<string, unknown> => ({
  username: `user-${index}`,
  email: `user-${index}@example.com`,
  ...(index % 2 === 0 && { phoneNumber: '+12025550123' }),
  ...(index % 3 === 0 && { newsletter: true }),
  ...(index % 5 === 0 && { company: 'Analytical Engines' }),
});
const wantedBy = (index: number): string[] => [
  'create-user',
  'welcome',
  ...(index % 2 === 0 ? ['confirm-phone'] : []),
  ...(index % 3 === 0 ? ['newsletter'] : []),
  ...(index % 5 === 0 ? ['crm'] : []),
];

describe.each(['node', 'functions-framework'])('on the %s host', (name) => {
  const file = bundle(`deploy/entry/${name}.ts`);
  const folder = mkdtempSync(join(tmpdir(), 'crash-'));
  let receiver: { readonly server: Server; readonly url: string; readonly hits: Hit[] };
  let host: HostProcess;

  const startAgain = async (): Promise<void> => {
    host = await startHost({
      file,
      folder,
      environment: {
        FUNCTIONS_URL: receiver.url,
        CRM_WEBHOOK_URL: `${receiver.url}/crm`,
        WEBHOOK_ALLOW: new URL(receiver.url).host,
        WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
      },
    });
  };

  beforeAll(async () => {
    receiver = await startReceiver();
    await startAgain();
  });
  afterEach(() => host.stop('SIGKILL'));
  afterAll(async () => {
    receiver.server.closeAllConnections();
    receiver.server.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('every accepted run succeeds, and every step of it was called, again only under the same key', async () => {
    const accepted = new Map<number, string>();
    const underWay: number[] = [];
    const calls = () => receiver.hits.filter(({ answered }) => answered === undefined).length;

    const killAgainAndAgain = async (): Promise<void> => {
      for (const count of KILL_AT) {
        while (accepted.size < count || calls() < UNDER_WAY) await delay(1);
        underWay.push(calls());
        await host.stop('SIGKILL');
        await startAgain();
      }
    };

    /** As a careful client does: asks again, with the same key, until it has an answer. */
    const signUp = async (index: number): Promise<void> => {
      while (accepted.size >= (KILL_AT[underWay.length] ?? SIGNUPS) + MORE) await delay(1);
      let response: Response | undefined;
      while (!response)
        response = await fetch(`${host.url}/signup`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': `signup-${index}` },
          body: JSON.stringify(signupOf(index)),
        }).catch(() => delay(10, undefined));
      expect(response.status).toBe(202);
      accepted.set(index, response.headers.get('location') as string);
    };

    const indexes = Array.from({ length: SIGNUPS }, (_, index) => index);
    const left = indexes.values();
    const client = async (): Promise<void> => {
      for (const index of left) await signUp(index);
    };
    await Promise.all([killAgainAndAgain(), ...Array.from({ length: CLIENTS }, client)]);

    const runs = await Promise.all(indexes.map((index) => toEnd(accepted.get(index) as string)));
    expect(runs.filter(({ state }) => state !== 'succeeded')).toEqual([]);
    expect(new Set(runs.map(({ id }) => id)).size).toBe(SIGNUPS);

    const { hits } = receiver;
    const wanted = indexes.flatMap((index) =>
      wantedBy(index).map((step) => `${runs[index]?.id}:${step} user-${index}`),
    );
    const seen = new Set(hits.map(({ key, username }) => `${key} ${username}`));
    expect([...seen].sort()).toEqual([...wanted].sort());
    expect(hits.filter(({ key, step }) => !key.endsWith(`:${step}`))).toEqual([]);
    // What was under way at a kill, or answered and not yet recorded, is all that may be repeated.
    const repeats = hits.length - seen.size;
    expect(repeats).toBeGreaterThan(0);
    expect(repeats).toBeLessThanOrEqual(2 * PLACES * KILL_AT.length);
    process.stdout.write(
      `${name}: ${seen.size} calls, ${repeats} repeated after ${underWay} were under way\n`,
    );

    const answered = new Map<string, number>();
    for (const { key, answered: at = Number.POSITIVE_INFINITY } of hits)
      answered.set(key, Math.min(at, answered.get(key) ?? Number.POSITIVE_INFINITY));
    for (const { key, step, begun } of hits) {
      const first = answered.get(key.replace(/:.*/, ':create-user')) as number;
      if (step !== 'create-user') expect(begun).toBeGreaterThan(first);
    }
  }, 60_000);

  const toEnd = async (location: string): Promise<Run> => {
    for (;;) {
      const response = await fetch(`${host.url}${location}`);
      expect(response.status).toBe(200);
      const run = (await response.json()) as Run;
      if (run.state !== 'running') return run;
      await delay(100);
    }
  };
});
