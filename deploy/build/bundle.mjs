/** What every bundle has in common. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const dist = path.join(root, 'dist');

/**
 * Packages that are bundled, since a start, or a first request, would wait for their many files to be found. The others
 * are loaded from node_modules when they are first used, or never.
 */
const BUNDLED = ['@google-cloud/functions-framework', 'libsql'];

const here = path.dirname(fileURLToPath(import.meta.url));

/** Two packages by which libsql finds its binary; ours does the same, in a hundredth of the time. */
const nativeTarget = {
  name: 'native-target',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^(?:@neon-rs\/load|detect-libc)$/ }, () => ({
      path: path.join(here, 'native-target.cjs'),
    }));
  },
};

/** Every output of a build, by the name of the entry behind it. */
export const entryNames = async () =>
  (await readdir(path.join(root, 'deploy/entry'))).map((file) => path.basename(file, '.ts'));

/** For esbuild; `bundled` says which packages do not stay in node_modules. */
export const bundleOptions = async ({ bundled = BUNDLED } = {}) => {
  const { dependencies } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  return {
    absWorkingDir: root,
    bundle: true,
    // .cjs starts fastest under functions-framework: of a .js file it would look up the package first.
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    // Not import(): that would start the loader of ES modules, to find what require() finds as well.
    supported: { 'dynamic-import': false },
    external: Object.keys(dependencies).filter((name) => !bundled.includes(name)),
    legalComments: 'linked',
    sourcemap: true,
    logLevel: 'warning',
    logOverride: { 'commonjs-variable-in-esm': 'silent' },
    plugins: [nativeTarget],
  };
};
