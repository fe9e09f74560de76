/**
 * Builds dist/functions: for each function of the catalogue and each pipeline a bundle a host, with what this function
 * comes to use, packages and all.
 *
 *   NAME/node.cjs                  a server of its own
 *   NAME/functions-framework.cjs   `exports[NAME]`, for its command line and for Cloud Functions
 *   NAME/lambda.cjs                `exports.handler`
 *   bundles.json                   what each of them is made of, in bytes
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { bundleOptions, dist, root } from './bundle.mjs';
import { schemasOfOne } from './compiled-schemas.mjs';
import { contentOf } from './content.mjs';
import { lazyBuiltins } from './lazy-builtins.mjs';
import { packagesApart } from './packages.mjs';
import { asRequired, neededParts, reachedParts } from './parts.mjs';

const folder = path.join(dist, 'functions');

/** There is no file for a function and a host: these lines are all that it would hold. */
const HOSTS = {
  node: (name) => `
    import { runNode } from './shared/hosts/node';
    void runNode(catalogue, { target: '${name}' });`,
  'functions-framework': (name) => `
    import { stockFunction } from './shared/hosts/stock';
    module.exports = { '${name}': stockFunction(catalogue, '${name}') };`,
  lambda: (name) => `
    import { lambdaHandler } from './shared/hosts/lambda';
    export const handler = lambdaHandler({ catalogue, target: '${name}' });`,
};

/** Those that are started again and again, while somebody waits, by the Node that has built them. */
export const CACHED_HOSTS = ['node', 'functions-framework'];

const entryOf = ({ name, isPipeline }, all) => ({
  name: 'function-entry',
  setup: ({ onResolve, onLoad }) => {
    // A pipeline must know which functions there are, and loads none of them.
    const catalogue = isPipeline
      ? all
          .filter((other) => !other.isPipeline)
          .map((other) => `'${other.name}': () => Promise.reject(new Error('served elsewhere'))`)
      : [`'${name}': () => import('./functions/${name}')`];
    onResolve({ filter: /^host:/ }, ({ path: entry }) => ({
      path: entry.slice('host:'.length),
      namespace: 'function-entry',
    }));
    onLoad({ filter: /./, namespace: 'function-entry' }, ({ path: host }) => ({
      contents: `import 'schemas:${name}';
        const catalogue = { ${catalogue.join(', ')} };${HOSTS[host](name)}`,
      resolveDir: root,
      loader: 'ts',
    }));
  },
});

/** `functions`: as `declared` has them. */
export const buildFunctions = async (functions) => {
  const { dependencies } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const options = await bundleOptions({ bundled: Object.keys(dependencies) });
  const contents = [];
  for (const one of functions) {
    const { name, needs, isPipeline } = one;
    const reached = reachedParts([...needs, ...(isPipeline ? ['pipelines'] : [])]);
    const bundle = async (hosts, ...plugins) => {
      const { metafile } = await build({
        ...options,
        entryPoints: hosts.map((host) => ({ in: `host:${host}`, out: host })),
        outdir: path.join(folder, name),
        outExtension: { '.js': '.cjs' },
        minifyWhitespace: true,
        // Lines are enough for a stack; the sources are in the repository.
        sourcesContent: false,
        metafile: true,
        plugins: [
          entryOf(one, functions),
          lazyBuiltins,
          reached,
          ...plugins,
          neededParts,
          asRequired(Object.keys(dependencies)),
          ...options.plugins,
          schemasOfOne,
        ],
      });
      contents.push(contentOf(metafile, folder));
    };
    await Promise.all([bundle(CACHED_HOSTS, packagesApart), bundle(['lambda'])]);
  }
  const text = JSON.stringify(Object.assign({}, ...contents), null, 2);
  await writeFile(path.join(folder, 'bundles.json'), `${text}\n`);
};
