/** A router of real parts whose forward is the test's: sees what would go out, and answers as it is told. */
import { readRouterConfig } from '../../../functions/shard-router/config';
import { type OpenRouterOptions, openRouter } from '../../../functions/shard-router/open';
import type { ForwardOptions } from '../../../shared/handler';
import { text } from '../../../shared/http/response';
import { systemRandom } from '../../../shared/random';
import { type InvokeInit, invoke, type TestContext, testContext } from '../../support/invoke';
import { type ManualClock, manualClock } from '../../support/manual-clock';

export interface Sent extends ForwardOptions {
  readonly origin: string;
}

export interface Harness {
  readonly clock: ManualClock;
  /** What went out, in order. */
  readonly sent: Sent[];
  readonly context: TestContext;
  readonly router: ReturnType<typeof openRouter>;
  ask(path: string, init?: InvokeInit): Promise<Response>;
}

/** Five shards with a key from `x-key`, unless `config` says otherwise; of a mode whose tables are made in no time. */
export const CONFIG = {
  mode: 'nginx-consistent',
  shards: ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, address: `${name}.test:80` })),
  key: { header: 'x-key' },
};

export const configOf = (config: object) => {
  // What is undefined is not there, as in JSON.
  const read = readRouterConfig(JSON.parse(JSON.stringify({ ...CONFIG, ...config })));
  if ('mistakes' in read) throw new Error(JSON.stringify(read.mistakes));
  return read.config;
};

export const harness = (
  config: object = {},
  answer: (sent: Sent, nth: number) => Response | Promise<Response> = ({ origin }) => text(origin),
  options: Partial<OpenRouterOptions> = {},
): Harness => {
  const clock = manualClock();
  const sent: Sent[] = [];
  const context = testContext({
    forward: (origin, given = {}) => {
      sent.push({ origin, ...given });
      return answer({ origin, ...given }, sent.length);
    },
  });
  const router = openRouter({
    config: configOf(config),
    clock,
    random: systemRandom,
    log: context.log,
    ...options,
  });
  const handler = router.handler();
  return {
    clock,
    sent,
    context,
    router,
    ask: (path, init) => invoke(handler, path, init, context),
  };
};

export const withKey = (key: string, init: InvokeInit = {}): InvokeInit => ({
  ...init,
  headers: { 'x-key': key, ...init.headers },
});
