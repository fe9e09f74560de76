/** Hot keys with and without a bound on load: the counts of a load that is the same each time, through the router's own choice. */
import { createRequire } from 'node:module';
import { build } from 'esbuild';
import { bundleOptions } from '../../deploy/build/bundle.mjs';

const MODES = ['native', 'nginx-consistent'];
const SETS = 20;
const LOAD = { shards: 10, keys: 10_000, exponent: 1.1, inFlight: 200, requests: 100_000 };
export const BOUND = 1.25;

export const zipf = async (program) => {
  await build({
    ...(await bundleOptions()),
    entryPoints: ['test/functions/shard-router/zipf-load.ts'],
    outfile: program,
    legalComments: 'none',
  });
  const { zipfLoad } = createRequire(import.meta.url)(program);
  const setsOf = (mode, more) =>
    Array.from({ length: SETS }, (_, n) => zipfLoad({ ...LOAD, mode, seed: n + 1, ...more }));
  return MODES.map((mode) => ({
    mode,
    plain: setsOf(mode, {}),
    bounded: setsOf(mode, { bound: BOUND }),
  }));
};
