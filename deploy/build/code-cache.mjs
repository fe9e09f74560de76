/**
 * Keeps what V8 made of a server's code, so that a start does not compile it again.
 *
 * `NAME.cjs` becomes a few lines that run `NAME.HASH.js` with `NAME.HASH.cache`. V8 itself refuses a cache of another
 * version, of other flags or of a text of another length, and compiles as ever; the hash in the names keeps the cache of
 * one text away from another. Without the cache all works, only slower.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { dist, root } from './bundle.mjs';

/** Goes around a bundle, so that it can be run as a script: what node itself does around a module. */
export const WRAPPED = {
  banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
  footer: { js: '})' },
};

const launcher = (
  file,
) => `// Made by deploy/build: runs ${file}.js with the code that was compiled with it, if this V8 takes it.
const fs = require('node:fs');
const { Script } = require('node:vm');
const file = \`\${__dirname}/${file}\`;
let cachedData;
try {
  cachedData = fs.readFileSync(\`\${file}.cache\`);
} catch {}
new Script(fs.readFileSync(\`\${file}.js\`, 'latin1'), { filename: \`\${file}.js\`, cachedData })
  .runInThisContext()(exports, require, module, \`\${file}.js\`, __dirname);
`;

/** Of a bundle that was built with `WRAPPED`. */
export const addCodeCache = async (name) => {
  const bundle = path.join(dist, `${name}.cjs`);
  const text = await readFile(bundle);
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8);
  const file = `${name}.${hash}`;
  await rename(bundle, path.join(dist, `${file}.js`));
  await writeFile(bundle, launcher(file));
  await fillCache(bundle, path.join(dist, `${file}.cache`));
};

/** Starts the server and uses it a little, so that the cache holds what a start and a first request need. */
const fillCache = async (server, cache) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'faas-patterns-build-'));
  const child = spawn(
    process.execPath,
    [path.join(root, 'deploy/build/warm-up.cjs'), server, cache],
    // An environment of its own: nothing of the developer's is touched, and no flags make the cache a special one.
    {
      cwd: folder,
      env: { PORT: '0', PIPELINES_DIR: '.' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 20_000,
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += chunk;
    });
  const code = await new Promise((resolve) => child.once('close', resolve));
  await rm(folder, { recursive: true, force: true });
  if (code !== 0) console.error(`No code cache for ${path.basename(server)}:\n${output}`);
};
