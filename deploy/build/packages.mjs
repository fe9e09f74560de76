/**
 * Builds dist/packages: packages that a function loads at their first use, a file each, with the parts that are used
 * (`parts.mjs`). In the bundle of a function their text alone would make every start a tenth longer, in node_modules they are
 * hundreds of files; beside it they are as quick as it is, code cache and all.
 */
import path from 'node:path';
import { build } from 'esbuild';
import { bundleOptions, dist, root } from './bundle.mjs';
import { neededParts } from './parts.mjs';

const APART = ['@redis/client', 'ajv', 'axios', 'nodemailer', 'twilio', 'uqr', 'yaml'];

const fileOf = (name) => name.replace('@', '').replace('/', '-');

/** Paths below dist/ without the extension. */
export const packageFiles = APART.map((name) => `packages/${fileOf(name)}`);

/** What is apart is loaded from there, `folder` being on the way to it from where the bundle is. */
const apart = (folder, but) => ({
  name: 'packages-apart',
  setup: ({ onResolve }) => {
    onResolve({ filter: new RegExp(`^(?:${APART.join('|')})$`) }, ({ path: name }) =>
      name === but ? undefined : { path: `${folder}/${fileOf(name)}.cjs`, external: true },
    );
  },
});

/** For the bundle of a function. */
export const packagesApart = apart('../../packages');

export const buildPackages = async () => {
  const options = await bundleOptions({ bundled: APART });
  const one = async (name) =>
    build({
      ...options,
      external: [],
      stdin: { contents: `module.exports = require('${name}');`, resolveDir: root },
      outfile: path.join(dist, 'packages', `${fileOf(name)}.cjs`),
      minifyWhitespace: true,
      // Node shows the line that has thrown, and no more should be on it.
      lineLimit: 200,
      sourcemap: false,
      plugins: [neededParts, apart('.', name), ...options.plugins],
    });
  await Promise.all(APART.map(one));
};
