/** The peers that tests measure us against: packages of their own below test/peers, which the root does not install. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = path.resolve(__dirname, '../..');

/** How long an installation may take, in ms. */
const INSTALL_TIMEOUT = 300_000;

/** For `beforeAll`: longer than the installation, of which one test process may have to wait for another's. */
export const PEERS_TIMEOUT = 2 * INSTALL_TIMEOUT;

/** Installs a folder of test/peers where that is not done yet, and gives what loads packages from it. */
export const providePeers = async (name: string): Promise<NodeJS.Require> => {
  const folder = path.join(ROOT, 'test/peers', name);
  if (!isInstalled(folder)) await alone(folder, () => isInstalled(folder) || install(folder));
  return createRequire(path.join(folder, 'package.json'));
};

/** npm writes the inner lock last. */
const isInstalled = (folder: string): boolean => {
  const modified = (file: string) =>
    statSync(path.join(folder, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return modified('node_modules/.package-lock.json') >= modified('package-lock.json');
};

const install = (folder: string): void => {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status, stderr } = spawnSync('npm', args, {
    cwd: folder,
    encoding: 'utf8',
    timeout: INSTALL_TIMEOUT,
  });
  if (status === 0) return;
  throw new Error(
    `These tests need packages that could not be installed. Install them:\n\n  npm ci --ignore-scripts --prefix ${path.relative(ROOT, folder)}\n\n${stderr}`,
  );
};

/** One process at a time: a file with the id of who is at work, which counts only as long as that one lives. */
const alone = async (folder: string, act: () => unknown): Promise<void> => {
  const file = path.join(folder, '.installing');
  for (;;) {
    const lock = tryToOpen(file);
    if (lock !== undefined)
      try {
        writeSync(lock, `${process.pid}`);
        closeSync(lock);
        act();
        return;
      } finally {
        rmSync(file, { force: true });
      }
    if (isAbandoned(file)) rmSync(file, { force: true });
    await sleep(100);
  }
};

const tryToOpen = (file: string): number | undefined => {
  try {
    return openSync(file, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
};

const isAbandoned = (file: string): boolean => {
  try {
    if (Date.now() - statSync(file).mtimeMs > INSTALL_TIMEOUT) return true;
    // 0: just made, and nothing written yet.
    process.kill(Number(readFileSync(file, 'utf8')), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
};
