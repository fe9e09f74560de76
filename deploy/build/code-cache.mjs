/**
 * Keeps what V8 made of a server's code, so that a start does not compile it again.
 *
 * `NAME.cjs` becomes a few lines that run `NAME.HASH.js` with `NAME.HASH.cache`. V8 itself refuses a cache of another
 * version, of other flags or of a text of another length, and compiles as ever; the hash in the names keeps the cache of
 * one text away from another. Without the cache all works, only slower.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { dist, root } from './bundle.mjs';

/** What node itself does around a module, so that it can be run as a script; no line more before it. */
const wrapped = (text) =>
  `(function (exports, require, module, __filename, __dirname) {${text}\n})`;

const launcher = (
  file,
  before = '',
) => `// Made by deploy/build: runs ${file}.js with the code that was compiled with it, if this V8 takes it.
const fs = require('node:fs');
const { Script } = require('node:vm');
const file = \`\${__dirname}/${file}\`;
const run = () => {
  let cachedData;
  try {
    cachedData = fs.readFileSync(\`\${file}.cache\`);
  } catch {}
  new Script(fs.readFileSync(\`\${file}.js\`, 'latin1'), { filename: \`\${file}.js\`, cachedData })
    .runInThisContext()(exports, require, module, \`\${file}.js\`, __dirname);
};
${before}run();
`;

/** The node host of all functions that is to serve one runs the server of that one, where it is beside. */
const ONE_OF_ALL = `const { FUNCTION_TARGET: target } = process.env;
const alone = \`\${__dirname}/functions/\${target}/node.cjs\`;
if (target && fs.existsSync(alone)) require(alone);
else `;

/**
 * Of servers and packages, by their paths below dist/ without the extension. `processes` are lists of what runs in one
 * process, one after the other: a `server` with the `requests` that it is sent. The first of them uses the packages.
 */
export const addCodeCaches = async (processes, packages) => {
  const servers = processes.flat().map(({ server }) => server);
  await Promise.all([...servers, ...packages].map(wrap));
  await Promise.all(processes.map((lives, index) => warmUp(lives, index === 0 ? packages : [])));
};

const wrap = async (name) => {
  const bundle = path.join(dist, `${name}.cjs`);
  const text = wrapped(await readFile(bundle, 'utf8'));
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8);
  const file = `${path.basename(name)}.${hash}`;
  await writeFile(path.join(path.dirname(bundle), `${file}.js`), text);
  await writeFile(bundle, launcher(file, name === 'node' ? ONE_OF_ALL : ''));
};

/** Starts servers and uses each a little, so that the caches hold what a start and a first request need. */
const warmUp = async (lives, packages) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'faas-patterns-build-'));
  const child = spawn(
    process.execPath,
    [path.join(root, 'deploy/build/warm-up.cjs'), dist, JSON.stringify(lives), ...packages],
    // An environment of its own: nothing of the developer's is touched, and no flags make the cache a special one.
    {
      cwd: folder,
      env: { PORT: '0', PIPELINES_DIR: path.join(root, 'pipelines') },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 30_000,
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += chunk;
    });
  const code = await new Promise((resolve) => child.once('close', resolve));
  await rm(folder, { recursive: true, force: true });
  if (code !== 0) console.error(`Not all code caches could be made:\n${output}`);
};
