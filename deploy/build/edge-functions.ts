/** For the build: the functions that run at the edge, and every schema that one of them asks for when it starts there. */
import { catalogue } from '../../functions';
import { readConfig } from '../../shared/config';
import type { AnyFunction } from '../../shared/define';
import { environmentOf } from '../../shared/hosts/edge/environment';
import { edgePlatform } from '../../shared/hosts/edge/platform';
import { createLog } from '../../shared/log';
import { compiled } from '../../shared/schema/compiled';
import { fillWith } from './checks';

export { EDGE_SETTINGS } from '../../shared/hosts/edge/environment';

export const edgeFunctions = async (): Promise<readonly AnyFunction[]> => {
  const modules = await Promise.all(Object.values(catalogue).map((load) => load()));
  return modules.map((module) => module.default).filter(({ runsAt }) => runsAt.includes('edge'));
};

/**
 * Statements that fill the map of `shared/schema/compiled` with what this function asks for in this environment: a schema
 * that comes in a setting can be used at the edge if it was set when the worker was built.
 */
export const fillForEdge = (
  declaration: AnyFunction,
  environment: Readonly<Record<string, string | undefined>>,
): string => {
  const asked = new Set<string>();
  const get = compiled.get;
  compiled.get = (key) => void asked.add(key);
  try {
    // With these settings, and with the defaults of development.
    for (const settings of [environment, {}]) start(declaration, settings);
  } finally {
    compiled.get = get;
  }
  return fillWith(asked);
};

const start = (
  declaration: AnyFunction,
  environment: Readonly<Record<string, string | undefined>>,
): void => {
  const production = false;
  const { config } = readConfig(declaration.config, environmentOf(environment), { production });
  const log = createLog({ now: () => 0, write: () => {} });
  try {
    declaration.create(
      config as never,
      edgePlatform({
        production,
        log,
        secretKey: 'never kept: only to see what is asked for',
        publicUrl: 'http://localhost',
      }),
    );
  } catch (thrown) {
    // What is wrong is told where it is served.
    if (!(thrown instanceof TypeError)) throw thrown;
  }
};
