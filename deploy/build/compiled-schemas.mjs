/** Puts the schemas that are known now, compiled, into the map that `shared/schema` looks them up in. */
import { readFile } from 'node:fs/promises';
import Module, { createRequire } from 'node:module';
import path from 'node:path';
import { build, transform } from 'esbuild';
import { bundleOptions, root } from './bundle.mjs';

const require = createRequire(import.meta.url);

/** The helpers of compiled schemas are a few lines each, in packages that are else left alone. */
const resolveHelpers = ({ onResolve }) =>
  onResolve({ filter: /^ajv\/dist\/runtime\// }, ({ path: helper }) => ({
    path: require.resolve(helper),
  }));

/** `statements`: gives what is put behind the file, when it is loaded. */
export const schemasPlugin = (statements) => ({
  name: 'compiled-schemas',
  setup: (plugin) => {
    resolveHelpers(plugin);
    plugin.onLoad(
      { filter: /[\\/]shared[\\/]schema[\\/]compiled\.ts$/ },
      async ({ path: file }) => ({
        contents: `${await readFile(file, 'utf8')}\n${await statements()}`,
        loader: 'ts',
      }),
    );
  },
});

/** As `declared.ts` has them. */
export const declaredFunctions = async () => (await loadSources()).declared(root);

let compiling;

/** Of all functions and pipelines, compiled once for all bundles of Node. */
export const compiledSchemas = schemasPlugin(() => {
  compiling ??= loadSources()
    .then(({ fillCompiled }) => fillCompiled(root))
    .then(minified);
  return compiling;
});

/** For bundles of one function each: `import 'schemas:NAME'` fills the map with what this one asks for. */
export const schemasOfOne = {
  name: 'schemas-of-one',
  setup: (plugin) => {
    resolveHelpers(plugin);
    plugin.onResolve({ filter: /^schemas:/ }, ({ path: name }) => ({
      path: name.slice('schemas:'.length),
      namespace: 'schemas',
    }));
    plugin.onLoad({ filter: /./, namespace: 'schemas' }, async ({ path: name }) => {
      // New modules for each: what is asked for when a module is loaded is asked for once.
      const { fillWith, schemasAsked } = await loadSources();
      const fill = await minified(fillWith(await schemasAsked(root, name)));
      return {
        contents: `import { compiled } from './compiled';\n${fill}`,
        resolveDir: path.join(root, 'shared/schema'),
        loader: 'js',
      };
    });
  },
};

const minified = async (text) => (await transform(text, { minify: true })).code;

const MODULES = `export * from './checks';\nexport * from './declared';`;

let bundling;

/** The exports of `checks.ts` and `declared.ts`, all their modules new. */
const loadSources = async () => {
  bundling ??= bundleOptions().then((options) =>
    build({
      ...options,
      stdin: { contents: MODULES, resolveDir: path.join(root, 'deploy/build') },
      sourcemap: false,
      legalComments: 'none',
      write: false,
    }),
  );
  const { outputFiles } = await bundling;
  const module = new Module(path.join(root, 'deploy/build/checks.cjs'));
  module.filename = module.id;
  module.paths = Module._nodeModulePaths(root);
  module._compile(outputFiles[0].text, module.id);
  return module.exports;
};
