/**
 * Bundles the suite into dist/: one file for each way to run it. Dependencies stay in node_modules and are loaded
 * at first use.
 *
 *   node deploy/build.mjs              builds
 *   node deploy/build.mjs --if-stale   builds unless dist/ is newer than every source
 *   node deploy/build.mjs --watch      builds, runs the functions-framework host, and does both again on a change
 */
import { spawn } from 'node:child_process';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, context } from 'esbuild';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dist = path.join(root, 'dist');
const entries = path.join(root, 'deploy/entry');
const SOURCES = ['functions', 'shared', 'deploy'];

/** Every output of a build, with an entry of the same name behind it. */
const targets = async () => (await readdir(entries)).map((file) => path.basename(file, '.ts'));

const newest = async (folder) => {
  const files = await readdir(path.join(root, folder), { recursive: true, withFileTypes: true });
  const times = files
    .filter((file) => file.isFile())
    .map(async (file) => (await stat(path.join(file.parentPath ?? file.path, file.name))).mtimeMs);
  return Math.max(0, ...(await Promise.all(times)));
};

const isStale = async () => {
  const outputs = (await targets()).map((name) => path.join(dist, `${name}.cjs`));
  const built = await Promise.all(
    outputs.map((file) =>
      stat(file).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  const sources = await Promise.all([
    ...SOURCES.map(newest),
    stat(path.join(root, 'package.json')).then(({ mtimeMs }) => mtimeMs),
  ]);
  return Math.min(...built) < Math.max(...sources);
};

const options = async () => ({
  absWorkingDir: root,
  entryPoints: (await targets()).map((name) => `deploy/entry/${name}.ts`),
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  // .cjs starts fastest under functions-framework: of a .js file it would look up the package first.
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: true,
  logLevel: 'warning',
  logOverride: { 'commonjs-variable-in-esm': 'silent' },
});

const watch = async () => {
  let child;
  const restart = {
    name: 'restart',
    setup: ({ onEnd }) => {
      onEnd(({ errors }) => {
        if (errors.length > 0) return;
        const old = child;
        const start = () => {
          child = spawn(process.execPath, [path.join(dist, 'functions-framework.cjs')], {
            stdio: 'inherit',
            cwd: root,
          });
        };
        if (!old || old.exitCode !== null) return start();
        old.once('exit', start);
        old.kill('SIGTERM');
      });
    },
  };
  const watcher = await context({ ...(await options()), plugins: [restart] });
  await watcher.watch();
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, async () => {
      await watcher.dispose();
      if (!child || child.exitCode !== null) process.exit(0);
      child.once('exit', () => process.exit(0));
      child.kill(signal);
    });
};

const [mode] = process.argv.slice(2);
if (mode === '--watch') await watch();
else if (mode !== '--if-stale' || (await isStale())) {
  const started = Date.now();
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  await build(await options());
  console.error(`Built dist/ in ${Date.now() - started} ms.`);
}
