/** A real HAProxy for tests: several backends, each behind a path of its own, on one socket. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { executableOf, provideSystemPackage, type SystemPackage } from './system-package';
import { startSystemProcess } from './system-process';

const HAPROXY: SystemPackage = { name: 'haproxy', executables: ['haproxy'], variable: 'HAPROXY' };

export const provideHaproxy = (): void => provideSystemPackage(HAPROXY);

export interface Haproxy {
  /** The socket; `/<name>` goes to the backend of that name, as does whatever names it in `x-upstream`. */
  readonly path: string;
  stop(): Promise<void>;
}

/** Every answer tells in `x-owner` which server was chosen, by its name. */
export const startHaproxy = async (
  /** The lines of each `backend`, by name. */
  backends: Readonly<Record<string, readonly string[]>>,
): Promise<Haproxy> => {
  const executable = executableOf(HAPROXY);
  const folder = mkdtempSync(path.join(tmpdir(), 'haproxy-'));
  const listens = path.join(folder, 'socket');
  const file = path.join(folder, 'haproxy.cfg');
  writeFileSync(file, configuration(backends, listens));
  const args = ['-f', file, '-db', '-q'];
  const { stop } = await startSystemProcess({ executable, args, folder, listens });
  return { path: listens, stop };
};

const configuration = (backends: Readonly<Record<string, readonly string[]>>, listens: string) => `
global
  nbthread 1
  maxconn 256
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 10s
  http-reuse always
frontend all
  bind ${listens}
  use_backend %[req.hdr(x-upstream)] if { req.hdr(x-upstream) -m found }
  use_backend %[path,field(2,/)]
${Object.entries(backends)
  .map(
    ([name, lines]) =>
      `backend ${name}\n  http-response set-header x-owner %[srv_name]\n${lines.map((line) => `  ${line}\n`).join('')}`,
  )
  .join('')}`;
