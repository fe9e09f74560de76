/** Debian's oathtool: codes by somebody else's hand. */
import { spawnSync } from 'node:child_process';

const INSTALL =
  'apt-get update && apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends oathtool';

/** For `beforeAll`, in ms. */
export const OATHTOOL_TIMEOUT = 300_000;

/** Installs it by apt where it is missing and we may. */
export const provideOathtool = (): void => {
  if (isThere()) return;
  if (process.getuid?.() === 0)
    spawnSync('sh', ['-c', INSTALL], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: OATHTOOL_TIMEOUT,
    });
  if (!isThere())
    throw new Error(`These tests need oathtool. Install it, as root:\n\n  ${INSTALL}`);
};

const isThere = (): boolean => spawnSync('oathtool', ['--version']).status === 0;

/** The lines that it prints. */
export const oathtool = (...args: readonly string[]): readonly string[] => {
  const { status, stdout, stderr } = spawnSync('oathtool', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim().split('\n');
};
