/** Redis and PostgreSQL from the system's packages: found, else installed by apt where we may. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import path from 'node:path';

/** Debian keeps the servers of PostgreSQL beside each other, outside of PATH. */
const POSTGRES = '/usr/lib/postgresql';
const INSTALL =
  'apt-get update && apt-get install -y --no-install-recommends redis-server postgresql';

const isExecutable = (file) => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const listed = (folder) => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

/** The newest first. */
const postgresFolders = () =>
  listed(POSTGRES)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => path.join(POSTGRES, version, 'bin'));

export const find = (name) =>
  [...(process.env.PATH ?? '').split(path.delimiter), ...postgresFolders()]
    .map((folder) => path.join(folder, name))
    .find(isExecutable);

const PROGRAMS = ['redis-server', 'initdb', 'postgres'];

export const provideDatabases = () => {
  if (PROGRAMS.every(find)) return;
  if (process.getuid?.() === 0) {
    console.error('Installing redis-server and postgresql …');
    spawnSync('sh', ['-c', INSTALL], {
      // Neither is to be started by its installation: ours are of one run only.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  const missing = PROGRAMS.filter((name) => !find(name));
  if (missing.length === 0) return;
  console.error(`There is no ${missing.join(', no ')}. Install them, as root:\n\n  ${INSTALL}\n`);
  process.exit(1);
};
