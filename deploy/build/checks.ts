/**
 * For the build: every schema that can be known before a start, compiled to source text, so that a start neither
 * loads Ajv nor compiles.
 */
import { _ } from 'ajv';
import standaloneCode from 'ajv/dist/standalone';
import { catalogue } from '../../functions';
import { systemClock } from '../../shared/clock';
import { createLog } from '../../shared/log';
import { systemRandom } from '../../shared/random';
import type { Schema } from '../../shared/schema';
import { createAjv } from '../../shared/schema/ajv';
import { compiled } from '../../shared/schema/compiled';
import type { Kind } from '../../shared/schema/kind';
import { ConfigurationError, createSuite } from '../../shared/suite/suite';

/**
 * The schemas that a start in development asks for, with all functions and pipelines or with `target` alone. What is asked
 * for when a module is loaded is asked for once: of the second function this knows all only if its modules are new.
 */
export const schemasAsked = async (root: string, target?: string): Promise<ReadonlySet<string>> => {
  const asked = new Set<string>();
  compiled.get = (key) => void asked.add(key);
  try {
    const suite = await createSuite({
      catalogue,
      environment: {
        STORE_URL: 'memory:',
        SECRET_KEY: 'never kept: only to see what is asked for',
        FUNCTION_TARGET: target,
        // Asked of whoever serves a pipeline without what it calls.
        FUNCTIONS_URL: 'http://localhost',
      },
      folder: root,
      ownUrl: () => '',
      log: createLog({ now: systemClock.now, write: () => {} }),
      clock: systemClock,
      random: systemRandom,
    });
    await suite.close();
  } catch (thrown) {
    // Of pipelines with a mistake the start will tell.
    if (!(thrown instanceof ConfigurationError)) throw thrown;
  }
  return asked;
};

/** Statements that fill the map of `shared/schema/compiled`, to be put behind it. `root` is the project's folder. */
export const fillCompiled = async (root: string): Promise<string> =>
  fillWith(await schemasAsked(root));

/** The same, of the schemas with these keys. */
export const fillWith = (keys: Iterable<string>): string => {
  const entries = [...keys].map((key) => {
    const [kind = '', schema = ''] = key.split(/ (.*)/s);
    return `compiled.set(${JSON.stringify(key)}, () => { const module = {}; ${codeOf(kind as Kind, JSON.parse(schema))}; return module.exports; });`;
  });
  return [`import { formats } from './formats';`, ...entries].join('\n');
};

/** The code says `formats`, where it needs one, and `module.exports`. */
const codeOf = (kind: Kind, schema: Schema): string => {
  const ajv = createAjv(kind, { source: true, formats: _`formats` });
  return standaloneCode(ajv, ajv.compile(schema));
};
