/**
 * Around `npm pack`: before it the library is built and its package.json put in the place of ours, which comes back after.
 *
 *   node deploy/library/pack.mjs prepack | postpack
 *
 * What a pack that was cut off has left is put right by the next, or by `npm run postpack`.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { root } from '../build/bundle.mjs';
import { buildLibrary } from './build.mjs';
import { published } from './manifest.mjs';

const manifest = path.join(root, 'package.json');
/** Not in dist/, which every build empties. */
const ours = path.join(root, '.package.repository.json');

/** Does nothing where ours is in its place. */
const restore = () =>
  rename(ours, manifest).catch((error) => {
    if (error.code !== 'ENOENT') throw error;
  });

const [moment] = process.argv.slice(2);
await restore();
if (moment === 'prepack') {
  await buildLibrary();
  const text = await readFile(manifest, 'utf8');
  await rename(manifest, ours);
  await writeFile(manifest, `${JSON.stringify(published(JSON.parse(text)), null, 2)}\n`);
}
