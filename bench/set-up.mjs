/** What must be there before anything is measured: the peers, and our own servers. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { bundleOptions } from '../deploy/build/bundle.mjs';
import { root } from './machine.mjs';
import { SAME_WORK } from './servers.mjs';

const run = (command, ...args) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
};

export const setUp = async () => {
  if (!existsSync(path.join(root, 'bench/node_modules/express')))
    run('npm', 'ci', '--prefix', 'bench');
  run(process.execPath, 'deploy/build.mjs', '--if-stale');
  await build({
    ...(await bundleOptions()),
    entryPoints: ['bench/servers/same-work.ts'],
    outfile: SAME_WORK,
    sourcemap: false,
  });
};
