/** What cannot be where the platform may stop the process between two requests, throws it away, and runs many of it. */
import type { Mistake } from '../config';
import type { Need } from '../define';
import type { SuiteConfig } from './environment';

/** Parts that are somewhere else, whatever NODE_ENV says: a default would be a file or the memory of this process. */
const ELSEWHERE = {
  store: ['STORE_URL'],
  secret: ['SECRET_KEY'],
  engine: ['ENGINE_URL', 'SECRET_KEY'],
  mail: ['PUBLIC_URL'],
  sms: ['PUBLIC_URL'],
} as const satisfies Record<Need, readonly (keyof SuiteConfig)[]>;

const WHY = 'an instance keeps nothing, and there are many';

/** `known`: what is wrong already, which is not told twice. */
export const frozenMistakes = (
  needs: ReadonlySet<Need>,
  config: SuiteConfig,
  known: readonly Mistake[],
): readonly Mistake[] => {
  const mistakes: Mistake[] = [];
  for (const name of new Set([...needs].flatMap((need) => ELSEWHERE[need])))
    if (config[name] === undefined && !known.some((mistake) => mistake.name === name))
      mistakes.push({ name, message: 'is required on this platform' });
  if (/^(?:memory|sqlite):/.test(config.STORE_URL ?? ''))
    mistakes.push({ name: 'STORE_URL', message: `must be redis: or rediss: here; ${WHY}` });
  if (/^local:/.test(config.ENGINE_URL ?? ''))
    mistakes.push({ name: 'ENGINE_URL', message: `must be restate+http: here; ${WHY}` });
  if (config.RESTATE_PORT !== undefined)
    mistakes.push({ name: 'RESTATE_PORT', message: 'cannot be here; nobody reaches a port' });
  return mistakes;
};
