/** The tree as an image or a buildpack leaves it: built, without what is for development, and no install script run. */
import { rmSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { FunctionDescription } from '../../shared/suite/describe';
import { startHost } from '../support/host-process';
import { copyTree, PACK_TIMEOUT, run } from '../support/package';

let folder: string;

beforeAll(() => {
  folder = copyTree('production');
  succeed('node', 'deploy/build.mjs');
  unlinkSync(path.join(folder, 'node_modules'));
  succeed('npm', 'ci', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-audit');
}, PACK_TIMEOUT);

afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const succeed = (program: string, ...args: readonly string[]): void => {
  const { status, stderr } = run(program, args, { cwd: folder });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
};

test.each(['node', 'functions-framework'])('every function is served by %s', async (name) => {
  const host = await startHost({ file: path.join(folder, `dist/${name}.cjs`) });
  try {
    const { functions } = (await (
      await fetch(host.url, { headers: { accept: 'application/json' } })
    ).json()) as { functions: readonly FunctionDescription[] };
    const commands = functions.flatMap(({ routes }) => routes.flatMap(({ curl = [] }) => curl));
    expect(commands.length).toBeGreaterThanOrEqual(functions.length);
    const answers: string[] = [];
    for (const command of commands) {
      const { stdout } = run('sh', ['-c', `${command} -o /dev/null -w '%{http_code}'`], {
        cwd: folder,
      });
      answers.push(`${stdout} ${command}`);
    }
    expect(answers.filter((answer) => !/^(?:2|30[1278])/.test(answer))).toEqual([]);
    expect(host.lines().filter(({ severity }) => severity === 'ERROR')).toEqual([]);
  } finally {
    await host.stop('SIGTERM');
  }
});
