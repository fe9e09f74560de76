/** What must be there before anything is measured: the peers from npm, and our own servers. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { bundleOptions } from '../deploy/build/bundle.mjs';
import { root } from './machine.mjs';
import { SAME_CODE, SAME_WORK } from './servers.mjs';

const run = (command, ...args) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
};

const isInstalled = () => {
  const { dependencies } = JSON.parse(readFileSync(path.join(root, 'bench/package.json'), 'utf8'));
  return Object.keys(dependencies).every((name) =>
    existsSync(path.join(root, 'bench/node_modules', name)),
  );
};

export const setUp = async () => {
  // No scripts: what they would compile is a little faster text decoding.
  if (!isInstalled())
    run('npm', 'ci', '--prefix', 'bench', '--ignore-scripts', '--no-audit', '--no-fund');
  run(process.execPath, 'deploy/build.mjs', '--if-stale');
  const options = await bundleOptions();
  for (const outfile of [SAME_WORK, SAME_CODE])
    await build({
      ...options,
      entryPoints: [`bench/servers/${path.basename(outfile, '.cjs')}.ts`],
      outfile,
      sourcemap: false,
    });
};
