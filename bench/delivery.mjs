/**
 * node bench/delivery.mjs [cost | hostile]
 *
 * Prints what a delivery costs beside node:http and plain axios, and by how much hostile receivers stretch one.
 */
import { spawn } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import http, { createServer } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { describeMachine, freePort, root, spawnServer, takeClientCore } from './machine.mjs';

const ROUNDS = 5;
const CALLS = 4_000;
const DEADLINE = 300;
const MIB = 1_048_576;
const self = fileURLToPath(import.meta.url);

/** The path of a TypeScript file as a script. */
const bundle = (entry) => {
  const outfile = path.join(
    root,
    'node_modules/.cache/faas-patterns-bench',
    `${path.basename(entry, '.ts')}.cjs`,
  );
  buildSync({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'error',
  });
  return outfile;
};

const load = createRequire(import.meta.url);
const listen = async (server) => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
};
const tableOf = (rows) => rows.map((row) => `| ${row.join(' | ')} |`).join('\n');

/** A receiver in a process of its own, so that its work is not billed to the sender. */
const serve = () => {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"ok":true}');
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(Number(process.argv[3]), '127.0.0.1');
};

const senders = (url) => {
  const { deliver } = load(bundle('shared/webhook/deliver.ts'));
  const { unguarded } = load(bundle('shared/webhook/guard.ts'));
  const axios = load('axios');
  // One for all calls, as a process has one for its end: to make one for each costs a third of a call.
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  const body = Buffer.from('{"username":"ada","email":"ada@example.com"}');
  const headers = {
    'content-type': 'application/json',
    'ce-specversion': '1.0',
    'ce-id': 'dG8gYmUgb3Igbm90IHRvIA:welcome',
    'ce-type': 'signup.welcome',
    'ce-source': '/signup/runs',
    'ce-time': '2026-01-02T03:04:05.678Z',
    'idempotency-key': 'dG8gYmUgb3Igbm90IHRvIA:welcome',
    'webhook-id': 'dG8gYmUgb3Igbm90IHRvIA:welcome',
    'webhook-timestamp': '1767323045',
    'webhook-signature': `v1,${'a'.repeat(43)}=`,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  };
  // The same bounds for all: idle sockets that go in time, and a deadline for each call.
  const agentOf = () => new http.Agent({ keepAlive: true, timeout: 4_000, maxFreeSockets: 64 });
  const [plainAgent, httpAgent] = [agentOf(), agentOf()];
  const client = axios.create({
    adapter: 'http',
    httpAgent,
    maxRedirects: 0,
    proxy: false,
    decompress: false,
    timeout: 10_000,
    validateStatus: () => true,
  });
  return {
    'node:http': () =>
      new Promise((resolve, reject) => {
        const options = {
          method: 'POST',
          agent: plainAgent,
          headers: { ...headers, 'content-length': body.length },
        };
        const request = http.request(url, options, (answer) => {
          const parts = [];
          answer.on('data', (part) => parts.push(part));
          answer.on('error', reject);
          answer.on('end', () => {
            clearTimeout(deadline);
            resolve(Buffer.concat(parts));
          });
        });
        const deadline = setTimeout(() => request.destroy(), 10_000);
        request.on('error', reject);
        request.end(body);
      }),
    'axios.post': () => client.post(url, body, { headers, responseType: 'arraybuffer' }),
    deliver: async () => {
      const { status } = await deliver({
        url,
        headers,
        body,
        timeout: 10_000,
        signal,
        guard: unguarded,
      });
      if (status !== 200) throw new Error('not delivered');
    },
  };
};

/** µs of CPU and of wall time a call. */
const measure = async (send, concurrency) => {
  for (let i = 0; i < CALLS / 4; i++) await send();
  let left = CALLS;
  const cpu = process.cpuUsage();
  const start = performance.now();
  const worker = async () => {
    while (left-- > 0) await send();
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const elapsed = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { cpu: (user + system) / CALLS, wall: (elapsed * 1_000) / CALLS };
};

const costTable = async () => {
  const port = await freePort();
  const server = spawnServer([self, '--serve', `${port}`], {});
  const all = senders(`http://127.0.0.1:${port}/hook`);
  while (!(await all['node:http']().catch(() => undefined)))
    await new Promise((resolve) => setTimeout(resolve, 50));
  const rows = [];
  for (const concurrency of [1, 16, 64]) {
    const best = {};
    for (let round = 0; round < ROUNDS; round++)
      for (const [name, send] of Object.entries(all)) {
        const { cpu, wall } = await measure(send, concurrency);
        best[name] ??= { cpu, wall };
        best[name] = { cpu: Math.min(best[name].cpu, cpu), wall: Math.min(best[name].wall, wall) };
      }
    for (const [name, { cpu, wall }] of Object.entries(best)) {
      const ratio = (cpu / best['node:http'].cpu).toFixed(2);
      rows.push([concurrency, name, cpu.toFixed(0), ratio, Math.round(1e6 / wall)]);
    }
  }
  server.kill();
  return tableOf([
    ['at once', 'a small POST with', 'CPU µs a call', '÷ node:http', 'calls a second'],
    ['---:', '---', '---:', '---:', '---:'],
    ...rows,
  ]);
};

/** Each in turn, from a process of its own that begins anew for every receiver. */
const hostileTable = async () => {
  const { hostiles, serveHostile } = load(bundle('test/shared/webhook/hostile.ts'));
  const script = bundle('test/shared/webhook/delivery-child.ts');
  const rows = [];
  for (const hostile of hostiles()) {
    const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const deliver = async (url, timeout) => {
      child.stdin.write(`${JSON.stringify({ url, allow: '127.0.0.1', timeout })}\n`);
      return JSON.parse((await lines.next()).value);
    };
    const good = createServer((request, response) =>
      request.resume().on('end', () => response.end()),
    );
    const usual = `http://127.0.0.1:${await listen(good)}/`;
    let before = 0;
    for (let i = 0; i < 50; i++) before = (await deliver(usual, 5_000)).peak;
    const server = serveHostile(hostile);
    const url = `${hostile.scheme ?? 'http'}://127.0.0.1:${await listen(server)}/`;
    let [ended, elapsed, over, growth] = ['', 0, 0, 0];
    for (let round = 0; round < ROUNDS; round++) {
      const told = await deliver(url, DEADLINE);
      ended = told.delivery.error ?? told.delivery.status;
      elapsed = Math.max(elapsed, told.elapsed);
      over = Math.max(over, told.elapsed - Math.max(DEADLINE, told.bare ?? 0));
      growth = Math.max(growth, told.peak - before);
    }
    rows.push([
      hostile.name,
      ended,
      elapsed.toFixed(1),
      over.toFixed(1),
      (growth / MIB).toFixed(1),
    ]);
    child.kill();
    good.close();
    good.closeAllConnections();
    server.close();
  }
  return tableOf([
    ['a receiver with', 'ends as', 'ms', 'beyond a bare timer', 'MiB more'],
    ['---', '---', '---:', '---:', '---:'],
    ...rows,
    [`most of ${ROUNDS}, deadline ${DEADLINE} ms`, '', '', '', ''],
  ]);
};

const [asked] = process.argv.slice(2);
if (asked === '--serve') serve();
else {
  takeClientCore();
  console.log(describeMachine());
  if (asked !== 'hostile') console.log(`\n${await costTable()}`);
  if (asked !== 'cost') console.log(`\n${await hostileTable()}`);
  process.exit();
}
