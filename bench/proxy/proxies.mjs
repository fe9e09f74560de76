/** Who stands in between: each on a port of its own, with the same shards behind. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../machine.mjs';
import { MEASURED, scratch, start } from '../pipelines/process.mjs';
import { find, provideProxies } from './install.mjs';
import { NGINX_TEMPORARY } from './shards.mjs';
import { untilUp } from './up.mjs';

const PEERS = path.join(path.dirname(fileURLToPath(import.meta.url)), 'peers');
/** The rates are to be those of a network that never refuses. */
const OPEN_FILES = 8_192;

const nginx = ({ port, shards, folder }) => {
  const file = path.join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr emerg;
worker_rlimit_nofile ${OPEN_FILES};
events { worker_connections 4096; }
http {
  access_log off; ${NGINX_TEMPORARY(folder)}
  keepalive_requests 1000000000; keepalive_timeout 3600;
  upstream shards {
    hash $arg_key consistent;
    ${shards.map((shard) => `server 127.0.0.1:${shard};`).join(' ')}
    keepalive 256; keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://shards; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`,
  );
  return { command: find('nginx'), args: ['-p', folder, '-c', file, '-e', 'stderr'] };
};

const haproxy = ({ port, shards, folder }) => {
  const file = path.join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 2048
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  http-reuse always
frontend all
  bind 127.0.0.1:${port}
  default_backend shards
backend shards
  balance url_param key
  hash-type consistent
${shards.map((shard, i) => `  server s${i} 127.0.0.1:${shard} weight 100`).join('\n')}
`,
  );
  return { command: find('haproxy'), args: ['-f', file, '-db', '-q'] };
};

/** The function of this suite, alone on the node host, in production. */
const router =
  (more) =>
  ({ port, shards, program }) => ({
    command: process.execPath,
    args: [program],
    environment: {
      PORT: `${port}`,
      HOST: '127.0.0.1',
      NODE_ENV: 'production',
      LOG_LEVEL: 'warn',
      PUBLIC_URL: 'http://localhost',
      SECRET_KEY: '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
      FUNCTION_TARGET: 'shard-router',
      SHARD_ROUTER_CONFIG: JSON.stringify({
        mode: 'nginx-consistent',
        shards: shards.map((shard) => ({ address: `127.0.0.1:${shard}` })),
        key: { query: 'key' },
        ...more,
      }),
    },
  });

const peer =
  (name) =>
  ({ port, shards }) => ({
    command: process.execPath,
    args: [path.join(PEERS, `${name}.cjs`)],
    environment: {
      PORT: `${port}`,
      SHARDS: shards.map((shard) => `http://127.0.0.1:${shard}`).join(','),
      NODE_ENV: 'production',
    },
  });

export const NGINX = 'nginx, hash … consistent';

/** Each with the status of its answers. */
const ALL = {
  [NGINX]: { of: nginx, status: 200 },
  'HAProxy, hash-type consistent': { of: haproxy, status: 200 },
  'shard-router, node host': { of: router({}), status: 200 },
  'undici dispatch, by hand': { of: peer('undici'), status: 200 },
  'http-proxy-3': { of: peer('http-proxy-3'), status: 200 },
  '@fastify/http-proxy': { of: peer('fastify-http-proxy'), status: 200 },
  'shard-router, answer: lookup': { of: router({ answer: 'lookup' }), status: 200 },
  'shard-router, answer: redirect': { of: router({ answer: 'redirect' }), status: 307 },
};

/** `only`: those whose name holds this text. */
export const startProxies = async ({ program, shards, only = '' }) => {
  provideProxies();
  const started = [];
  for (const [name, { of, status }] of Object.entries(ALL)) {
    if (!name.includes(only)) continue;
    const { folder, remove } = scratch();
    const port = await freePort();
    const { command, args, environment } = of({ port, shards, folder, program });
    const server = start(command, args, { core: MEASURED, folder, environment });
    await untilUp(port, server);
    const stop = async () => {
      await server.kill();
      remove();
    };
    started.push({ name, port, pid: server.pid, status, stop, figures: [] });
  }
  return started;
};
