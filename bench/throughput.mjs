/** CPU time a request and requests a second of each server, under the same load from another process. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { cpuTime, freePort, root, spawnServer } from './machine.mjs';
import { THROUGHPUT, THROUGHPUT_BODY } from './servers.mjs';

const SECONDS = 2;

/** All servers wait while one is under load; a round loads each in turn. */
export const throughput = async ({ rounds = 7 }) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'faas-patterns-bench-'));
  const running = [];
  try {
    for (const [name, { args, environment = {} }] of Object.entries(THROUGHPUT)) {
      const port = await freePort();
      const child = spawnServer(args, { folder, environment: { ...environment, PORT: `${port}` } });
      running.push({ name, port, child, cpu: [], rate: [] });
    }
    await checkAnswers(running);
    // Not counted: the code becomes hot.
    for (const { port } of running) await load(port, SECONDS);
    for (let round = 0; round < rounds; round++)
      for (const { port, child, cpu, rate } of running) {
        const before = cpuTime(child.pid);
        const { requests, seconds } = await load(port, SECONDS);
        cpu.push((cpuTime(child.pid) - before) / requests);
        rate.push(requests / seconds);
      }
  } finally {
    for (const { child } of running) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
  return running;
};

/** Who answers less does less. */
const checkAnswers = async (running) => {
  const answers = [];
  for (const { name, port } of running) {
    const answer = await askUntilUp(port);
    answers.push(answer);
    if (answer !== answers[0]) throw new Error(`${name} answers ${answer}, not ${answers[0]}`);
  }
};

const askUntilUp = async (port) => {
  for (let left = 400; ; left--)
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: '', 'user-agent': '' },
        body: THROUGHPUT_BODY,
      });
      const { method, path, query, body } = await answer.json();
      return JSON.stringify({ method, path, query, body: sorted(body) });
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
};

const sorted = (body) => Object.fromEntries(Object.entries(body).sort());

const load = async (port, seconds) => {
  const child = spawn(
    process.execPath,
    [path.join(root, 'bench/load.mjs'), `${port}`, `${seconds}`, THROUGHPUT_BODY],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return JSON.parse(output);
};
