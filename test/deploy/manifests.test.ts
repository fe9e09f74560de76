/** `npm run manifests`: the deployment files are as the declarations say, and the check tells when they are not. */
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { catalogue } from '../../functions';
import { generateManifests, manifests } from '../../shared/cli/manifests';

const ROOT = path.resolve(__dirname, '../..');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'faas-manifests-'));
  await symlink(path.join(ROOT, 'pipelines'), path.join(folder, 'pipelines'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = async (args: readonly string[], at = folder) => {
  let stdout = '';
  let stderr = '';
  const code = await manifests(args, catalogue, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    folder: at,
  });
  return { code, stdout, stderr };
};

test('the deployment files of the project are as the declarations say', async () => {
  expect(await run(['--check'], ROOT)).toMatchObject({ code: 0, stderr: '' });
});

describe('in another folder', () => {
  test('all are written, then found fine, then found stale one by one', async () => {
    const { size } = await generateManifests(catalogue, folder);
    const written = await run([]);
    expect(written).toMatchObject({ code: 0, stderr: '' });
    expect(written.stdout.match(/^wrote /gm)).toHaveLength(size);
    expect(await run([])).toMatchObject({ code: 0, stdout: 'nothing has changed\n' });
    expect((await run(['--check'])).stdout).toBe(`${size} files are as the declarations say\n`);

    const changed = path.join(folder, 'deploy/knative/signup.yaml');
    const text = await readFile(changed, 'utf8');
    await writeFile(changed, text.replace("min-scale: '0'", "min-scale: '1'"));
    await rm(path.join(folder, '.dockerignore'));
    const check = await run(['--check']);
    expect(check.code).toBe(1);
    expect(check.stderr.trim().split('\n').sort()).toEqual([
      '.dockerignore is stale: npm run manifests writes it',
      'deploy/knative/signup.yaml is stale: npm run manifests writes it',
    ]);
    // The check wrote nothing.
    expect((await run(['--check'])).code).toBe(1);
    await run([]);
    expect(await readFile(changed, 'utf8')).toBe(text);
  });

  test('what they say does not depend on who writes them', async () => {
    const here = await generateManifests(catalogue, ROOT);
    expect(await generateManifests(catalogue, folder)).toEqual(here);
    for (const text of here.values()) expect(text).not.toContain(os.homedir());
  });

  test('a pipeline with a mistake, or a flag that is none, is told with exit code 2', async () => {
    await rm(path.join(folder, 'pipelines'));
    expect(await run([])).toMatchObject({ code: 2, stderr: expect.stringMatching(/pipelines/) });
    expect(await run(['--chek'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Usage/),
    });
  });
});
