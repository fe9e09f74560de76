/** `npm run dev`: builds and runs the functions-framework host, and does both again on a change. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { context } from 'esbuild';
import { bundleOptions, dist, root } from './bundle.mjs';

/** Apart from what `npm run build` makes: this one is quickly built and not quickly started. */
const file = path.join(dist, 'dev/functions-framework.cjs');

export const watch = async () => {
  let child;
  let stopping = false;
  const start = () => {
    child = spawn(process.execPath, [file], { stdio: 'inherit', cwd: root });
    child.once('exit', (code) => {
      child = undefined;
      if (!stopping && code) console.error(`The server ended with ${code}; waiting for a change.`);
    });
  };
  const restart = {
    name: 'restart',
    setup: ({ onEnd, onStart }) => {
      let since;
      onStart(() => {
        since = Date.now();
      });
      onEnd(({ errors }) => {
        if (stopping) return;
        if (errors.length > 0) {
          console.error(child ? 'Not built; the version before goes on.' : 'Not built.');
          return;
        }
        console.error(`Built in ${Date.now() - since} ms.`);
        if (!child) return start();
        child.once('exit', start);
        child.kill('SIGTERM');
      });
    },
  };
  const options = await bundleOptions({ bundled: [] });
  const watcher = await context({
    ...options,
    entryPoints: ['deploy/entry/functions-framework.ts'],
    outfile: file,
    plugins: [...options.plugins, restart],
  });
  await watcher.watch();
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, async () => {
      stopping = true;
      await watcher.dispose();
      if (!child) process.exit(0);
      child.once('exit', () => process.exit(0));
      child.kill(signal);
    });
};
