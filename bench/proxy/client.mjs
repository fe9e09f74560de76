/** Load from a process of its own. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startNode } from '../pipelines/process.mjs';

const LOAD = path.join(path.dirname(fileURLToPath(import.meta.url)), 'load.mjs');

/** Gives { requests, seconds, p99 }, the latter in ms. */
export const load = async ({ port, status, seconds }) => {
  let line = '';
  const client = startNode([LOAD, `${port}`, `${seconds}`, `${status}`], {
    output: (text) => {
      line = text;
    },
  });
  if ((await client.ended) !== 0) throw new Error('the client has failed');
  return JSON.parse(line);
};
