/**
 * Modules of Node that take long to load, and that most starts do without: a bundle loads them when one of their functions
 * is first called. Nothing of them but functions can be imported; the build fails for what else is.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

const SLOW = ['node:crypto', 'node:fs/promises', 'node:timers/promises'];

export const lazyBuiltins = {
  name: 'lazy-builtins',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: new RegExp(`^(?:${SLOW.join('|')})$`) }, ({ path, kind, namespace }) =>
      kind === 'import-statement' && namespace === 'file'
        ? { path, namespace: 'lazy-builtin', sideEffects: false }
        : undefined,
    );
    onLoad({ filter: /./, namespace: 'lazy-builtin' }, ({ path: name }) => ({
      contents: [
        'let loaded;',
        `const load = () => (loaded ??= require('${name}'));`,
        ...functionsOf(require(name)).map(
          (one) => `export const ${one} = (...args) => load().${one}(...args);`,
        ),
      ].join('\n'),
    }));
  },
};

/** A class can be told by its name. */
const functionsOf = (module) =>
  Object.keys(module).filter((name) => /^[a-z]/.test(name) && typeof module[name] === 'function');
