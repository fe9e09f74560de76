/** Processes of a measurement: what is measured on one core, everything else on the other. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ANY_CORE, cpuTime, onCore } from '../machine.mjs';

/** Of children and folders nothing stays behind, however this ends. */
const running = new Set();
const folders = new Set();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/** A folder of its own, until `remove` or the end. */
export const scratch = () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'faas-patterns-bench-'));
  folders.add(folder);
  return {
    folder,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
      folders.delete(folder);
    },
  };
};

/** What is measured. */
export const MEASURED = 1;
/** Clients, receivers, databases. */
export const OTHERS = 0;

/**
 * Starts a program, by default wherever there is room. `output`: called with each line of its stdout. `quiet`:
 * nobody sees its stderr. `ipc`: with a channel, by which a driver is told what to do. `owner`: { uid, gid }.
 */
export const start = (command, args, options = {}) => {
  const {
    core = ANY_CORE,
    environment = {},
    folder,
    ipc = false,
    quiet = false,
    output,
    owner,
  } = options;
  const [program, ...rest] = [...onCore(core), command, ...args];
  const child = spawn(program, rest, {
    cwd: folder,
    env: { PATH: process.env.PATH, ...environment },
    stdio: [
      'ignore',
      output ? 'pipe' : 'ignore',
      quiet ? 'ignore' : 'inherit',
      ...(ipc ? ['ipc'] : []),
    ],
    ...owner,
  });
  running.add(child);
  // Not its 'close': that does not come once the channel is given up.
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const read = child.stdout && new Promise((resolve) => child.stdout.once('close', resolve));
  const ended = Promise.all([exited, read]).then(([code]) => code);
  void ended.then(() => running.delete(child));
  if (output) readLines(child.stdout, output);
  return {
    child,
    pid: child.pid,
    ended,
    kill: async (signal = 'SIGKILL') => {
      child.kill(signal);
      await ended;
    },
  };
};

export const startNode = (args, options) => start(process.execPath, args, options);

const readLines = (stream, take) => {
  let pending = '';
  stream.setEncoding('utf8').on('data', (part) => {
    const lines = (pending + part).split('\n');
    pending = lines.pop();
    for (const line of lines) take(line);
  });
};

/** How long a child may take beyond what it was asked for, ms. */
const PATIENCE = 60_000;

/** The next message of a child; rejects when it ends without one, or takes too long. */
export const answerOf = ({ child }, patience = PATIENCE) =>
  new Promise((resolve, reject) => {
    const done = (act) => (value) => {
      clearTimeout(late);
      child.off('message', answered);
      child.off('exit', broken);
      act(value);
    };
    const fail = (what) => reject(new Error(`${child.spawnargs.join(' ')} ${what}`));
    const answered = done(resolve);
    const broken = done((code) => fail(`ended with ${code}`));
    const late = setTimeout(
      done(() => fail('does not answer')),
      patience,
    );
    child.once('message', answered);
    child.once('exit', broken);
  });

/** One question, one answer. */
export const ask = async (process, question) => {
  const { seconds = 0 } = question;
  const answer = answerOf(process, seconds * 1000 + PATIENCE);
  process.child.send(question);
  return answer;
};

/** CPU time of processes with all that they have started, in µs. */
export const cpuTimeOf = (pids) => {
  const all = [...pids];
  for (const pid of all) all.push(...childrenOf(pid));
  return all.reduce((sum, pid) => sum + cpuTime(pid), 0);
};

const childrenOf = (pid) =>
  readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number),
  );

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
