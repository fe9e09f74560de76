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

/** `NAME/HOST` for each of `functions`. */
const entriesOf = (functions, all) => ({
  name: 'function-entries',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^function:/ }, ({ path: entry }) => ({
      path: entry.slice('function:'.length),
      namespace: 'function',
    }));
    onLoad({ filter: /./, namespace: 'function' }, ({ path: entry }) => {
      const [name, host] = entry.split('/');
      const one = functions.find((other) => other.name === name);
      return {
        contents: `import 'schemas:${name}';
          const catalogue = { ${catalogueFor(one, all)} };${HOSTS[host](name)}`,
        resolveDir: root,
        loader: 'ts',
      };
    });
  },
});

/** A pipeline must know which functions there are, and loads none of them. */
const catalogueFor = ({ name, isPipeline }, all) => {
  if (!isPipeline) return `'${name}': () => import('./functions/${name}')`;
  const others = all.filter((other) => !other.isPipeline).map((other) => other.name);
  const refuse = `() => Promise.reject(new Error('it is served elsewhere'))`;
  return others.map((other) => `'${other}': ${refuse}`).join(', ');
};

/** `functions`: as `declared` has them. */
export const buildFunctions = async (functions) => {
  const { dependencies } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const options = await bundleOptions({ bundled: Object.keys(dependencies) });
  const bundle = async (group, hosts, plugins) => {
    const { metafile } = await build({
      ...options,
      entryPoints: group.flatMap(({ name }) =>
        hosts.map((host) => ({ in: `function:${name}/${host}`, out: `${name}/${host}` })),
      ),
      outdir: folder,
      outExtension: { '.js': '.cjs' },
      minifyWhitespace: true,
      // Node shows the line that has thrown, and no more should be on it.
      lineLimit: 200,
      // Lines are enough for a stack; the sources are in the repository.
      sourcesContent: false,
      metafile: true,
      plugins: [
        entriesOf(group, functions),
        lazyBuiltins,
        reachedParts(partsOf(group[0])),
        ...plugins,
        neededParts,
        asRequired(Object.keys(dependencies)),
        ...options.plugins,
        schemasOfOne,
      ],
    });
    return contentOf(metafile, folder);
  };
  // One build for those that come to the same parts.
  const groups = new Map();
  for (const one of functions) {
    const parts = partsOf(one).join();
    groups.set(parts, [...(groups.get(parts) ?? []), one]);
  }
  const contents = await Promise.all(
    [...groups.values()].flatMap((group) => [
      bundle(group, CACHED_HOSTS, [packagesApart]),
      bundle(group, ['lambda'], []),
    ]),
  );
  const text = JSON.stringify(Object.assign({}, ...contents), null, 2);
  await writeFile(path.join(folder, 'bundles.json'), `${text}\n`);
};

const partsOf = ({ needs, isPipeline }) => [...needs, ...(isPipeline ? ['pipelines'] : [])].sort();
