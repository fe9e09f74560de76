/**
 * `npm run dev`: builds and runs the functions-framework host, builds again when a source changes, and starts the new
 * one when it is built. A source with a mistake changes nothing: the one before goes on.
 */
import { spawn } from 'node:child_process';
import { readdirSync, watch } from 'node:fs';
import path from 'node:path';
import { context } from 'esbuild';
import { bundleOptions, dist, root } from './bundle.mjs';

/** Apart from what `npm run build` makes: this one is quickly built, not quickly started. */
const file = path.join(dist, 'dev/functions-framework.cjs');
const SOURCES = ['functions', 'shared', 'deploy/entry'];
/** Read at start by the server itself. */
const DATA = ['pipelines'];
/** Editors write a file in several steps; ms. */
const SETTLE = 30;
/** How long requests under way may hold up the next version, ms. */
const PATIENCE = 300;

export const develop = async () => {
  const server = createServer();
  const options = await bundleOptions({ bundled: [] });
  const builder = await context({
    ...options,
    entryPoints: ['deploy/entry/functions-framework.ts'],
    outfile: file,
  });
  const rebuild = async () => {
    const started = Date.now();
    try {
      await builder.rebuild();
    } catch {
      // esbuild has said where and what.
      console.error(server.isUp() ? 'Not built; the version before goes on.' : 'Not built.');
      return;
    }
    console.error(`Built in ${Date.now() - started} ms.`);
    await server.restart();
  };
  onChange(SOURCES, oneAtATime(rebuild));
  onChange(DATA, oneAtATime(server.restart));
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, async () => {
      await Promise.all([builder.dispose(), server.stop(signal)]);
      process.exit(0);
    });
  await rebuild();
};

/** The server as a process, one after the other on the same port. */
const createServer = () => {
  let child;
  let ended = Promise.resolve();
  const start = () => {
    const started = spawn(process.execPath, [file], { stdio: 'inherit', cwd: root });
    child = started;
    ended = new Promise((resolve) => {
      started.once('exit', (code) => {
        child = undefined;
        if (code) console.error(`The server ended with ${code}; the next change starts it again.`);
        resolve();
      });
    });
  };
  const stop = async (signal) => {
    child?.kill(signal);
    const late = setTimeout(() => child?.kill('SIGKILL'), PATIENCE);
    await ended;
    clearTimeout(late);
  };
  return {
    isUp: () => child !== undefined,
    stop,
    restart: async () => {
      await stop('SIGTERM');
      start();
    },
  };
};

const onChange = (folders, act) => {
  let timer;
  for (const folder of folders)
    watchTree(path.join(root, folder), () => {
      clearTimeout(timer);
      timer = setTimeout(act, SETTLE);
    });
};

/** Folder by folder: the recursive watch of Node 20 loses sight of a file that an editor replaces. */
const watchTree = (top, tell) => {
  const watched = new Set();
  const look = () => {
    const inside = readdirSync(top, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
    for (const folder of [top, ...inside].filter((one) => !watched.has(one))) {
      watched.add(folder);
      const watcher = watch(folder, () => {
        look();
        tell();
      });
      watcher.on('error', () => watcher.close()).on('close', () => watched.delete(folder));
    }
  };
  look();
};

/** While it runs, any number of calls make one more run. */
const oneAtATime = (act) => {
  let running;
  let again = false;
  const run = async () => {
    do {
      again = false;
      await act();
    } while (again);
    running = undefined;
  };
  return () => {
    if (running) again = true;
    else running = run();
  };
};
