/**
 * npm run soak -- [conformance] [local] [restate] [two-factor] [rolling] [--seed=N] [--points=N] [--cases=N] [--kills=N] [--point=MIX:BOUNDARY]
 *
 * What takes too long for every change: engines killed at each boundary of their journal, and beside a model for
 * thousands of generated pipelines; two-factor killed at each operation on the world outside; replicas behind nginx
 * and HAProxy restarted under load. Exit 1 on a violation, with what reproduces it.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { transformSync } from 'esbuild';

const require = createRequire(import.meta.url);
// As in the tests: types are stripped, nothing is bundled.
require.extensions['.ts'] = (module, file) => {
  const { code } = transformSync(readFileSync(file, 'utf8'), {
    loader: 'ts',
    format: 'cjs',
    target: 'node20',
    sourcemap: 'inline',
    sourcefile: file,
    supported: { 'dynamic-import': false },
  });
  module._compile(code, file);
};

process.exitCode = await require('./main.ts').main(process.argv.slice(2));
