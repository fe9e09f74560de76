import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';

const ROOT = path.resolve(__dirname, '../..');
/** Inside node_modules, so that the packages left out of the bundle are found from there. */
const FOLDER = path.join(ROOT, 'node_modules/.cache/faas-patterns-test');
const bundles = new Map<string, string>();

/** Bundles a TypeScript file for Node, packages left out; the path of the result. `entry` begins at the root. */
export const bundle = (entry: string): string => {
  const file = bundles.get(entry) ?? write(entry);
  bundles.set(entry, file);
  return file;
};

const write = (entry: string): string => {
  const { outputFiles } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    sourcemap: 'inline',
    write: false,
    logLevel: 'error',
    logOverride: { 'commonjs-variable-in-esm': 'silent' },
  });
  const code = outputFiles[0]?.text as string;
  const digest = createHash('sha256').update(code).digest('hex').slice(0, 16);
  const file = path.join(FOLDER, `${path.basename(entry, '.ts')}-${digest}.cjs`);
  mkdirSync(FOLDER, { recursive: true });
  // Several test workers may write the same one: each sees a whole file.
  writeFileSync(`${file}.${process.pid}`, code);
  renameSync(`${file}.${process.pid}`, file);
  return file;
};
