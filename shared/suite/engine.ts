/** The engine with the calls that its steps make: to our own functions, and to webhooks by the variables that name them. */
import type { Clock } from '../clock';
import type { Environment } from '../config';
import type { Log } from '../handler';
import type { Keys } from '../keys';
import type { Destination } from '../pipeline/attempt';
import type { Engine } from '../pipeline/engine';
import { openEngine } from '../pipeline/open';
import type { Random } from '../random';
import { parseWebhookSecrets } from '../webhook/sign';

export interface EngineOptions extends DestinationOptions {
  /** As in ENGINE_URL. */
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface DestinationOptions {
  readonly environment: Environment;
  readonly keys: Keys;
  readonly functionsUrl: () => string;
}

export const createEngine = ({ url, clock, random, log, ...calls }: EngineOptions): Engine =>
  openEngine(url, { clock, random, log, destination: destinationOf(calls) });

/** Our own functions are called with a key that never leaves the suite, so no receiver of webhooks can forge such a call. */
const destinationOf =
  ({ environment, keys, functionsUrl }: DestinationOptions): Destination =>
  ({ target }) => {
    if ('function' in target)
      return {
        url: `${functionsUrl().replace(/\/$/, '')}/${target.function}`,
        keys: [keys('step').current.bytes],
      };
    const url = environment[target.webhook]?.trim();
    return url ? { url, keys: parseWebhookSecrets(environment[target.secret] ?? '') } : undefined;
  };
