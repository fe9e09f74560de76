/**
 * node test/docs/write-differences.mjs: writes the table of differences into docs/deploy.md. The data belongs to the tests of
 * the contract, so they have the expectations of Jest beside them, which only the table can do without.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ['test/docs/differences.ts'],
  bundle: true,
  platform: 'node',
  format: 'esm',
  write: false,
  plugins: [
    {
      name: 'no-expectations',
      setup: ({ onResolve, onLoad }) => {
        onResolve({ filter: /^@jest\/globals$/ }, () => ({ path: 'none', namespace: 'none' }));
        onLoad({ filter: /./, namespace: 'none' }, () => ({
          contents: 'export const expect = undefined;',
        }));
      },
    },
  ],
});
const code = Buffer.from(outputFiles[0].contents).toString('base64');
const { PAGE, withDifferences } = await import(`data:text/javascript;base64,${code}`);
const file = path.join(root, PAGE);
const standing = readFileSync(file, 'utf8');
const wanted = withDifferences(standing);
if (standing !== wanted) writeFileSync(file, wanted);
console.log(standing === wanted ? 'nothing has changed' : `wrote ${PAGE}`);
