/** A real twemproxy for tests: several pools, each on a socket of its own. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './restate';
import { executableOf, provideSystemPackage, type SystemPackage } from './system-package';
import { startSystemProcess } from './system-process';

const NUTCRACKER: SystemPackage = {
  name: 'nutcracker',
  executables: ['nutcracker'],
  variable: 'NUTCRACKER',
};

export const provideNutcracker = (): void => provideSystemPackage(NUTCRACKER);

export interface Nutcracker {
  /** The socket of a pool. */
  pathOf(pool: string): string;
  stop(): Promise<void>;
}

export interface NutcrackerPool {
  /** Such as `{ hash: 'md5', distribution: 'ketama' }`. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** As in its configuration: `host:port:weight name`. */
  readonly servers: readonly string[];
}

export const startNutcracker = async (
  pools: Readonly<Record<string, NutcrackerPool>>,
): Promise<Nutcracker> => {
  const executable = executableOf(NUTCRACKER);
  const folder = mkdtempSync(path.join(tmpdir(), 'nutcracker-'));
  const pathOf = (pool: string) => path.join(folder, `${pool}.socket`);
  const file = path.join(folder, 'nutcracker.yml');
  const names = Object.keys(pools);
  writeFileSync(
    file,
    names.map((name) => configuration(name, pools[name] as NutcrackerPool, pathOf(name))).join(''),
  );
  const statistics = `${await freePort()}`;
  const { stop } = await startSystemProcess({
    executable,
    args: [
      '-c',
      file,
      '-v',
      '3',
      '-p',
      path.join(folder, 'pid'),
      '-a',
      '127.0.0.1',
      '-s',
      statistics,
    ],
    folder,
    listens: pathOf(names.at(-1) as string),
  });
  return { pathOf, stop };
};

const configuration = (name: string, { settings, servers }: NutcrackerPool, listens: string) => `
${name}:
  listen: ${listens}
  redis: true
${Object.entries(settings)
  .map(([key, value]) => `  ${key}: ${typeof value === 'string' ? JSON.stringify(value) : value}`)
  .join('\n')}
  servers:
${servers.map((server) => `   - ${server}`).join('\n')}
`;
