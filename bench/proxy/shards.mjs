/** Five shards, as one nginx on five ports: they cost as little as can be, so that the proxies show. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort } from '../machine.mjs';
import { OTHERS, scratch, start } from '../pipelines/process.mjs';
import { find } from './install.mjs';
import { untilUp } from './up.mjs';

const SHARDS = 5;
/** 106 bytes. */
export const BODY = JSON.stringify({ shard: 'one of five', note: 'x'.repeat(71) });

export const NGINX_TEMPORARY = (folder) =>
  ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(' ');

export const startShards = async () => {
  const { folder, remove } = scratch();
  const ports = [];
  for (let i = 0; i < SHARDS; i += 1) ports.push(await freePort());
  const file = path.join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr emerg;
events { worker_connections 4096; }
http {
  access_log off; ${NGINX_TEMPORARY(folder)}
  keepalive_requests 1000000000; keepalive_timeout 3600;
  server {
    ${ports.map((port) => `listen 127.0.0.1:${port};`).join(' ')}
    location / { default_type application/json; return 200 '${BODY}'; }
  }
}
`,
  );
  const server = start(find('nginx'), ['-p', folder, '-c', file, '-e', 'stderr'], {
    core: OTHERS,
    folder,
  });
  for (const port of ports) await untilUp(port, server);
  const stop = async () => {
    await server.kill();
    remove();
  };
  return { ports, stop };
};
