/** A real nginx for tests: several upstreams, each behind a path of its own, on one socket. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { executableOf, provideSystemPackage, type SystemPackage } from './system-package';
import { startSystemProcess } from './system-process';

const NGINX: SystemPackage = { name: 'nginx', executables: ['nginx'], variable: 'NGINX' };

export const provideNginx = (): void => provideSystemPackage(NGINX);

/** Such as `[1, 22, 1]`. */
export const nginxVersion = (): readonly number[] => {
  const { stderr } = spawnSync(executableOf(NGINX), ['-v'], { encoding: 'utf8' });
  return (/nginx\/([\d.]+)/.exec(stderr)?.[1] ?? '').split('.').map(Number);
};

export interface Nginx {
  /** The socket; `/<name>` goes to the upstream of that name, any other path to that which `x-upstream` names. */
  readonly path: string;
  stop(): Promise<void>;
}

export interface NginxOptions {
  /** What else stands inside `http { … }`. @default nothing */
  readonly http?: string;
  /** `proxy_next_upstream`: in which cases another server is tried. @default off */
  readonly nextUpstream?: string;
}

/** Every answer tells in `x-owner` which server was chosen, whether it was there or not. */
export const startNginx = async (
  /** What stands inside `upstream { … }`, by name. */
  upstreams: Readonly<Record<string, string>>,
  options: NginxOptions = {},
): Promise<Nginx> => {
  const executable = executableOf(NGINX);
  const folder = mkdtempSync(path.join(tmpdir(), 'nginx-'));
  const listens = path.join(folder, 'socket');
  const file = path.join(folder, 'nginx.conf');
  writeFileSync(file, configuration(upstreams, folder, listens, options));
  const args = ['-p', folder, '-c', file, '-e', 'stderr'];
  const { stop } = await startSystemProcess({ executable, args, folder, listens });
  return { path: listens, stop };
};

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

const configuration = (
  upstreams: Readonly<Record<string, string>>,
  folder: string,
  listens: string,
  { http = '', nextUpstream = 'off' }: NginxOptions,
): string => {
  const names = Object.keys(upstreams);
  return `
daemon off; master_process off; pid ${folder}/pid; error_log stderr emerg;
events { worker_connections 512; }
http {
  access_log off;
  ${TEMPORARY.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  large_client_header_buffers 4 16k;
  ${http}
  ${names.map((name) => `upstream ${name} { ${upstreams[name]} }`).join('\n  ')}
  server {
    listen unix:${listens};
    keepalive_requests 1000000;
    proxy_next_upstream ${nextUpstream};
    add_header x-owner $upstream_addr always;
    location / { proxy_pass http://$http_x_upstream; }
    ${names.map((name) => `location /${name} { proxy_pass http://${name}; }`).join('\n    ')}
  }
}
`;
};
