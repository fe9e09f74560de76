/** nginx and HAProxy from the system's packages: found, else installed by apt where we may. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Daemons live where users do not look. */
const FOLDERS = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/local/sbin', '/usr/sbin'];
const INSTALL = 'apt-get update && apt-get install -y --no-install-recommends nginx haproxy';

const isExecutable = (file) => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

export const find = (name) => FOLDERS.map((folder) => path.join(folder, name)).find(isExecutable);

export const provideProxies = () => {
  const isThere = () => ['nginx', 'haproxy'].every(find);
  if (isThere()) return;
  if (process.getuid?.() === 0) {
    console.error('Installing nginx and haproxy …');
    spawnSync('sh', ['-c', INSTALL], {
      // Neither is to be started by its installation: ours are of one run only.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  if (isThere()) return;
  console.error(`There is no nginx, or no haproxy. Install them, as root:\n\n  ${INSTALL}\n`);
  process.exit(1);
};
