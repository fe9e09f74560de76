/**
 * node bench/two-factor-timing.mjs [--samples=N]
 *
 * Whether the time of an answer tells who a user is: unknown, known, locked or phoneless. Each user is asked for once,
 * in random order, on one host over a SQLite file, whose messages go to a peer that stands for Twilio; both are processes
 * of their own. Prints medians, their gaps, and how well the best threshold would tell one kind from those that nobody
 * knows; fails when a gap of medians is 0.5 ms or more, or answers differ in their bytes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { describeMachine, freePort, spawnServer, takeClientCore } from './machine.mjs';
import { bundled, bundlePrograms } from './two-factor-timing/bundles.mjs';
import { prepare, SETTINGS } from './two-factor-timing/prepare.mjs';
import { compare, shuffle } from './two-factor-timing/statistics.mjs';

/** Between two requests, so that what the host does behind an answer is not measured with the next. ms */
const PAUSE = 2;
const WARM_UP = 300;
const LIMIT = 0.5;

const { values } = parseArgs({ options: { samples: { type: 'string', default: '2000' } } });
const samples = Number(values.samples);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** As bytes, with what must differ replaced by as many letters. */
const shapeOf = ({ statusCode, rawHeaders }, body) => {
  const headers = rawHeaders.filter(
    (_, i, all) => !/^(date|x-request-id)$/i.test(all[i - (i % 2)]),
  );
  const alike = body
    .replace(/"challenge":"([\w-]+)"/, (_, id) => `"challenge":"${'*'.repeat(id.length)}"`)
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (instant) => '*'.repeat(instant.length));
  return JSON.stringify([statusCode, headers, alike]);
};

const startPeer = async () => {
  const child = spawn(process.execPath, [bundled('peer')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, account: JSON.parse((await lines.next()).value) };
};

const main = async () => {
  await bundlePrograms();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'two-factor-timing-'));
  const { child: peer, account } = await startPeer();
  const port = await freePort();
  let host;
  try {
    const store = path.join(folder, 'store.db');
    const secret = 'a secret of this benchmark with 32 characters';
    const people = await prepare({ store, secret, samples: samples + WARM_UP / 3 });
    host = spawnServer([bundled('host')], {
      folder,
      preferred: true,
      environment: {
        ...{ PORT: `${port}`, FUNCTION_TARGET: 'two-factor', LOG_LEVEL: 'info' },
        ...{ STORE_URL: `sqlite:${store}`, SECRET_KEY: secret },
        ...{ TWILIO_BASE_URL: account.url, TWILIO_ACCOUNT_SID: account.accountSid },
        ...{ TWILIO_AUTH_TOKEN: account.authToken, TWILIO_FROM: '+15005550006' },
        ...SETTINGS,
      },
    });
    takeClientCore({ preferred: true });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const ask = (user) =>
      new Promise((resolve, reject) => {
        const body = JSON.stringify({ user });
        const headers = { 'content-type': 'application/json', 'content-length': body.length };
        const options = { port, host: '127.0.0.1', path: '/two-factor', method: 'POST', agent };
        const request = http.request({ ...options, headers }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part) => {
            text += part;
          });
          response.on('end', () =>
            resolve({ took: performance.now() - begun, shape: shapeOf(response, text) }),
          );
        });
        request.on('error', reject);
        let begun = 0;
        request.once('socket', () => {
          begun = performance.now();
        });
        request.end(body);
      });
    for (let tries = 0; tries < 200; tries++) {
      const isUp = await ask('first').then(
        () => true,
        () => pause(50),
      );
      if (isUp) break;
    }
    const times = Object.fromEntries(Object.keys(people).map((kind) => [kind, []]));
    const shapes = new Set();
    const order = Object.entries(people).flatMap(([kind, users]) =>
      users.map((user) => ({ kind, user })),
    );
    const asked = shuffle(order);
    for (const [i, { kind, user }] of asked.entries()) {
      const { took, shape } = await ask(user);
      shapes.add(shape);
      if (i >= WARM_UP && times[kind].length < samples) times[kind].push(took);
      await pause(PAUSE);
    }
    console.log(describeMachine());
    const { table, widest } = compare(times, 'unknown');
    console.log(`\n${table}`);
    console.log(
      `\n${shapes.size === 1 ? 'All answers' : 'NOT all answers'} are the same to the byte, ids and instants aside.`,
    );
    if (shapes.size !== 1) console.log([...shapes].join('\n'));
    if (shapes.size !== 1 || widest >= LIMIT) process.exitCode = 1;
  } finally {
    host?.kill();
    if (host && host.exitCode === null) await once(host, 'close');
    peer.kill();
    rmSync(folder, { recursive: true, force: true });
  }
};

await main();
process.exit();
