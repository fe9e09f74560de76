/**
 * node client.cjs PORT DIALECT: issues and verifies, as often at once as a message { operation, concurrency, seconds }
 * says, and answers with { runs, seconds, p50, p99 }, the latencies in ms.
 *
 *   pair    issues, waits for the code, verifies it
 *   issue   issues; ends once all codes have come
 *   wrong   verifies wrong codes, for what was issued last, as often for each as a wrong code is compared
 */
const { createServer } = require('node:net');
const { DIALECTS } = require('./dialects.cjs');
const { open } = require('./connection.cjs');

const [port, name] = process.argv.slice(2);
const dialect = DIALECTS[name];
const { statuses } = dialect;
/** The fifth wrong guess is the last, with each of them. */
const GUESSES = 5;

const codes = new Map();
const waiting = new Map();
const codeOf = (to) =>
  new Promise((resolve) => {
    const code = codes.get(to);
    if (code === undefined) waiting.set(to, resolve);
    else resolve(code);
  });
const take = (to, code) => {
  const waits = waiting.get(to);
  waiting.delete(to);
  if (waits) waits(code);
  else codes.set(to, code);
};

const sink = createServer((socket) => {
  let pending = '';
  socket.setEncoding('utf8').on('data', (part) => {
    const lines = (pending + part).split('\n');
    pending = lines.pop();
    for (const line of lines) take(...line.split(' '));
  });
});

let names = 0;
let issued = [];

const ask = async ({ post }, { path, body }, expected) => {
  const { status, text } = await post(path, JSON.stringify(body));
  if (status !== expected) throw new Error(`${path} ${JSON.stringify(body)}: ${status} ${text}`);
  return text;
};
const issue = async (connection, to) => {
  const text = await ask(connection, dialect.issue(to), statuses.issued);
  return dialect.told?.(JSON.parse(text));
};
const wrongOf = (code) => code.slice(0, -1) + ((Number(code.at(-1)) + 1) % 10);

const OPERATIONS = {
  pair: async (connection, worker) => {
    const to = dialect.pairFor(names++, worker);
    const told = await issue(connection, to);
    const code = await codeOf(to);
    codes.delete(to);
    await ask(connection, dialect.verify(to, code, told), statuses.verified);
    return true;
  },
  issue: async (connection) => {
    const to = dialect.to(names++);
    issued.push({ to, told: await issue(connection, to), left: GUESSES });
    return true;
  },
  wrong: async (connection) => {
    const one = issued.at(-1);
    if (!one) return false;
    if (--one.left === 0) issued.pop();
    const request = dialect.verify(one.to, wrongOf(codes.get(one.to)), one.told);
    await ask(connection, request, statuses.wrong);
    return true;
  },
};

const run = async ({ operation, concurrency, seconds }) => {
  // Those of the question before may have been closed: other servers were asked meanwhile.
  const connections = [];
  while (connections.length < concurrency)
    connections.push(await open(Number(port), dialect.headers));
  if (operation === 'issue') {
    issued = [];
    codes.clear();
  }
  const latencies = [];
  const started = performance.now();
  const end = started + seconds * 1000;
  const work = async (connection, worker) => {
    for (let at = performance.now(); at < end; ) {
      if (!(await OPERATIONS[operation](connection, worker))) return;
      const now = performance.now();
      latencies.push(now - at);
      at = now;
    }
  };
  await Promise.all(connections.map(work));
  if (operation === 'issue')
    await Promise.all(issued.map(({ to }) => codeOf(to).then((code) => codes.set(to, code))));
  for (const { close } of connections) close();
  const elapsed = (performance.now() - started) / 1000;
  const sorted = Float64Array.from(latencies).sort();
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  process.send({ runs: sorted.length, seconds: elapsed, p50: at(0.5), p99: at(0.99) });
};

process.on('message', run);
process.on('disconnect', () => process.exit());
sink.listen(Number(process.env.SINK_PORT), '127.0.0.1', () => process.send('ready'));
