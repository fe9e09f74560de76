/** The engine with the calls that its steps make: to our own functions, to webhooks by their variables, to an event sink. */
import { createHash } from 'node:crypto';
import type { Clock } from '../clock';
import type { Environment } from '../config';
import type { Log } from '../handler';
import type { Keys } from '../keys';
import type { Address, Destination, Resolved } from '../pipeline/attempt';
import { type HostedEngine, loadEngine, type OpenEngineOptions } from '../pipeline/open';
import type { Random } from '../random';
import { parseAllow } from '../webhook/allow';
import { createGuard, unguarded } from '../webhook/guard';
import { parseWebhookSecrets } from '../webhook/sign';

export interface EngineOptions extends DestinationOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly restate: OpenEngineOptions['restate'];
}

export interface DestinationOptions {
  readonly environment: Environment;
  readonly keys: Keys;
  readonly functionsUrl: () => string;
  /** Names of our own functions that an event of this type starts. */
  readonly subscribers: (type: string) => readonly string[];
}

/** How to make the engine of this URL, as in ENGINE_URL; its code is loaded then. */
export const prepareEngine = async (
  url: string,
): Promise<(options: EngineOptions) => HostedEngine> => {
  const open = await loadEngine(url);
  return ({ clock, random, log, restate, ...calls }) =>
    open({ clock, random, log, restate, destination: destinationOf(calls) });
};

/** Our own functions are called with a key that never leaves the suite, so no receiver of webhooks can forge such a call. */
export const destinationOf = (options: DestinationOptions): Destination => {
  const { environment, keys, functionsUrl, subscribers } = options;
  const read = (name: string) => environment[name]?.trim() || undefined;
  const guard = createGuard({ allow: parseAllow(read('WEBHOOK_ALLOW') ?? '') });
  /** The environment is as it is: what it says of a webhook is read once. */
  const webhooks = new Map<string, Resolved>();

  // Where each function has a host of its own, it answers below its name there too.
  const own = (name: string): Address => ({
    url: `${functionsUrl().replace('{function}', name).replace(/\/$/, '')}/${name}`,
    keys: [keys('step').current.bytes],
    guard: unguarded,
  });

  const resolve = (webhook: string, secret: string): Resolved | undefined => {
    const url = read(webhook);
    if (url === undefined) return undefined;
    const secrets = read(secret);
    // Without a key no call is built.
    const keys = secrets === undefined ? [] : parseWebhookSecrets(secrets);
    // At another address it is another receiver.
    const digest = createHash('sha256').update(url).digest('hex').slice(0, 12);
    return { name: `${webhook}.${digest}`, addresses: [{ url, keys, guard }], canBeGone: true };
  };

  return (target) => {
    if ('function' in target)
      return {
        name: target.function,
        addresses: [own(target.function)],
        canBeGone: false,
      };
    if ('webhook' in target) {
      const about = `${target.webhook} ${target.secret}`;
      const known = webhooks.get(about) ?? resolve(target.webhook, target.secret);
      if (known) webhooks.set(about, known);
      return known;
    }
    if ('wait' in target) return undefined;
    const sink = read('K_SINK');
    const secret = read('WEBHOOK_SECRET');
    // The platform has put the sink there: a broker inside of the cluster.
    if (sink !== undefined)
      return {
        name: 'K_SINK',
        addresses: [
          { url: sink, keys: secret ? parseWebhookSecrets(secret) : [], guard: unguarded },
        ],
        canBeGone: false,
      };
    const names = subscribers(target.event);
    if (names.length === 0) return undefined;
    return { name: `event ${target.event}`, addresses: names.map(own), canBeGone: false };
  };
};
