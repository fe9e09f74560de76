/** The machine, and how to keep its noise out of the figures. */
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

const works = (command, ...args) => spawnSync(command, args).status === 0;

/** One core for what is measured and one for what measures, where there are two and `taskset` can give them. */
const CAN_PIN = os.cpus().length > 1 && works('taskset', '-c', '0', 'true');
/** Ahead of whatever else the machine does, where we may: else a busy machine adds what is not ours. */
const CAN_PREFER = works('chrt', '-r', '5', 'true');

export const describeMachine = () => {
  const [{ model = 'unknown' } = {}] = os.cpus();
  const how = [
    CAN_PIN ? 'server and client pinned to a core each' : 'not pinned',
    CAN_PREFER ? 'cold starts at real-time priority' : 'cold starts at normal priority',
  ];
  return `${os.cpus().length} × ${model.trim()}, ${os.type()} ${process.arch}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}; ${how.join(', ')}.`;
};

/** What goes before a command, so that it runs on these cores only, where we can say so. */
export const onCore = (cores) => (CAN_PIN ? ['taskset', '-c', `${cores}`] : []);

export const ANY_CORE = `0-${os.cpus().length - 1}`;

/** Runs a node script on the core for servers. */
export const spawnServer = (args, { environment, folder, preferred = false }) => {
  const command = [
    ...(preferred && CAN_PREFER ? ['chrt', '-r', '5'] : []),
    ...onCore(1),
    process.execPath,
    ...args,
  ];
  return spawn(command[0], command.slice(1), {
    cwd: folder,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
};

/** Moves this process to the other core, and ahead of the others. */
export const takeClientCore = ({ preferred = false } = {}) => {
  if (CAN_PIN) spawnSync('taskset', ['-acp', '0', `${process.pid}`]);
  if (CAN_PREFER)
    spawnSync('chrt', [
      '-a',
      preferred ? '-r' : '-o',
      '-p',
      preferred ? '5' : '0',
      `${process.pid}`,
    ]);
};

/** Below those that the system gives to outgoing connections, of which there are many here. */
export const freePort = () =>
  new Promise((resolve) => {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer()
      .once('error', () => resolve(freePort()))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(port)));
  });

/** CPU time of a process with all its threads, in µs; Linux only. */
export const cpuTime = (pid) => {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks)
    .map((task) => Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e3)
    .reduce((sum, time) => sum + time, 0);
};
