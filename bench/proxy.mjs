/**
 * What it costs to stand between a client and its shards, beside others who do: the part of the benchmark, with its tables.
 *
 * Whoever is measured has one core, the client and the shards have the other. One round loads each in turn.
 */
import path from 'node:path';
import { build } from 'esbuild';
import { bundleOptions } from '../deploy/build/bundle.mjs';
import { cpuTime, root } from './machine.mjs';
import { bulk } from './proxy/bulk.mjs';
import { load } from './proxy/client.mjs';
import { startProxies } from './proxy/proxies.mjs';
import { startShards } from './proxy/shards.mjs';
import { bulkTable, proxyTable } from './proxy/tables.mjs';

const PROGRAM = path.join(root, 'node_modules/.cache/bench-proxy/node.cjs');

export const proxy = async ({ rounds = 7, seconds = 2 }) => {
  await build({
    ...(await bundleOptions()),
    entryPoints: ['deploy/entry/node.ts'],
    outfile: PROGRAM,
    legalComments: 'none',
  });
  const shards = await startShards();
  const proxies = await startProxies({ program: PROGRAM, shards: shards.ports });
  try {
    // Not counted: the code becomes hot.
    for (const one of proxies) await load({ ...one, seconds });
    for (let round = 0; round < rounds; round += 1)
      for (const one of proxies) {
        const before = cpuTime(one.pid);
        const { requests, seconds: took, p99 } = await load({ ...one, seconds });
        one.figures.push({
          cpu: (cpuTime(one.pid) - before) / requests,
          rate: requests / took,
          p99,
        });
      }
  } finally {
    await Promise.all([...proxies, shards].map(({ stop }) => stop()));
  }
  return { proxy: proxyTable(proxies), 'proxy-bulk': bulkTable(await bulk(PROGRAM)) };
};
