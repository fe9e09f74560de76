/**
 * Builds dist/functions: for each function of the catalogue and each pipeline a bundle a host, with what this function uses
 * and nothing of the others.
 *
 *   NAME/node.cjs                  a server of its own
 *   NAME/functions-framework.cjs   `exports[NAME]`, for its command line and for Cloud Functions
 *   NAME/lambda.cjs                `exports.handler`, with all packages in it
 *   bundles.json                   what each of them is made of, in bytes
 */
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { bundleOptions, dist, functionNames, root } from './bundle.mjs';
import { addCodeCache, WRAPPED } from './code-cache.mjs';
import { schemasOfOne } from './compiled-schemas.mjs';
import { contentOf } from './content.mjs';

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

/** A pipeline must know which functions there are, and loads none of them. */
const catalogueFor = (name, { functions, pipelines }) => {
  if (!pipelines.includes(name)) return `{ '${name}': () => import('./functions/${name}') }`;
  return `{ ${functions.map((other) => `'${other}': () => Promise.reject(new Error('${other} is served elsewhere'))`).join(', ')} }`;
};

const entries = (names) => ({
  name: 'function-entries',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^function:/ }, ({ path: entry }) => ({
      path: entry.slice('function:'.length),
      namespace: 'function',
    }));
    onLoad({ filter: /./, namespace: 'function' }, ({ path: entry }) => {
      const [name, host] = entry.split('/');
      return {
        contents: `import 'schemas:${name}';
          const catalogue = ${catalogueFor(name, names)};${HOSTS[host](name)}`,
        resolveDir: root,
        loader: 'ts',
      };
    });
  },
});

export const buildFunctions = async () => {
  const names = await functionNames();
  const all = [...names.functions, ...names.pipelines];
  const bundle = async (hosts, how) => {
    const options = await bundleOptions(how);
    const { metafile } = await build({
      ...options,
      ...how.around,
      entryPoints: hosts.flatMap((host) =>
        all.map((name) => ({ in: `function:${name}/${host}`, out: `${name}/${host}` })),
      ),
      outdir: folder,
      outExtension: { '.js': '.cjs' },
      // Lines are enough for a stack; the sources are in the repository.
      sourcesContent: false,
      metafile: true,
      plugins: [entries(names), ...options.plugins, schemasOfOne],
    });
    return contentOf(metafile, folder);
  };
  const content = await Promise.all([
    bundle(['node', 'functions-framework'], { around: WRAPPED }),
    bundle(['lambda'], { bundled: 'all' }),
  ]);
  await writeFile(
    path.join(folder, 'bundles.json'),
    `${JSON.stringify(Object.assign({}, ...content), null, 2)}\n`,
  );
};

/** Those that are started again and again, while somebody waits. */
export const cachedFunctions = async () => {
  const { functions, pipelines } = await functionNames();
  return [...functions, ...pipelines].flatMap((name) => [
    { bundle: `functions/${name}/node`, target: name },
    { bundle: `functions/${name}/functions-framework`, target: name },
  ]);
};
