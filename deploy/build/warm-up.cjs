/**
 * node warm-up.cjs DIST LIVES [PACKAGE …]
 *
 * Runs servers one after the other, sends each its requests, and writes the code that V8 then has of it, and in the end of the
 * packages. LIVES is JSON: `server`, `requests`, and the `name` of the function where it serves or exports just one.
 */
const { mkdtempSync, writeFileSync } = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const vm = require('node:vm');
const { startPeers } = require('./warm-up-peers.cjs');

const [dist, list, ...packages] = process.argv.slice(2);

/** For a server to be up; for messages that go out after the answer, ms. */
const PATIENCE = 5_000;
const AFTERWARDS = 150;

/** Settings with which a function forwards, and with which it needs Ajv. */
const FORWARDING = {
  'add-defaults': (url) => ({
    ADD_DEFAULTS_TARGET: url,
    // One that the build has not seen.
    ADD_DEFAULTS_SCHEMA: JSON.stringify({ type: 'object', properties: { warm: { default: 1 } } }),
  }),
  'shard-router': (url) => ({
    SHARD_ROUTER_CONFIG: JSON.stringify({
      mode: 'native',
      shards: [{ address: new URL(url).host }],
      key: { path: 2 },
    }),
  }),
};

/** By its file. A server that lives twice is one script. */
const scripts = new Map();
vm.Script = new Proxy(vm.Script, {
  construct: (Script, [text, options]) => {
    const { filename } = options;
    if (!scripts.has(filename)) scripts.set(filename, new Script(text, options));
    return scripts.get(filename);
  },
});

const writeCache = (file) =>
  writeFileSync(file.replace(/\.js$/, '.cache'), scripts.get(file).createCachedData());

const { listen } = http.Server.prototype;

/** The port of the next server that is started, or of one around the function that is exported. */
const start = async (server, name) => {
  const listening = new Promise((resolve, reject) => {
    setTimeout(reject, PATIENCE, new Error(`${server} does not listen`)).unref();
    http.Server.prototype.listen = function (...args) {
      this.once('listening', () => resolve(this.address().port));
      return listen.apply(this, args);
    };
  });
  delete require.cache[server];
  const handle = require(server)[name];
  if (handle)
    http
      .createServer((request, response) => {
        const parts = [];
        request.on('data', (part) => parts.push(part));
        // As the framework does it.
        request.on('end', () => {
          if (parts.length > 0) request.rawBody = Buffer.concat(parts);
          handle(request, response);
        });
      })
      .listen(0);
  const port = await listening;
  http.Server.prototype.listen = listen;
  return port;
};

const ask = (port, { method, path, headers, body }) =>
  new Promise((resolve, reject) => {
    const fields = {
      ...headers,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    http
      .request({ port, path, method, headers: fields, agent: false }, (answer) =>
        answer.resume().on('end', resolve),
      )
      .on('error', reject)
      .end(body === undefined ? undefined : JSON.stringify(body));
  });

const folder = process.cwd();
const base = { ...process.env };
let messages = 0;

const live = async ({ server, name, requests, settings, waits }) => {
  for (const key of Object.keys(process.env)) delete process.env[key];
  Object.assign(process.env, base, settings);
  // A database is held by one.
  process.chdir(mkdtempSync(`${folder}/`));
  const port = await start(path.join(dist, `${server}.cjs`), name);
  const before = messages;
  for (const request of requests) await ask(port, request);
  const end = Date.now() + AFTERWARDS;
  while (waits && messages === before && Date.now() < end)
    await new Promise((resolve) => setTimeout(resolve, 5));
};

/** The scripts of the bundles whose paths begin so. */
const scriptsOf = (beginning) =>
  [...scripts.keys()].filter((file) => file.startsWith(`${path.join(dist, beginning)}.`));

const warmUp = async () => {
  const { url, senders } = await startPeers(() => {
    messages += 1;
  });
  for (const one of JSON.parse(list)) {
    await live({ ...one, settings: { ...senders, FUNCTIONS_URL: url }, waits: true });
    const forwarding = FORWARDING[one.name]?.(url);
    if (forwarding) await live({ ...one, settings: forwarding });
    // At once: V8 forgets what has not run for a while.
    for (const file of scriptsOf(one.server)) writeCache(file);
  }
  for (const file of packages) {
    require(path.join(dist, `${file}.cjs`));
    for (const script of scriptsOf(file)) writeCache(script);
  }
};

warmUp().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
