/** Hosts of the suite, and clients that send them requests. */
import path from 'node:path';
import { freePort, root } from '../machine.mjs';
import { SOURCES } from './bundles.mjs';
import { answerOf, MEASURED, OTHERS, pause, startNode } from './process.mjs';

/** Of `dist`, as `npm run build` made it. */
export const builtHost = (name) => path.join(root, `dist/${name}.cjs`);

/** Resolves when it listens. `output`: takes each line of its log. */
export const startHost = async (
  file,
  { environment, folder, core = MEASURED, output = () => {} },
) => {
  const port = await freePort();
  const host = startNode([file], {
    core,
    folder,
    environment: { PORT: `${port}`, LOG_LEVEL: 'warn', ...environment },
    output,
  });
  await untilReady(port, host);
  return { ...host, port };
};

const untilReady = async (port, { child }) => {
  while (child.exitCode === null) {
    const answer = await fetch(`http://127.0.0.1:${port}/health/readiness`).catch(() => undefined);
    if (answer?.ok) return;
    await pause(20);
  }
  throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode}`);
};

/** A driver that posts `body` and wants an answer with `answer` in it. */
export const startClient = async ({ port, body, answer, core = OTHERS }) => {
  const client = startNode([path.join(SOURCES, 'http-client.cjs'), `${port}`, '/', body, answer], {
    core,
    ipc: true,
  });
  await answerOf(client);
  return client;
};
