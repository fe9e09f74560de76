/** Servers of the system that tests need: found in the path, or else installed by apt. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

export interface SystemPackage {
  /** As apt has it. */
  readonly name: string;
  /** What it brings, or another of the same trade. */
  readonly executables: readonly string[];
  /** The environment variable that names one elsewhere. */
  readonly variable: string;
}

/** How long an installation may take, in ms. */
const INSTALL_TIMEOUT = 300_000;

/** Daemons live where users do not look. */
const ADMIN_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Installed, but not running: the tests start servers of their own, and nobody else needs one. */
const installing = ({ name }: SystemPackage): string =>
  `apt-get update && RUNLEVEL=1 apt-get install -y --no-install-recommends ${name}`;

/** A start that dpkg asks for is refused while this is in place; what was there before is put back. */
const quietly = (command: string): string => `policy=/usr/sbin/policy-rc.d
[ -e $policy ] || { trap 'rm -f $policy' EXIT; printf '#!/bin/sh\\nexit 101\\n' > $policy; chmod +x $policy; }
${command}`;

const find = ({ executables, variable }: SystemPackage): string | undefined => {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), ...ADMIN_FOLDERS];
  const places = folders.flatMap((folder) =>
    executables.map((executable) => path.join(folder, executable)),
  );
  return [process.env[variable] ?? '', ...places].find(isExecutable);
};

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return file !== '';
  } catch {
    return false;
  }
};

/**
 * Installs one by apt where there is none and we may. Before the test processes begin, since two of them would
 * fight for apt's locks; a failure is left to the tests that need it.
 */
export const provideSystemPackage = (wanted: SystemPackage): void => {
  if (find(wanted) !== undefined || process.getuid?.() !== 0) return;
  console.log(`Installing ${wanted.name} for the tests that need it …`);
  spawnSync('sh', ['-c', quietly(installing(wanted))], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: INSTALL_TIMEOUT,
  });
};

/** Where it is; fails with what to do when it is nowhere. */
export const executableOf = (wanted: SystemPackage): string => {
  const executable = find(wanted);
  if (executable !== undefined) return executable;
  throw new Error(
    `These tests need ${wanted.name}. Install it, as root:\n\n  ${installing(wanted)}\n\nor name one by the environment variable ${wanted.variable}.`,
  );
};
