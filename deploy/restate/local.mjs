/**
 * A Restate server on this machine, to try the restate engine: with its data in .data/restate, until Ctrl-C.
 *
 *   node deploy/restate/local.mjs
 *
 * Not for production: one node, small, open to this machine alone.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const INGRESS = 18080;
const ADMIN = 9070;
const ENDPOINT = 9080;

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const peers = path.join(root, 'test/peers/restate');
const server = path.join(
  peers,
  `node_modules/@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`,
);
const data = path.resolve('.data/restate');

if (!existsSync(server))
  // No scripts: one of the packages behind would report the installation.
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: peers,
    stdio: 'inherit',
  });

const config = path.join(data, 'restate.toml');
mkdirSync(data, { recursive: true });
writeFileSync(
  config,
  `cluster-name = "local"
node-name = "local"
base-dir = ${JSON.stringify(data)}
bind-ip = "127.0.0.1"
listen-mode = "tcp"
default-num-partitions = 4
rocksdb-total-memory-size = "96MB"
disable-telemetry = true
log-filter = "warn"
[worker.invoker]
memory-limit = "128MB"
[bifrost]
record-cache-memory-size = "16MB"
[admin.query-engine]
memory-size = "64MB"
[admin]
bind-port = ${ADMIN}
[ingress]
bind-port = ${INGRESS}
`,
);

const child = spawn(server, ['--config-file', config], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
child.once('exit', (code) => process.exit(code ?? 1));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));

const isUp = () =>
  fetch(`http://127.0.0.1:${ADMIN}/health`).then(
    ({ ok }) => ok,
    () => false,
  );
while (!(await isUp())) await new Promise((resolve) => setTimeout(resolve, 100));
console.log(`
Restate is there; its page is http://localhost:${ADMIN}/ui/. In another terminal:

  NODE_PATH=${path.relative(process.cwd(), path.join(peers, 'node_modules'))} \\
  ENGINE_URL=restate+http://127.0.0.1:${INGRESS} RESTATE_PORT=${ENDPOINT} npm start
`);
