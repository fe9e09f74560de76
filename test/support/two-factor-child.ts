/**
 * Two-factor as a process of its own, over a store that others share. Each line of its input is a call, each line of its
 * output what became of it; messages are printed too, as if they had gone out.
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import twoFactor from '../../functions/two-factor';
import { systemClock } from '../../shared/clock';
import { readConfig } from '../../shared/config';
import { problem } from '../../shared/http/response';
import { routeTo } from '../../shared/http/routes';
import { deriveKeys, type Keys } from '../../shared/keys';
import type { Platform } from '../../shared/platform';
import { systemRandom } from '../../shared/random';
import { openStore } from '../../shared/store/open';
import { invoke, testContext } from './invoke';

/** One call, made so often at once. */
export interface Call {
  readonly path: string;
  /** One for each call, in turn. */
  readonly bodies: readonly unknown[];
  readonly times: number;
  readonly headers?: Record<string, string>;
}

export interface Outcome {
  readonly statuses: Readonly<Record<string, number>>;
  /** Of the last call that went well. */
  readonly body?: unknown;
  /** Codes compared by this call. */
  readonly compared: number;
}

const [url = '', ...settings] = process.argv.slice(2) as [string, ...string[]];
const print = (line: unknown): void => void writeSync(1, `${JSON.stringify(line)}\n`);

const derived = deriveKeys('a test secret of at least 32 characters');
let compared = 0;
const keys: Keys = (label) => {
  const ring = derived(label);
  if (label !== 'two-factor code') return ring;
  const key = {
    id: ring.current.id,
    get bytes() {
      compared += 1;
      return ring.current.bytes;
    },
  };
  return { current: key, all: [key] };
};

const { log } = testContext();
const platform: Platform = {
  production: false,
  clock: systemClock,
  random: systemRandom,
  log,
  keys,
  store: openStore(url),
  mail: async ({ to, text }) => {
    print({ to, text });
    return {};
  },
  sms: async ({ to, text }) => {
    print({ to, text });
    return {};
  },
  freezes: false,
  background: () => {},
  get engine(): never {
    throw new Error('there is none');
  },
  publicUrl: () => 'https://login.example.com',
};
const environment = Object.fromEntries(settings.map((one) => one.split('=') as [string, string]));
const { config } = readConfig(twoFactor.config, environment, { production: false });
const handler = routeTo(twoFactor.create(config, platform));

const once = async ({ path, headers }: Call, body: unknown, address: string | undefined) => {
  const context = testContext({ clientAddress: address });
  const init = { method: 'POST', body, ...(headers && { headers }) };
  const response = await invoke(handler, path, init, context).catch((thrown: unknown) =>
    problem(thrown, 'x'),
  );
  const text = await response.text();
  await Promise.all(context.background);
  return { status: response.status, text };
};

const run = async () => {
  print('ready');
  for await (const line of createInterface({ input: process.stdin })) {
    const call = JSON.parse(line) as Call;
    const before = compared;
    const answers = await Promise.all(
      Array.from({ length: call.times }, (_, i) =>
        once(call, call.bodies[i % call.bodies.length], undefined),
      ),
    );
    const statuses: Record<string, number> = {};
    for (const { status } of answers) statuses[status] = (statuses[status] ?? 0) + 1;
    const good = answers.findLast(({ status }) => status < 300);
    print({
      statuses,
      compared: compared - before,
      ...(good && { body: JSON.parse(good.text || 'null') }),
    });
  }
};

void run().then(() => process.exit(0));
