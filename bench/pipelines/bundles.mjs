/** The measured programs that are made of the suite's own code. */
import path from 'node:path';
import { build } from 'esbuild';
import { bundleOptions } from '../../deploy/build/bundle.mjs';
import { root } from '../machine.mjs';

export const SOURCES = path.join(root, 'bench/servers/pipelines');
const OUTPUTS = path.join(root, 'bench/node_modules/.cache/pipelines');

const PROGRAMS = ['delivery', 'in-process', 'journal', 'promise-all', 'promise-all-host'];
/** Once more with another delivery, and nothing else changed. */
const BARE = ['in-process', 'promise-all'];

export const bundled = (name) => path.join(OUTPUTS, `${name}.cjs`);

const bareDelivery = {
  name: 'bare-delivery',
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/webhook\/deliver$/ }, ({ importer }) =>
      importer.endsWith('bare-delivery.ts')
        ? undefined
        : { path: path.join(SOURCES, 'bare-delivery.ts') },
    );
  },
};

export const bundlePrograms = async () => {
  const options = await bundleOptions();
  const bundle = (names, suffix, plugins) =>
    build({
      ...options,
      entryPoints: names.map((name) => ({
        in: `bench/servers/pipelines/${name}.ts`,
        out: `${name}${suffix}`,
      })),
      outdir: OUTPUTS,
      outExtension: { '.js': '.cjs' },
      legalComments: 'none',
      plugins: [...plugins, ...options.plugins],
    });
  await bundle(PROGRAMS, '', []);
  await build({
    ...options,
    entryPoints: ['bench/servers/pipelines/restate-server.ts'],
    outfile: bundled('restate-server'),
    legalComments: 'none',
    // It finds its packages from where it stands.
    define: { __dirname: JSON.stringify(path.join(root, 'test/support')) },
  });
  await bundle(BARE, '-bare', [bareDelivery]);
};
