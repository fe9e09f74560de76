/** Redis and PostgreSQL for one run: on free ports, in scratch folders, each with a disk write for every commit. */
import { spawnSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { freePort } from '../machine.mjs';
import { find } from './install.mjs';
import { OTHERS, pause, scratch, start } from './process.mjs';

const untilUp = async (port, { child }) => {
  for (let left = 400; left > 0 && child.exitCode === null; left--) {
    const isUp = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.on('error', () => resolve(false)).on('connect', () => socket.destroy());
    });
    if (isUp) return;
    await pause(25);
  }
  throw new Error(`${child.spawnargs.join(' ')} does not listen`);
};

/** `appendfsync`: when it writes to the disk; `always` with every commit, `everysec` as it comes. */
export const startRedis = async ({ appendfsync = 'always' } = {}) => {
  const { folder, remove } = scratch();
  const port = await freePort();
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: folder,
    appendonly: 'yes',
    appendfsync,
    save: '',
    'maxmemory-policy': 'noeviction',
  };
  const server = start(
    find('redis-server'),
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`]),
    { core: OTHERS, folder },
  );
  await untilUp(port, server);
  return { port, pid: server.pid, stop: () => stop(server, remove) };
};

/** Nobody may run it as root: then as the user that its package has made. */
export const startPostgres = async () => {
  const { folder, remove } = scratch();
  const port = await freePort();
  const owner = ownerOf(folder);
  const data = path.join(folder, 'data');
  const { status, stderr } = spawnSync(
    find('initdb'),
    ['--pgdata', data, '--username', 'bench', '--auth', 'trust', '--encoding', 'UTF8'],
    { ...owner, cwd: folder },
  );
  if (status !== 0) throw new Error(`initdb: ${stderr}`);
  const server = start(
    find('postgres'),
    ['-D', data, '-p', `${port}`, '-h', '127.0.0.1', '-k', folder, '-c', 'fsync=on'],
    { core: OTHERS, folder, owner, quiet: true },
  );
  await untilUp(port, server);
  return {
    url: `postgresql://bench@127.0.0.1:${port}/bench`,
    pid: server.pid,
    stop: () => stop(server, remove, 'SIGQUIT'),
  };
};

const ownerOf = (folder) => {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
  const owner = { uid: idOf('-u'), gid: idOf('-g') };
  chownSync(folder, owner.uid, owner.gid);
  return owner;
};

const stop = async (server, remove, signal) => {
  await server.kill(signal);
  remove();
};
