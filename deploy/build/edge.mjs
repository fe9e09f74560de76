/** Builds dist/edge: a worker for each function that runs at the edge, and beside it how it is run. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build, transform } from 'esbuild';
import { workerdConfig, wranglerConfig } from '../edge/config.mjs';
import { bundleOptions, dist, root } from './bundle.mjs';
import { schemasPlugin } from './compiled-schemas.mjs';
import { edgeOptions } from './edge-options.cjs';

const require = createRequire(import.meta.url);

/** `environment`: schemas that come in a setting can be used at the edge if they are in it. @default the process' own */
export const buildEdge = async ({
  folder = path.join(dist, 'edge'),
  environment = process.env,
} = {}) => {
  await mkdir(folder, { recursive: true });
  const { edgeFunctions, fillForEdge, EDGE_SETTINGS } = await loadFunctions();
  for (const declaration of await edgeFunctions()) {
    const { name } = declaration;
    const { code } = await transform(fillForEdge(declaration, environment), { minify: true });
    await bundleWorker(name, path.join(folder, `${name}.mjs`), code);
    const write = (extension, text) => writeFile(path.join(folder, `${name}.${extension}`), text);
    await write('capnp', workerdConfig(declaration, EDGE_SETTINGS));
    await write('wrangler.jsonc', wranglerConfig(declaration, EDGE_SETTINGS));
  }
};

/** A function is one line around its declaration, so there is no file for it. */
const bundleWorker = async (name, outfile, schemas) => {
  const { metafile } = await build({
    ...edgeOptions,
    absWorkingDir: root,
    stdin: {
      contents: `import declaration from './functions/${name}';
import { edgeHandler } from './shared/hosts/edge';
export default edgeHandler(declaration);`,
      resolveDir: root,
      sourcefile: `${name}.ts`,
      loader: 'ts',
    },
    outfile,
    metafile: true,
    plugins: [schemasPlugin(async () => schemas)],
  });
  const { imports } = Object.values(metafile.outputs)[0];
  if (imports.length > 0)
    throw new Error(`${name} leaves ${imports.map((one) => one.path).join(', ')} to be imported`);
};

const loadFunctions = async () => {
  // In dist/, from where packages are found; several builds may be at work.
  const outfile = path.join(dist, `edge-functions.${process.pid}.cjs`);
  await build({
    ...(await bundleOptions()),
    entryPoints: ['deploy/build/edge-functions.ts'],
    outfile,
    sourcemap: false,
    legalComments: 'none',
  });
  try {
    return require(outfile);
  } finally {
    await rm(outfile);
  }
};
