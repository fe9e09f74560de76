import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = path.resolve(__dirname, '../../..');
const BIOME = path.join(ROOT, 'node_modules/.bin/biome');

/** The rule of the linter that each of these files breaks. */
const lint = (files: Readonly<Record<string, string>>): Readonly<Record<string, boolean>> => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'lint-'));
  try {
    const { vcs: _, ...config } = JSON.parse(readFileSync(path.join(ROOT, '.biome.json'), 'utf8'));
    writeFileSync(path.join(folder, 'biome.json'), JSON.stringify(config));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), text);
    }
    const { stdout } = spawnSync(BIOME, ['lint', '--reporter=json', '.'], {
      cwd: folder,
      encoding: 'utf8',
    });
    const { diagnostics } = JSON.parse(stdout) as {
      diagnostics: { category: string; location: { path: string | { file: string } } }[];
    };
    const broken = diagnostics
      .filter(({ category }) => category === 'lint/style/noRestrictedImports')
      .map(({ location }) => JSON.stringify(location.path));
    return Object.fromEntries(
      Object.keys(files).map((name) => [name, broken.some((at) => at.includes(name))]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
};

test('axios is known to one file, and the linter says so', () => {
  const load = "export const load = () => import('axios');\n";
  expect(
    lint({
      'shared/webhook/client.ts': load,
      'shared/webhook/deliver.ts': load,
      'shared/client.ts': "import axios from 'axios';\nexport { axios };\n",
      'shared/type.ts':
        "import type { AxiosInstance } from 'axios';\nexport type A = AxiosInstance;\n",
      'functions/a/index.ts': "export { post } from 'axios';\n",
      'functions/b/index.ts': "const axios = await import('axios');\nexport { axios };\n",
      'test/c.test.ts': "import axios from 'axios/dist/node/axios.cjs';\nexport { axios };\n",
      'bench/d.mjs': "import 'axios';\n",
      'shared/e.ts': "import yaml from 'yaml';\nexport { yaml };\n",
    }),
  ).toEqual({
    'shared/webhook/client.ts': false,
    'shared/webhook/deliver.ts': true,
    'shared/client.ts': true,
    'shared/type.ts': true,
    'functions/a/index.ts': true,
    'functions/b/index.ts': true,
    'test/c.test.ts': true,
    'bench/d.mjs': true,
    'shared/e.ts': false,
  });
});
