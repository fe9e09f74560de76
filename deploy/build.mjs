/**
 * Bundles the suite into dist/: one file for each way to run it, and one for each function and host.
 *
 *   node deploy/build.mjs              builds
 *   node deploy/build.mjs --if-stale   builds unless this Node has built dist/ of the sources as they are
 *   node deploy/build.mjs --watch      builds, runs the functions-framework host, and does both again on a change
 */
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { bundleOptions, dist, entryNames, root } from './build/bundle.mjs';
import { addCodeCaches } from './build/code-cache.mjs';
import { compiledSchemas, declaredFunctions } from './build/compiled-schemas.mjs';
import { buildEdge } from './build/edge.mjs';
import { buildFunctions, CACHED_HOSTS } from './build/functions.mjs';
import { buildPackages, packageFiles } from './build/packages.mjs';
import { develop } from './build/watch.mjs';

const SOURCES = [
  'functions',
  'shared',
  'pipelines',
  'deploy/build',
  'deploy/edge',
  'deploy/entry',
  'deploy/build.mjs',
  'package.json',
];
/** Holds the version of the Node that has built all of it, and is as old as the sources were when that began. */
const STAMP = path.join(dist, 'node-version');
/** Started again and again, while somebody waits: these get a code cache. */
const SERVERS = ['functions-framework', 'node'];

const newest = async (source) => {
  const at = path.join(root, source);
  const inside = (await stat(at)).isDirectory()
    ? await readdir(at, { recursive: true, encoding: 'utf8' })
    : [''];
  const times = inside.map(async (file) => (await stat(path.join(at, file))).mtimeMs);
  return Math.max(0, ...(await Promise.all(times)));
};

const isStale = async () => {
  try {
    if ((await readFile(STAMP, 'utf8')) !== process.version) return true;
    const { mtimeMs } = await stat(STAMP);
    return mtimeMs < Math.max(...(await Promise.all(SOURCES.map(newest))));
  } catch {
    return true;
  }
};

const buildAll = async () => {
  const started = new Date();
  await mkdir(dist, { recursive: true });
  // The library is built by who packs it.
  for (const name of await readdir(dist))
    if (name !== 'library') await rm(path.join(dist, name), { recursive: true, force: true });
  const options = await bundleOptions();
  const bundleAll = async () =>
    build({
      ...options,
      entryPoints: (await entryNames()).map((name) => `deploy/entry/${name}.ts`),
      outdir: dist,
      outExtension: { '.js': '.cjs' },
      plugins: [...options.plugins, compiledSchemas],
    });
  const functions = await declaredFunctions();
  await Promise.all([bundleAll(), buildEdge(), buildFunctions(functions), buildPackages()]);
  const ofOne = CACHED_HOSTS.map((host) =>
    functions.map((one) => ({ ...one, server: `functions/${one.name}/${host}` })),
  );
  const requests = functions.flatMap((one) => one.requests);
  const ofAll = SERVERS.map((server) => ({ server, requests }));
  await addCodeCaches([...ofOne, ofAll], packageFiles);
  await writeFile(STAMP, process.version);
  await utimes(STAMP, started, started);
  console.error(`Built dist/ in ${Date.now() - started} ms.`);
};

const [mode] = process.argv.slice(2);
if (mode === '--watch') await develop();
else if (mode !== '--if-stale' || (await isStale()))
  await buildAll().catch((error) => {
    // esbuild has told its own errors, with the lines.
    if (!error.errors) throw error;
    process.exitCode = 1;
  });
