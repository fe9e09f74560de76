/**
 * Builds the library into dist/library, from the entries that package.json exports:
 *
 *   library.cjs      all that runs on Node, in one file, so that there is one of each class whatever is imported, from
 *                    CommonJS and ES modules alike; each entry is a few lines beside it, and loads its part alone
 *   edge/            the entries that have the condition `workerd`, as ES modules without anything of Node
 *   types/           declarations, of what the entries reach
 */
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { bundleOptions, dist, root } from '../build/bundle.mjs';
import { compiledSchemas } from '../build/compiled-schemas.mjs';
import { edgeOptions } from '../build/edge-options.cjs';
import { peers } from './peers-plugin.mjs';
import { keepReachable } from './types.mjs';

const require = createRequire(import.meta.url);
const folder = path.join(dist, 'library');

/** Nothing is made smaller: a tarball is compressed, and whoever meets a stack reads the line. */
const PLAIN = { sourcemap: false };

export const buildLibrary = async () => {
  const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const entries = Object.values(manifest.exports).filter(({ types }) => types);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await Promise.all([
    buildNode(manifest, entries.filter(isOurs)),
    buildEdge(entries.filter(({ workerd }) => workerd)),
    buildTypes(entries),
  ]);
};

/** Others have a bundle of their own, for those who need nothing else. */
const isOurs = ({ default: file }) => file.startsWith('./dist/library/');
const nameOf = (file) => path.basename(file).replace(/\.[cm]js$/, '');

const buildNode = async ({ dependencies, bin }, entries) => {
  const options = await bundleOptions({ bundled: [] });
  const parts = [
    ...entries.map(({ types, default: file }) => [nameOf(file), types]),
    ['cli', bin['faas-patterns'].replace(/^dist\/(.*)\.cjs$/, './deploy/entry/$1.ts')],
  ];
  const library = path.join(folder, 'library.cjs');
  await build({
    ...options,
    ...PLAIN,
    stdin: {
      contents: parts
        .map(([name, source]) => `exports[${JSON.stringify(name)}] = () => require('${source}');`)
        .join('\n'),
      resolveDir: root,
      sourcefile: 'library.js',
    },
    outfile: library,
    plugins: [peers(dependencies), ...options.plugins, compiledSchemas],
  });
  await Promise.all(
    parts.map(([name]) =>
      writeFile(
        path.join(folder, `${name}.cjs`),
        name === 'cli' ? COMMAND : facade(name, Object.keys(require(library)[name]())),
      ),
    ),
  );
  await chmod(path.join(folder, 'cli.cjs'), 0o755);
};

/** The names are for ES modules: Node finds them without running the file. */
const facade = (name, names) => `const library = require('./library.cjs');
module.exports = library['${name}']();
0 && (module.exports = { ${names.join(', ')} });
`;

const COMMAND = `#!/usr/bin/env node
const library = require('./library.cjs');
library.cli();
`;

const buildEdge = (entries) =>
  build({
    ...edgeOptions,
    ...PLAIN,
    absWorkingDir: root,
    entryPoints: Object.fromEntries(entries.map(({ types, workerd }) => [nameOf(workerd), types])),
    outdir: path.join(folder, 'edge'),
    outExtension: { '.js': '.mjs' },
    chunkNames: 'shared-[hash]',
    splitting: true,
    plugins: [compiledSchemas],
  });

const buildTypes = async (entries) => {
  const types = path.join(folder, 'types');
  const compiler = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  const args = [compiler, '-p', 'deploy/tsconfig.types.json', '--outDir', types];
  await promisify(execFile)(process.execPath, args, { cwd: root });
  await keepReachable(
    types,
    entries.map(({ types: source }) => source.replace(/\.ts$/, '.d.ts')),
  );
};
