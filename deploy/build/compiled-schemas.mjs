/** Puts the schemas that are known now, compiled, into the map that `shared/schema` looks them up in. */
import { readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build, transform } from 'esbuild';
import { bundleOptions, dist, root } from './bundle.mjs';

const require = createRequire(import.meta.url);

/** `statements`: gives what is put behind the file, when it is loaded. */
export const schemasPlugin = (statements) => ({
  name: 'compiled-schemas',
  setup: ({ onLoad, onResolve }) => {
    // The helpers of compiled schemas are a few lines each, in packages that are else left alone.
    onResolve({ filter: /^ajv\/dist\/runtime\// }, ({ path: helper }) => ({
      path: require.resolve(helper),
    }));
    onLoad({ filter: /[\\/]shared[\\/]schema[\\/]compiled\.ts$/ }, async ({ path: file }) => {
      return { contents: `${await readFile(file, 'utf8')}\n${await statements()}`, loader: 'ts' };
    });
  },
});

let compiling;

/** Of all functions and pipelines, compiled once for all bundles of Node. */
export const compiledSchemas = schemasPlugin(() => {
  compiling ??= compileSchemas();
  return compiling;
});

const compileSchemas = async () => {
  const outfile = path.join(dist, 'checks.cjs');
  await build({
    ...(await bundleOptions()),
    entryPoints: ['deploy/build/checks.ts'],
    outfile,
    sourcemap: false,
    legalComments: 'none',
  });
  try {
    const { code } = await transform(await require(outfile).fillCompiled(root), { minify: true });
    return code;
  } finally {
    await rm(outfile);
  }
};
