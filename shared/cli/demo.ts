/**
 * `npm run demo`: a whole signup against a suite of its own, on a free port and with a store that goes when it ends.
 *
 * Resolves with 0, or with 1 after the reason.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Run } from '../pipeline/run';
import type { OutboxMessage } from '../senders/outbox';
import { describeStep } from './step-text';

export interface DemoOptions {
  /** The bundle of a host. */
  readonly host: string;
  readonly write: (text: string) => void;
}

const INPUT = {
  username: 'ada',
  email: 'ada@example.com',
  phoneNumber: '+12025550123',
  newsletter: true,
};
/** Until the host listens, and until the run has ended; ms. */
const START_TIMEOUT = 15_000;
const RUN_TIMEOUT = 30_000;
const SEND_TIMEOUT = 10_000;
const POLL = 40;

export const demo = async ({ host, write }: DemoOptions): Promise<number> => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'faas-patterns-demo-'));
  const child = startHost(host, folder);
  try {
    const url = await listening(child);
    write(`The suite listens on ${url}\n\n`);
    await signUp(url, write);
    return 0;
  } catch (error) {
    write(`\nThe demo failed: ${(error as Error).message}\n`);
    return 1;
  } finally {
    await stop(child);
    await rm(folder, { recursive: true, force: true });
  }
};

/** Development with a store of its own: whatever the shell has set for a real suite stays out of it. */
const startHost = (host: string, folder: string): ChildProcess =>
  spawn(process.execPath, [host], {
    cwd: folder,
    env: { PATH: process.env.PATH, PORT: '0', PIPELINES_DIR: path.resolve('pipelines') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

const listening = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let output = '';
    const late = setTimeout(
      () => reject(new Error(`the suite did not start in time\n${output}`)),
      START_TIMEOUT,
    );
    const read = (chunk: Buffer) => {
      output += chunk;
      const port = /"message":"listening".*?"port":(\d+)/.exec(output)?.[1];
      if (port === undefined) return;
      clearTimeout(late);
      resolve(`http://localhost:${port}`);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => {
      clearTimeout(late);
      reject(new Error(`the suite ended with ${code}\n${output}`));
    });
  });

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await new Promise((resolve) => child.once('exit', resolve));
};

const signUp = async (url: string, write: (text: string) => void): Promise<void> => {
  write(`POST /signup ${JSON.stringify(INPUT)}\n`);
  const accepted = await call<Run>(`${url}/signup`, {
    body: INPUT,
    headers: { 'idempotency-key': 'demo' },
  });
  write(`${accepted.status} ${accepted.location}\n\n`);
  const run = await follow(`${url}${accepted.location}`, write);
  write(`\nThe run has ${run.state}.\n`);
  if (run.state !== 'succeeded') throw new Error(`the run has ${run.state}`);

  const { challenge } = (run.steps['confirm-phone']?.output ?? {}) as { challenge?: string };
  if (!challenge) throw new Error('the step confirm-phone shows no challenge');
  const { code, messages } = await codeInOutbox(url);
  write(`The code in the outbox is ${code}.\n\nPOST /two-factor/verify\n`);
  const verified = await call<{ status: string }>(`${url}/two-factor/verify`, {
    body: { challenge, code },
  });
  write(`${verified.status} ${JSON.stringify(verified.body)}\n\nThe outbox:\n`);
  if (verified.body.status !== 'verified') throw new Error('the code was not accepted');
  for (const message of messages) write(show(message));
  write('\nAll of it ran on this machine. Now try: npm start\n');
};

/** Polls the run and writes a line for each change of a step. */
const follow = async (location: string, write: (text: string) => void): Promise<Run> => {
  const seen = new Map<string, string>();
  for (
    const end = Date.now() + RUN_TIMEOUT;
    Date.now() < end;
    await new Promise((resolve) => setTimeout(resolve, POLL))
  ) {
    const { body: run } = await call<Run>(location);
    for (const [name, step] of Object.entries(run.steps)) {
      const state = describeStep(step);
      if (state !== 'pending' && seen.get(name) !== state) write(`  ${name.padEnd(14)} ${state}\n`);
      seen.set(name, state);
    }
    if (run.state !== 'running') return run;
  }
  throw new Error('the run did not end in time');
};

/** Codes go out behind the answer, so the message may come a moment after the run has ended. */
const codeInOutbox = async (url: string) => {
  for (const end = Date.now() + SEND_TIMEOUT; ; ) {
    const messages = await outbox(url);
    const text = messages.find(({ channel }) => channel === 'sms')?.text ?? '';
    const code = /#(\d{6})\b/.exec(text)?.[1];
    if (code) return { code, messages };
    if (Date.now() > end) throw new Error('there is no code in the outbox');
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }
};

const outbox = async (url: string): Promise<readonly OutboxMessage[]> => {
  const { body } = await call<{ messages: readonly OutboxMessage[] }>(`${url}/outbox`, {
    headers: { accept: 'application/json' },
  });
  return body.messages;
};

const show = ({ channel, to, subject, text }: OutboxMessage): string =>
  `\n  ${channel} to ${to}${subject ? `: ${subject}` : ''}\n${text
    .trim()
    .split('\n')
    .map((line) => `  | ${line}`)
    .join('\n')}\n`;

interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

const call = async <T>(
  url: string,
  { body, headers = {} }: CallOptions = {},
): Promise<{ status: number; location: string; body: T }> => {
  const response = await fetch(url, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    signal: AbortSignal.timeout(RUN_TIMEOUT),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status} ${text}`);
  return {
    status: response.status,
    location: response.headers.get('location') ?? '',
    body: JSON.parse(text) as T,
  };
};
